// What the story of a request needs from the world, as narrow interfaces: the listener hands in requests, and
// the keys, the replay store, the upstreams and the access log are reached through these. Everything is
// called on the request's worker.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/counted.h"
#include "base/reason.h"
#include "base/time.h"
#include "crypto/certificate.h"
#include "crypto/digest.h"
#include "http/message.h"
#include "pipeline/exchange.h"

namespace holdfast::jose {
class KeySet;
}
namespace holdfast::token {
struct AccessToken;
}

namespace holdfast::pipeline {

// ---- from the listener

// What is known of a client's connection. Lives as long as the connection.
struct ConnectionFacts {
  std::size_t listener = 0;                       // index into the configuration's listeners
  std::string client_ip;                          // the peer's address as text, without port
  std::array<std::uint8_t, 16> client_address{};  // IPv6, or IPv4 mapped into it
  bool tls = false;
  // DNS names and addresses of the certificate served on this connection, as in the certificate (may begin
  // with "*.").
  std::shared_ptr<const std::vector<std::string>> certificate_names;
  // The certificate that the client proved to hold, where the listener asks for one; nullptr: none.
  std::shared_ptr<const crypto::CertificateIdentity> client_certificate;
};

class RequestHandler {
 public:
  // Takes a request. Answers, at once or later, through `client`, which the exchange holds a Ref to until it
  // has ended. The result takes the body.
  [[nodiscard]] virtual Ref<BackendStream> start(http::RequestHead head, const ConnectionFacts& connection,
                                                 Ref<ClientStream> client) = 0;
  // A request that the codec or a limit refused before its head was whole: answers and logs it. `status` is
  // the exact one (400, 408, 413, 414, 431, 501, 505); `head` holds what could be read, if anything. The
  // answer's head has `close` set.
  virtual void refuse(Refusal refusal, std::uint16_t status, http::RequestHead head,
                      const ConnectionFacts& connection, Ref<ClientStream> client) = 0;
  // The listener's drain is about to end: WebSockets, which would go on for ever, are told so.
  virtual void close_tunnels() = 0;

 protected:
  ~RequestHandler() = default;
};

// ---- issuer keys

// The keys of one issuer as they were fetched together. `generation` changes when and only when the contents
// do.
struct IssuerKeys {
  std::uint64_t generation = 0;
  std::shared_ptr<const jose::KeySet> keys;
};

class KeySource {
 public:
  // The keys at hand for issuer number `issuer` (Rules::issuer_numbers; a number never comes to mean another
  // issuer); nullptr: never loaded, or past max_stale. The pointer stays valid until the worker's next turn
  // of its loop.
  [[nodiscard]] virtual const IssuerKeys* keys(std::size_t issuer) = 0;
  // Asks for a fresh fetch because a key was not found among `seen_generation`. `done` is called once on this
  // worker, possibly before this returns: true if other keys than those are there now; false if the rate
  // limit or the issuer's absence stood against it.
  virtual void refetch(std::size_t issuer, std::uint64_t seen_generation, std::function<void(bool)> done) = 0;

 protected:
  ~KeySource() = default;
};

// ---- introspection (RFC 7662)

// A token that its issuer is asked about.
struct IntrospectionQuestion {
  std::size_t issuer = 0;  // number, as KeySource has it
  std::string_view token;  // as sent
  crypto::Digest256 digest{};
  // What the token says itself, where it is a JWT that has verified; nullptr: it is opaque.
  std::shared_ptr<const token::AccessToken> jwt;
};

// Facts, to be judged like those of a JWT; token_inactive, token_type or token_malformed where there are
// none; introspection_unavailable where the issuer did not say.
using Introspected = Checked<std::shared_ptr<const token::AccessToken>>;

class Introspector {
 public:
  // Calls `done` once on this worker, possibly before it returns. What it brings was said by the issuer no
  // longer ago than the issuer's cache time.
  virtual void introspect(const IntrospectionQuestion& question, const Now& now,
                          std::function<void(const Introspected&)> done) = 0;

