// Keeps the certificates of all listeners as their files are: when what those hold has changed, every
// listener concerned gets a context made from them, whole, or keeps the one it has. Also turns the ring of
// ticket keys and says in time that a certificate runs out. Control thread only.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "listener/config.h"
#include "net/file_watch.h"
#include "net/ticket_keys.h"
#include "net/timer_wheel.h"
#include "net/worker.h"
#include "pipeline/ports.h"
#include "telemetry/exposition.h"

namespace holdfast {

class CertificateKeeper final : private net::Expirable {
 public:
  using ListenerConfig = std::shared_ptr<const listener::Config>;
  // New connections of listener config->index are to be served with this.
  using Replace = std::function<void(const ListenerConfig& config)>;

  struct Timing {
    net::FileWatch::Timing files;
    std::chrono::milliseconds rotate_tickets = std::chrono::hours(12);
    std::chrono::milliseconds look_at_expiry = std::chrono::hours(24);
  };

  CertificateKeeper(net::Worker& control, pipeline::EventLog& log, Timing timing, Replace replace);
  CertificateKeeper(const CertificateKeeper&) = delete;
  CertificateKeeper& operator=(const CertificateKeeper&) = delete;

  // One ring for every listener: goes into each TlsServerConfig.
  [[nodiscard]] const std::shared_ptr<net::TicketKeys>& ticket_keys() const { return ticket_keys_; }

  // The configurations that are served from now on, all of them: at the start and after a reload.
  void keep(std::vector<ListenerConfig> listeners);
  void stop();

  // holdfast_tls_certificate_expiry_timestamp_seconds
  void write(telemetry::Exposition& out) const;

 private:
  enum Which : int { kRotateTickets, kLookAtExpiry };

  struct Kept {
    ListenerConfig config;
    crypto::Digest256 refused{};  // what the files held when they could not be used; said once
  };

  void on_deadline(int which) override;
  void look_at_files();
  void renew(Kept& kept);
  void look_at_expiry(const net::TlsServerContext& context);

  pipeline::EventLog& log_;
  const Timing timing_;
  const Replace replace_;
  const std::shared_ptr<net::TicketKeys> ticket_keys_ = std::make_shared<net::TicketKeys>();
  std::vector<Kept> kept_;  // those with TLS
  net::FileWatch watch_;
  net::Deadline rotate_tickets_;
  net::Deadline expiry_;
};

}  // namespace holdfast
