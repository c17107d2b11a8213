// Between the two streams of a request: bytes and credit pass through, answers of our own are written, what
// goes wrong on one side is told to the other, and the end is logged once.
#include <utility>

#include "answer/grpc.h"
#include "answer/reason_table.h"
#include "http/forwarded.h"
#include "http/hop_by_hop.h"
#include "pipeline/account.h"
#include "pipeline/request.h"

namespace holdfast::pipeline {
namespace {

// nginx's word for a client that left before it was answered.
constexpr std::uint16_t kClientClosedRequest = 499;

Refusal refusal_of(Cause cause) {
  switch (cause) {
    case Cause::kBackendTimeout:
      return {Reason::upstream_timeout, "the backend did not answer in time"};
    case Cause::kDeadlinePassed:
      return {Reason::upstream_timeout, "the call's own deadline passed"};
    case Cause::kOverloaded:
      return {Reason::overloaded, "too many requests are waiting for the backend"};
    case Cause::kDraining:
      return {Reason::draining, "this server is shutting down"};
    case Cause::kRequestTooLarge:
      return {Reason::request_too_large, "the body is larger than this route takes"};
    case Cause::kTrailersTooLarge:
      return {Reason::headers_too_large, "the trailers are longer than this listener takes"};
    case Cause::kRequestTimeout:
      return {Reason::request_timeout, "the body came too slowly"};
    case Cause::kRequestMalformed:
      return {Reason::request_malformed, "the body's framing is malformed"};
    case Cause::kNoWebSocket:
      return {
          Reason::upstream_unavailable,
          "a WebSocket does not go to h2c:// servers, which speak HTTP/2 alone: the upstream needs http:// "
          "or https:// ones"};
    case Cause::kWebSocketIgnored:
      return {Reason::upstream_unavailable,
              "the backend answered the WebSocket handshake as if it were any other request"};
    case Cause::kTokenExpired:
      return {Reason::token_expired, "the access token has expired"};
    case Cause::kBackendUnreachable:
      return {Reason::upstream_unavailable, "the backend cannot be reached"};
    case Cause::kBackendCancelled:
      return {Reason::upstream_unavailable, "the backend cancelled the request"};
    case Cause::kBackendExhausted:
      return {Reason::upstream_unavailable, "the backend has too much to do"};
    case Cause::kBackendBroken:
    case Cause::kClientGone:
      break;
  }
  return {Reason::upstream_unavailable, "the backend's answer was cut off or malformed"};
}

// What a gRPC client would read from the backend's RST_STREAM (gRPC over HTTP/2, "Errors"), where it is not
// what the refusal says.
std::optional<unsigned> grpc_status_of(Cause cause) {
  if (cause == Cause::kBackendCancelled) return answer::kGrpcCancelled;
  if (cause == Cause::kBackendExhausted) return answer::kGrpcResourceExhausted;
  return std::nullopt;
}

std::string_view scheme_word(policy::AuthScheme scheme) {
  switch (scheme) {
    case policy::AuthScheme::dpop:
      return "dpop";
    case policy::AuthScheme::bearer:
      return "bearer";
    case policy::AuthScheme::none:
      break;
  }
  return "";
}

double milliseconds_between(const Now& from, const Now& to) {
  return std::chrono::duration<double, std::milli>(to.steady - from.steady).count();
}

}  // namespace

Request::Request(RequestFlow& flow, http::RequestHead head, const ConnectionFacts& connection,
                 Ref<ClientStream> client)
    : flow_(flow),
      rules_(flow.rules()),
      head_(std::move(head)),
      connection_(connection),
      client_(std::move(client)),
      began_(flow.ports().now()),
      origin_(decide_origin()),
      grpc_(answer::is_grpc(head_)) {
  subject_.rules = rules_.get();
  subject_.client_certificate = connection_.client_certificate.get();
  use_cors(rules_->cors.get());
  const identity::RequestIds ids = identity::choose_ids(
      head_.fields, origin_ && origin_->from_trusted_proxy(), flow_.random_ids(), head_.fields.arena());
  const auto keep = [this](std::string_view text) {
    texts_ += text;
    return std::string_view(texts_).substr(texts_.size() - text.size());
  };
  const std::string_view path = head_.target.substr(0, head_.target.find('?'));
  const std::string client_ip = forwarded_client();
  texts_.reserve(head_.method.size() + path.size() + ids.request_id.size() + ids.trace_id.size() +
                 ids.span_id.size() + client_ip.size());
  method_ = keep(head_.method);
  path_ = keep(path);
  ids_ = {keep(ids.request_id), keep(ids.trace_id), keep(ids.span_id)};
  client_ip_ = client_ip.empty() ? std::string_view(connection_.client_ip) : keep(client_ip);
}

Checked<policy::RequestOrigin> Request::decide_origin() const {
  return policy::decide_origin(
      rules_->listeners[connection_.listener].origin,
      {.peer = http::IpAddress::v6(connection_.client_address),
       .certificate_names = connection_.certificate_names != nullptr
                                ? std::span<const std::string>(*connection_.certificate_names)
                                : std::span<const std::string>()},
      head_);
}

// The client's address as a trusted proxy tells it; empty where there is none in front of us.
std::string Request::forwarded_client() const {
  if (!origin_ || !origin_->from_trusted_proxy()) return {};
  const std::vector<http::Cidr>& trusted = rules_->listeners[connection_.listener].origin.trusted_proxies;
  return http::client_address(head_.fields, http::IpAddress::v6(connection_.client_address), trusted).text();
}

// ---- answers of our own --------------------------------------------------------------------------------

void Request::run_refused(const Refusal& refusal, std::uint16_t status) {
  note(refusal);
  refuse(answer::make_malformed_answer(status, refusal, ids_.request_id));
}

// A page that may read answers may read refusals, too: it could not mend its request otherwise.
void Request::refuse(answer::Answer answer, std::optional<unsigned> grpc_status) {
  if (cors_ != nullptr) policy::set_cors(*cors_, cors_origin_, answer.fields);
  this->answer(std::move(answer), grpc_status);
}

void Request::answer(answer::Answer answer, std::optional<unsigned> grpc_status) {
  if (grpc_) {
    const unsigned status = grpc_status.value_or(answer::grpc_status(answer.status));
    answer = answer::as_grpc(std::move(answer), status);
  }
  http::ResponseHead head;
  head.status = answer.status;
  head.close = answer.close;
  head.fields = std::move(answer.fields);
  constexpr std::uint16_t kNoContent = 204;
  const bool with_body = method_ != "HEAD" && !grpc_ && answer.status != kNoContent;
  if (with_body) head.body = {http::BodyLength::Kind::kKnown, answer.body.size()};
  status_ = answer.status;
  if (grpc_) grpc_status_ = answer::read_grpc_status(head.fields);
  head_sent_ = true;
  const Ref<Request> self(this);
  const Ref<ClientStream> client = client_;
  client->on_response_head(std::move(head));
  if (with_body && client_) {
    bytes_out_ += answer.body.size();
    client->on_response_data(answer.body);
  }
  if (client_) client->on_response_end();
  finish();
}

void Request::fail(Cause cause) {
  const Refusal refusal = refusal_of(cause);
  const std::optional<unsigned> grpc_status = grpc_status_of(cause);
  if (!head_sent_) return deny(refusal, grpc_status);
  note(refusal);
  if (grpc_) {
    return end_grpc(grpc_status.value_or(answer::grpc_status(answer::reason_row(refusal.reason).status)),
                    refusal.detail);
  }
  const Ref<ClientStream> client = client_;
  finish();
  client->on_response_reset(cause);
}

// A gRPC client reads in the trailers how its call ended, so that one that was cut off says why. A message
// that was cut off is told by its own length.
void Request::end_grpc(unsigned grpc_status, std::string_view detail) {
  const Ref<ClientStream> client = client_;
  http::Fields trailers;
  answer::add_grpc_status(trailers, grpc_status, detail);
  grpc_status_ = grpc_status;
  finish();
  client->on_response_trailers(std::move(trailers));
  client->on_response_end();
}

// ---- from the client -----------------------------------------------------------------------------------

void Request::on_request_data(std::span<const char> bytes) {
  bytes_in_ += bytes.size();
  if (bytes_in_ > max_body_) return on_request_cancel(Cause::kRequestTooLarge);
  if (watches_frames()) return pass_to_backend(bytes);
  if (backend_) backend_->on_request_data(bytes);
}

void Request::on_request_trailers(http::Fields trailers) {
  rules_->headers.strip_trailers(trailers);
  if (backend_) backend_->on_request_trailers(std::move(trailers));
}

void Request::on_request_end() {
  body_ended_ = true;
  if (backend_) backend_->on_request_end();
}

void Request::on_request_cancel(Cause cause) {
  if (!client_) return;
  const Ref<Request> self(this);
  if (const Ref<BackendStream> backend = std::exchange(backend_, nullptr); backend) {
    backend->on_request_cancel(cause);
  }
  if (cause == Cause::kClientGone) {
    if (!head_sent_) status_ = kClientClosedRequest;
    return finish();
  }
  fail(cause);
}

void Request::grant_response(std::size_t bytes) {
  if (backend_) backend_->grant_response(bytes);
}

// ---- from the backend ----------------------------------------------------------------------------------

void Request::on_response_interim(http::ResponseHead head) {
  if (!client_) return;
  http::remove_hop_by_hop(head.fields);
  client_->on_response_interim(std::move(head));
}

void Request::on_response_head(http::ResponseHead head) {
  if (!client_) return;
  // A backend that closes its own connection says nothing about the client's.
  head.close = false;
  http::remove_hop_by_hop(head.fields);
  status_ = head.status;
  // An answer without a message has all in its head.
  if (grpc_) grpc_status_ = answer::read_grpc_status(head.fields);
  if (forwarded_) upstream_ms_ = milliseconds_between(*forwarded_, flow_.ports().now());
  offer_nonce(head.fields);
  if (cors_ != nullptr) policy::set_cors(*cors_, cors_origin_, head.fields);
  head_sent_ = true;
  watch_expiry(head);
  client_->on_response_head(std::move(head));
}

// The next one, once the one used is past half its life. Where the route reports only, a client that speaks
// DPoP learns its first one here, since no 401 tells it.
void Request::offer_nonce(http::Fields& response) {
  const bool due = evidence_.freshness.nonce && evidence_.freshness.nonce->past_half_life;
  const bool missed = reported_ && tried_ == policy::AuthScheme::dpop && !evidence_.freshness.nonce &&
                      rules_->links[route()->index].nonce_required;
  if (due || missed) answer::offer_nonce(response, rules_->nonces->issue(flow_.ports().now().wall));
}

void Request::on_response_data(std::span<const char> bytes) {
  if (!client_) return;
  if (watches_frames()) return pass_to_client(bytes);
  bytes_out_ += bytes.size();
  client_->on_response_data(bytes);
}

void Request::on_response_trailers(http::Fields trailers) {
  if (!client_) return;
  http::remove_forbidden_trailers(trailers);
  if (grpc_) grpc_status_ = answer::read_grpc_status(trailers);
  client_->on_response_trailers(std::move(trailers));
}

void Request::on_response_end() {
  if (!client_) return;
  const Ref<Request> self(this);
  const Ref<ClientStream> client = client_;
  client->on_response_end();
  // A body that is still on its way is nobody's any more: the backend has said all it will say.
  finish();
}

void Request::on_response_reset(Cause cause) {
  if (!client_) return;
  const Ref<Request> self(this);
  if (client_was_told()) return on_response_end();  // a backend that hangs up on our Close
  fail(cause);
}

void Request::grant_request(std::size_t bytes) {
  if (client_) client_->grant_request(bytes);
}

// ---- the end -------------------------------------------------------------------------------------------

void Request::finish() {
  if (!client_) return;
  client_.reset();
  stop_watching();
  // What was chosen to serve it lives as long as the backend's exchange.
  const Ref<BackendStream> backend = std::exchange(backend_, nullptr);
  const token::AccessToken* const token = evidence_.token.get();
  AccessRecord record;
  record.time = began_.wall;
  record.request_id = ids_.request_id;
  record.trace_id = ids_.trace_id;
  record.client_ip = client_ip_;
  record.listener = rules_->listeners[connection_.listener].name;
  if (route() != nullptr) record.route = route()->name;
  record.method = method_;
  if (origin_) record.host = origin_->origin().authority();
  record.path = path_;
  record.status = status_;
  record.duration_ms = milliseconds_between(began_, flow_.ports().now());
  if (forwarded_) record.upstream = route()->upstream;
  record.upstream_server = server_;
  record.upstream_ms = upstream_ms_;
  record.bytes_in = bytes_in_;
  record.bytes_out = bytes_out_;
  record.decision = reported_ ? "report" : forwarded_ || told_ ? "allow" : "deny";
  record.reason = reported_ ? reported_ : reason_;
  if (token != nullptr) {
    if (token->sub) record.sub = *token->sub;
    if (token->client_id) record.client_id = *token->client_id;
    if (token->kid) record.kid = *token->kid;
  }
  record.scheme = scheme_word(tried_);
  if (evidence_.proof) {
    record.jkt = evidence_.proof->header->jkt;
    record.proof_alg = jose::algorithm_name(evidence_.proof->header->alg);
    record.iat_offset_s = std::chrono::duration<double>(evidence_.proof->iat - began_.wall).count();
  }
  record.grpc_status = grpc_status_;
  const Grounds grounds{.subject = subject_,
                        .evidence = evidence_,
                        .listener = connection_.listener,
                        .body = announced_,
                        .detail = detail_,
                        .tried = tried_,
                        .asked = asked_,
                        .answered = answered_,
                        .admitted = admitted_ && !reported_,
                        .forwarded = forwarded_.has_value()};
  record.grounds = &grounds;
  flow_.ports().log.record(record);
}

}  // namespace holdfast::pipeline