 protected:
  ~Introspector() = default;
};

// ---- replay

struct ReplayClaim {
  std::array<std::uint8_t, 32> id;   // dpop/replay_key.h
  std::array<std::uint8_t, 32> key;  // the proof key's thumbprint, for the key's share
  UnixTime issued;                   // the proof's iat, or its nonce's time where one was required and valid
  std::chrono::milliseconds keep;    // from now on
};

enum class ReplayResult : std::uint8_t { kFirst, kReplayed, kBeforeBirth, kFull, kKeyQuota, kUnavailable };

class ReplayStore {
 public:
  // One atomic claim. Calls `done` once on this worker, possibly before it returns.
  virtual void claim(const ReplayClaim& claim, const Now& now, std::function<void(ReplayResult)> done) = 0;

 protected:
  ~ReplayStore() = default;
};

// ---- upstreams

class Admission;  // pipeline/admission.h: only the verifier makes one

class Upstreams {
 public:
  // Whether all connections are taken and the queue is full: a request that came now would be refused as
  // overloaded. Asked before a proof's jti is claimed; things may be otherwise a moment later.
  [[nodiscard]] virtual bool is_overloaded(std::size_t upstream) const = 0;
  // Sends an admitted request to upstream number `upstream` (RouteLinks::upstream; a number never comes to
  // mean another upstream, and one that a reload has removed serves the requests that began before). Never
  // fails at once: what goes wrong comes to `client` as a reset. Which server takes it, `client` is told by
  // on_backend_chosen(). `timeouts`: its route's, read during the call only.
  [[nodiscard]] virtual Ref<BackendStream> open(const Admission& admission, std::size_t upstream,
                                                const RouteTimeouts& timeouts, http::RequestHead head,
                                                Ref<ClientStream> client) = 0;

 protected:
  ~Upstreams() = default;
};

// ---- time

class AlarmOwner {
 public:
  virtual void on_alarm() = 0;

 protected:
  ~AlarmOwner() = default;
};

// One moment on the worker's clock. Armed again it moves; destroyed, also inside on_alarm(), it is off.
class Alarm {
 public:
  virtual ~Alarm() = default;
  virtual void arm(Millis after) = 0;
};

class Alarms {
 public:
  [[nodiscard]] virtual std::unique_ptr<Alarm> make(AlarmOwner& owner) = 0;

 protected:
  ~Alarms() = default;
};

// ---- the access log

struct Grounds;

// One request, ended. Views are valid during the call only.
struct AccessRecord {
  UnixTime time;
  std::string_view request_id, trace_id, client_ip, listener, route, method, host, path;
  unsigned status = 0;
  double duration_ms = 0;
  std::string_view upstream, upstream_server;
  std::optional<double> upstream_ms;
  std::uint64_t bytes_in = 0, bytes_out = 0;
  std::string_view decision;  // allow | deny | report: it passed, though there was a `reason` to refuse it
  std::optional<Reason> reason;
  std::string_view scheme;  // of the credentials that were looked at: dpop | bearer
  std::string_view sub, client_id, jkt, kid, proof_alg;
  std::optional<double> iat_offset_s;
  std::optional<unsigned> grpc_status;  // of a gRPC call's answer, ours or the backend's, as far as it came
  const Grounds* grounds = nullptr;     // what the decision stands on: account.h
};

class AccessLog {
 public:
  virtual void record(const AccessRecord& record) = 0;

 protected:
  ~AccessLog() = default;
};

// ---- the event log

enum class Level : std::uint8_t { kDebug, kInfo, kWarn, kError };

struct EventField {
  std::string_view name;
  std::string_view value;
};

// What an operator should know beside the requests: keys fetched, a server ejected, a drain begun. Never
// blocks; any thread. Values are escaped by the log; a caller never hands in a secret.
class EventLog {
 public:
  virtual void event(Level level, std::string_view event, std::span<const EventField> fields) = 0;
  void event(Level level, std::string_view name, std::initializer_list<EventField> fields = {}) {
    event(level, name, std::span<const EventField>(fields.begin(), fields.size()));
  }

 protected:
  ~EventLog() = default;
};

}  // namespace holdfast::pipeline
