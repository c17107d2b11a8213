// The end of an answer with its token, on routes with close_at_expiry: who held a token for a minute must not
// read, or write, for a day. The moment is that from which a new request with the token would be refused. And
// the end of a WebSocket with this process, which is the only end that one has by itself.
//
// A response is cut off so that its client sees that it was, one of gRPC ends with its status 16. It has
// kPatience from its head in any case: what is no stream is not cut.
//
// A WebSocket is closed both ways with 1008, or 1001 (RFC 6455 7.4.1), each way after the frame that is under
// way there; what comes behind it is dropped. Then the backend has time to close the connection, which is the
// server's to do (7.1.1). A frame or a backend that takes longer than kPatience is cut off.
#include <algorithm>
#include <cstring>
#include <utility>

#include "answer/grpc.h"
#include "crypto/random.h"
#include "pipeline/request.h"
#include "token/verify.h"

namespace holdfast::pipeline {
namespace {

constexpr Millis kPatience{5'000};
// The clock on the wall may be set meanwhile.
constexpr Millis kLookAgain{60'000};
constexpr std::uint16_t kUnauthorized = 401;

std::uint16_t close_code(Cause cause) {
  return cause == Cause::kDraining ? http::kGoingAway : http::kPolicyViolation;
}

Reason reason_of(Cause cause) {
  return cause == Cause::kDraining ? Reason::draining : Reason::token_expired;
}

std::uint32_t random_key() {
  std::uint32_t key = 0;
  const auto bytes = crypto::random_bytes(sizeof key);
  std::memcpy(&key, bytes.data(), sizeof key);
  return key;
}

// How much of `bytes` goes on.
std::size_t passing(http::WebSocketFrames& frames, std::span<const char> bytes, bool closing) {
  if (closing) return frames.finish(bytes);
  frames.pass(bytes);
  return bytes.size();
}

}  // namespace

void Request::watch_expiry(const http::ResponseHead& head) {
  const bool tunnel = head.status == 101;
  const bool with_token = head.body.kind != http::BodyLength::Kind::kNone && evidence_.token != nullptr &&
                          rules_->links[route()->index].close_at_expiry && !policy::reports_only(*route());
  if (!tunnel && !with_token) return;
  expiry_ = std::make_unique<Expiry>();
  if (tunnel) {
    expiry_->tunnel.emplace();
    flow_.add_tunnel(*this);
  }
  if (!with_token) return;
  const UnixTime now = flow_.ports().now().wall;
  UnixTime at = token::expiry(*evidence_.token, rules_->issuers[evidence_.issuer]);
  if (!tunnel) at = std::max(at, now + kPatience);
  expiry_->at = at;
  expiry_->alarm = flow_.ports().alarms.make(*this);
  expiry_->alarm->arm(std::clamp(at - now, Millis{0}, kLookAgain));
}

void Request::stop_watching() {
  if (watches_frames()) flow_.remove_tunnel(*this);
  expiry_.reset();
}

void Request::on_alarm() {
  if (!client_) return;
  const Ref<Request> self(this);
  if (expiry_->closing) return end_from_here(*expiry_->closing);
  const Millis left = *expiry_->at - flow_.ports().now().wall;
  if (left > Millis{0}) return expiry_->alarm->arm(std::min(left, kLookAgain));
  if (expiry_->tunnel) return close_tunnel(Cause::kTokenExpired);
  note({Reason::token_expired, "the access token has expired"});
  end_from_here(Cause::kTokenExpired);
}

void Request::close_tunnel(Cause cause) {
  if (!watches_frames() || expiry_->closing) return;
  const Ref<Request> self(this);
  note({reason_of(cause), {}});
  expiry_->closing = cause;
  if (!expiry_->alarm) expiry_->alarm = flow_.ports().alarms.make(*this);
  expiry_->alarm->arm(kPatience);
  if (expiry_->tunnel->to_client.at_boundary()) close_to_client();
  if (client_ && expiry_->tunnel->to_backend.at_boundary()) close_to_backend();
}

void Request::close_to_client() {
  WatchedTunnel& tunnel = *expiry_->tunnel;
  tunnel.client_told = true;
  if (tunnel.to_client.closed()) return;
  const Cause cause = *expiry_->closing;
  const std::string frame = http::close_frame(close_code(cause), reason_name(reason_of(cause)));
  bytes_out_ += frame.size();
  client_->on_response_data(frame);
}

void Request::close_to_backend() {
  WatchedTunnel& tunnel = *expiry_->tunnel;
  tunnel.backend_told = true;
  if (tunnel.to_backend.closed() || body_ended_ || !backend_) return;
  const Cause cause = *expiry_->closing;
  backend_->on_request_data(
      http::close_frame(close_code(cause), reason_name(reason_of(cause)), random_key()));
}

void Request::pass_to_client(std::span<const char> bytes) {
  WatchedTunnel& tunnel = *expiry_->tunnel;
  const std::size_t passed = passing(tunnel.to_client, bytes, expiry_->closing.has_value());
  bytes_out_ += passed;
  if (passed != 0) client_->on_response_data(bytes.first(passed));
  if (!client_ || !expiry_->closing) return;
  if (!tunnel.client_told && tunnel.to_client.at_boundary()) close_to_client();
  // What is dropped was taken: behind it may be the backend's Close.
  if (backend_ && passed != bytes.size()) backend_->grant_response(bytes.size() - passed);
}

void Request::pass_to_backend(std::span<const char> bytes) {
  if (!backend_) return;
  WatchedTunnel& tunnel = *expiry_->tunnel;
  const std::size_t passed = passing(tunnel.to_backend, bytes, expiry_->closing.has_value());
  if (passed != 0) backend_->on_request_data(bytes.first(passed));
  if (!client_ || !expiry_->closing) return;
  if (!tunnel.backend_told && tunnel.to_backend.at_boundary()) close_to_backend();
  if (client_ && passed != bytes.size()) client_->grant_request(bytes.size() - passed);
}

void Request::end_from_here(Cause cause) {
  const Ref<ClientStream> client = client_;
  const bool told = client_was_told();
  if (const Ref<BackendStream> backend = std::exchange(backend_, nullptr)) backend->on_request_cancel(cause);
  if (grpc_) return end_grpc(answer::grpc_status(kUnauthorized), "the access token has expired");
  finish();
  if (told) return client->on_response_end();
  client->on_response_reset(cause);
}

}  // namespace holdfast::pipeline
