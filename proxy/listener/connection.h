// One accepted connection up to the choice of its protocol: the PROXY header where there has to be one, the
// TLS handshake, then what ALPN settled on (RFC 7301); on a plain listener HTTP/2's preface (RFC 9113 3.3,
// prior knowledge) against anything else, which a client of HTTP/1 gives away with its first or second byte.
// From then on a session of that protocol has the stream, and the connection is what both kinds share: facts,
// configuration, a place in the listener's list.
//
// Lifetime: holds itself, and its session, from start() to close(). Worker's thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/counted.h"
#include "listener/config.h"
#include "listener/listener.h"
#include "listener/session.h"
#include "net/stream.h"
#include "net/timer_wheel.h"
#include "pipeline/ports.h"
#include "wire/proxy_protocol.h"

namespace holdfast::listener {

class Connection final : public net::StreamOwner, private net::Expirable {
 public:
  // Counted as open by the listener's tally already.
  Connection(Listener& listener, net::Socket socket, const net::Endpoint& peer);

  void start();
  void drain();
  void abandon();

  // ---- for the session

  [[nodiscard]] net::Stream& stream() { return stream_; }
  [[nodiscard]] net::Worker& worker() const { return listener_->worker_; }
  [[nodiscard]] const Limits& limits() const { return config_->limits; }
  [[nodiscard]] const Timeouts& timeouts() const { return config_->timeouts; }
  [[nodiscard]] const pipeline::ConnectionFacts& facts() const { return facts_; }
  [[nodiscard]] pipeline::RequestHandler& handler() const { return listener_->handler_; }
  [[nodiscard]] bool draining() const { return draining_; }
  // Something has come that on_readable() was not called for yet.
  [[nodiscard]] bool has_unread();
  // Read into by one connection of the worker at a time: whatever is not used at once is copied out.
  [[nodiscard]] static std::span<char> read_buffer();
  [[nodiscard]] ClientTally& tally() const { return *config_->tally; }
  // Closes the stream, leaves the listener and lets go of the session, which the caller holds a Ref to.
  void close(bool reset);

 private:
  friend class Listener;
  enum class Phase : std::uint8_t { kProxyHeader, kHandshake, kChoice, kSession, kClosed };

  void on_readable() override;
  void on_writable() override;
  void on_deadline(int which) override;

  void close_because(Close cause);
  [[nodiscard]] bool read_proxy_header();
  [[nodiscard]] bool shake_hands();
  void choose();
  void read_first_bytes();
  template <typename Protocol>
  void start_session(std::span<const char> first);

  const Ref<Listener> listener_;
  const std::shared_ptr<const Config> config_;
  net::Stream stream_;
  pipeline::ConnectionFacts facts_;
  std::unique_ptr<wire::ProxyHeaderDecoder> proxy_header_;  // while it is read
  net::Deadline deadline_;                                  // of PROXY header, handshake and choice
  Ref<Session> session_;
  Ref<Connection> self_;        // from start() to close()
  Connection* next_ = nullptr;  // in the listener's list
  Connection* previous_ = nullptr;
  Phase phase_ = Phase::kHandshake;
  std::uint8_t preface_seen_ = 0;  // bytes of it
  bool draining_ = false;
};

}  // namespace holdfast::listener
