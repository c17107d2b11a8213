// The story of a request on one screen: run() and what it calls, in this order. Fetching and deciding
// alternate and never mix; each decision is a pure function of a room above.
#include "pipeline/request_flow.h"

#include <algorithm>
#include <cstring>

#include "crypto/random.h"
#include "http/hop_by_hop.h"
#include "http/websocket.h"
#include "identity/identity_fields.h"
#include "pipeline/request.h"

namespace holdfast::pipeline {
namespace {

// Facts that one worker remembers. A token takes 3 to 4 KiB as a rule, a header about 1 KiB.
constexpr Verifier::Room kRoom{.tokens = 8192, .token_bytes = 32 * 1024 * 1024, .headers = 8192};
constexpr std::size_t kAssertions = 8192;  // about 1 KiB each

}  // namespace

// ---- the story

void Request::run() {
  if (answer::is_forbidden_method(head_.method)) return refuse_method();
  if (is_overloaded()) return refuse_overloaded();
  if (http::is_websocket(head_)) {
    if (auto sound = http::check_websocket(head_); !sound) return deny(sound.error());
  }
  if (auto located = locate(); !located) return deny(located.error());
  if (auto said = answer_here(); said) {
    told_ = true;
    return answer(*std::move(said));
  }
  if (auto chosen = choose_route(); !chosen) return deny(chosen.error());
  if (auto fits = check_length(); !fits) return deny(fits.error());
  if (!policy::is_protected(route()->access)) return forward(Verifier::admit_anonymous());
  if (auto known = check_origin(); !known) return decide_against(known.error());
  if (auto gathered = gather(); !gathered) return decide_against(gathered.error());
  evidence_.opaque ? introspect() : with_keys();
}

void Request::refuse_method() {
  answer::Answer answer = answer::make_method_not_allowed(ids_.request_id);
  note({Reason::request_malformed, answer.detail});
  refuse(std::move(answer));
}

bool Request::is_overloaded() const {
  const std::atomic<bool>* const overloaded = flow_.ports().overloaded;
  return overloaded != nullptr && overloaded->load(std::memory_order_relaxed);
}

// Before anything else, since all else costs memory; but a page has to be told, too, that it should wait.
void Request::refuse_overloaded() {
  if (rules_->has_cors && locate()) {
    if (const auto matched = match(head_.method)) use_cors(rules_->links[(*matched)->index].cors.get());
  }
  deny({Reason::overloaded, "this server has too much to do: send the request again later"});
}

// Which origin and path the request means.
Checked<void> Request::locate() {
  if (!origin_) return std::unexpected(origin_.error());
  if (head_.target == "*") {
    // OPTIONS on the server as a whole (RFC 9110 9.3.7): sound, but no route could say who may ask a backend
    // that.
    return holdfast::refuse(Reason::no_route, "OPTIONS * names no resource, and routes take resources");
  }
  auto target = http::normalize_target(head_.target, head_.fields.arena());
  if (!target) return std::unexpected(std::move(target.error()));
  target_ = *target;
  return {};
}

// What needs no route: whoever asks where to get a token has none, and a preflight never has.
std::optional<answer::Answer> Request::answer_here() {
  if (const auto* const resource = asks_about(head_.method); resource != nullptr) {
    return answer::make_resource_metadata(rules_->answers, *resource, origin_->origin());
  }
  return preflight();
}

const answer::ProtectedResource* Request::asks_about(std::string_view method) const {
  if (!origin_->known() || (method != "GET" && method != "HEAD")) return nullptr;
  return resources().find(origin_->origin(), target_.path);
}

// A browser that asks for a page whether the page's request may be sent. It sends no credentials along, so it
// is answered before they are looked for, and for the route that would take the request itself.
std::optional<answer::Answer> Request::preflight() {
  static const policy::CorsRules kEverybody{.any_origin = true};
  const auto method = policy::preflight_method(head_);
  if (!method) return std::nullopt;
  const policy::CorsRules* cors = nullptr;
  if (asks_about(*method) != nullptr) {
    cors = &kEverybody;
  } else if (const auto matched = match(*method)) {
    cors = rules_->links[(*matched)->index].cors.get();
    if (cors != nullptr) subject_.route = *matched;
  }
  // Without rules it is a request like any other.
  if (cors == nullptr) return std::nullopt;
  answer::Answer permission{.status = 204};
  policy::answer_preflight(*cors, head_, *method, permission.fields);
  return permission;
}

Checked<const policy::Route*> Request::match(std::string_view method) const {
  return rules_->routes.match_sent(origin_->origin().host(), path_, target_.path, method);
}

void Request::use_cors(const policy::CorsRules* rules) {
  cors_ = rules;
  cors_origin_ = rules == nullptr ? std::string_view() : policy::allowed_origin(*rules, head_.fields);
}

// Which route takes it.
Checked<void> Request::choose_route() {
  auto matched = match(head_.method);
  if (!matched) return std::unexpected(std::move(matched.error()));
  subject_.route = *matched;
  use_cors(rules_->links[route()->index].cors.get());
  if (route()->access == policy::Access::deny) {
    return holdfast::refuse(Reason::route_denied, "this route is closed");
  }
  return {};
}

// A body's announced length, before anything is asked of it; what it turns out to be is counted as it comes.
Checked<void> Request::check_length() {
  if (http::is_websocket(head_)) return {};  // a tunnel's bytes are no body
  max_body_ =
      rules_->links[route()->index].max_body.value_or(rules_->listeners[connection_.listener].max_body);
  announced_ = head_.body;
  if (announced_.bytes <= max_body_) return {};
  return holdfast::refuse(Reason::request_too_large, "the body is larger than this route takes");
}

// A proof says something here only where it could not have been made for somebody else.
Checked<void> Request::check_origin() {
  if (!origin_->known()) return std::unexpected(policy::origin_unknown(origin_->origin()));
  return {};
}

// The evidence in the request, checked as far as no key is needed.
Checked<void> Request::gather() {
  tried_ = policy::tried_scheme(head_.fields);
  const auto credentials = policy::gather_credentials(head_.fields, route()->access);
  if (!credentials) return std::unexpected(credentials.error());
  subject_.method = head_.method;
  const std::string& origin = origin_->origin().text();
  subject_.normal_uri.reserve(origin.size() + target_.path.size());
  subject_.normal_uri.append(origin).append(target_.path);
  return flow_.verifier().examine(subject_, *credentials, evidence_, began_.wall);
}

// The token's signature, under keys that may have to be fetched first.
void Request::with_keys() {
  const auto settled =
      flow_.verifier().settle_token(subject_, evidence_, flow_.ports().keys.keys(issuer_number()));
  if (settled) return Verifier::is_introspected(subject_, evidence_) ? introspect() : with_token();
  if (settled.error().reason == Reason::token_key_unknown && !refetched_) return refetch_keys();
  decide_against(settled.error());
}

void Request::refetch_keys() {
  refetched_ = true;
  const IssuerKeys* const keys = flow_.ports().keys.keys(issuer_number());
  flow_.ports().keys.refetch(issuer_number(), keys == nullptr ? 0 : keys->generation,
                             [self = Ref<Request>(this)](bool) {
                               if (self->client_) self->with_keys();
                             });
}

// Its issuer says what an opaque token is, and whether any is still good. Only a token that passes as far as
// it speaks for itself is worth the question, and only from a client that has proven its key.
void Request::introspect() {
  const Now now = flow_.ports().now();
  if (auto judged = Verifier::judge_unasked(subject_, evidence_, now.wall); !judged) {
    return decide_against(judged.error());
  }
  if (flow_.ports().upstreams.is_overloaded(rules_->links[route()->index].upstream)) {
    return fail(Cause::kOverloaded);
  }
  if (!evidence_.is_bearer()) {
    if (auto verified = Verifier::verify_proof(evidence_); !verified) return decide_against(verified.error());
    proven_ = true;
  }
  asked_ = true;
  flow_.ports().introspector.introspect(Verifier::question(subject_, evidence_), now,
                                        [self = Ref<Request>(this)](const Introspected& said) {
                                          if (!self->client_) return;
                                          if (!said) return self->decide_against(said.error());
                                          self->answered_ = true;
                                          self->evidence_.token = *said;
                                          self->with_token();
                                        });
}

// Everything else about token and proof; the expensive signature after all that is cheap. A request that
// would not get through to the backend leaves its proof unused, so that the client may send it again.
void Request::with_token() {
  // Keys or an answer may have been waited for, and a token may have ended meanwhile.
  const UnixTime now = flow_.ports().now().wall;
  if (evidence_.is_bearer()) {
    const auto admission = Verifier::admit_bearer(subject_, evidence_, now);
    return admission ? forward(*admission) : decide_against(admission.error());
  }
  if (auto judged = Verifier::judge(subject_, evidence_, now); !judged) {
    return decide_against(judged.error());
  }
  if (flow_.ports().upstreams.is_overloaded(rules_->links[route()->index].upstream)) {
    return fail(Cause::kOverloaded);
  }
  if (!proven_) {
    if (auto verified = Verifier::verify_proof(evidence_); !verified) return decide_against(verified.error());
  }
  flow_.verifier().remember_proof(evidence_);
  claim_replay();
}

// Last, so that nobody burns another's jti or fills the store with what is refused anyway.
void Request::claim_replay() {
  const Now now = flow_.ports().now();
  if (auto fresh = Verifier::check_still_fresh(subject_, evidence_, now.wall); !fresh) {
    return decide_against(fresh.error());
  }
  flow_.ports().replay.claim(Verifier::replay_claim(subject_, evidence_, now.wall), now,
                             [self = Ref<Request>(this)](ReplayResult result) {
                               if (!self->client_) return;
                               const auto admission = Verifier::admit(self->evidence_, result);
                               if (!admission) return self->decide_against(admission.error());
                               self->forward(*admission);
                             });
}

// What the backend gets: no credentials, nothing that poses as ours, who is calling, and the path's one form.
// Where the route reports only, the credentials are still the backend's to look at.
void Request::forward(const Admission& admission) {
  admitted_ = true;
  if (head_.method == "OPTIONS" && is_meant_for_us()) return;
  const identity::HeaderPlan& plan = rules_->headers;
  plan.strip_request(head_.fields, {.protected_route = policy::is_protected(route()->access),
                                    .credentials_pass = policy::reports_only(*route()),
                                    .from_trusted_proxy = origin_->from_trusted_proxy()});
  identity::set_forwarding(head_.fields,
                           {.peer = connection_.client_ip,
                            .origin = &origin_->origin(),
                            .version_major = head_.version_major,
                            .version_minor = head_.version_minor},
                           ids_);
  if (admission.kind() != Admission::Kind::kUnenforced && connection_.client_certificate != nullptr) {
    identity::set_client_certificate(plan, head_.fields, connection_.client_certificate->subject);
  }
  if (admission.names_caller()) {
    identity::set_identity(plan, head_.fields, *evidence_.token, evidence_.jkt());
    if (auto signed_for = sign_identity(); !signed_for) return deny(signed_for.error());
  }
  const std::string_view path = policy::backend_path(*route(), target_.path);
  head_.target = target_.query.empty() ? path : head_.fields.arena().concat(path, target_.query);
  const RouteLinks& links = rules_->links[route()->index];
  client_->set_timeouts(links.timeouts);
  forwarded_ = flow_.ports().now();
  // The backend may answer, or fail, from inside open().
  const Ref<Request> self(this);
  Ref<BackendStream> backend =
      flow_.ports().upstreams.open(admission, links.upstream, links.timeouts, std::move(head_), self);
  if (!client_) return;
  backend_ = std::move(backend);
  if (body_ended_) backend_->on_request_end();
}

// RFC 9110 7.6.2: who asks may say how many proxies pass an OPTIONS on, and so ask each of them.
bool Request::is_meant_for_us() {
  const auto hops = http::max_forwards(head_.fields);
  if (!hops) return false;
  if (*hops != 0) {
    head_.fields.set("Max-Forwards", std::to_string(*hops - 1));
    return false;
  }
  told_ = true;
  refuse(answer::make_options_answer());
  return true;
}

// The same once more, signed, for backends that want to check for themselves.
Checked<void> Request::sign_identity() {
  if (rules_->assertions == nullptr) return {};
  const auto assertion = flow_.assertion_of(subject_, evidence_, began_.wall);
  if (!assertion) return std::unexpected(assertion.error());
  head_.fields.add(rules_->assertions->settings().header, (*assertion)->assertion);
  return {};
}

// What speaks against this caller. On a route that reports only it is told to the log, and the request passes
// with nothing said about who is calling; what is wrong with the request itself comes to deny() anywhere.
void Request::decide_against(const Refusal& refusal) {
  const auto admission = Verifier::admit_unenforced(*route());
  if (!admission) return deny(refusal);
  note(refusal);
  reported_ = refusal.reason;
  forward(*admission);
}

void Request::deny(const Refusal& refusal, std::optional<unsigned> grpc_status) {
  note(refusal);
  std::string nonce;
  if (route() != nullptr && rules_->links[route()->index].nonce_required) {
    nonce = rules_->nonces->issue(flow_.ports().now().wall);
  }
  std::string metadata;
  if (route() != nullptr && origin_->known())
    metadata = resources().url_of(route()->index, origin_->origin());
  refuse(answer::make_answer(rules_->answers, refusal,
                             {.request_id = ids_.request_id,
                              .route = route(),
                              .tried = tried_,
                              .nonce = nonce,
                              .resource_metadata = metadata}),
         grpc_status);
}

// What is told of a request that was reported stays what would have been its refusal.
void Request::note(const Refusal& refusal) {
  reason_ = refusal.reason;
  if (!reported_) detail_ = refusal.detail;
}

// ---- the flow

RequestFlow::RequestFlow(FlowPorts ports, std::shared_ptr<const Rules> rules)
    : ports_(ports), rules_(std::move(rules)), verifier_(kRoom), assertions_(kAssertions) {}

Ref<BackendStream> RequestFlow::start(http::RequestHead head, const ConnectionFacts& connection,
                                      Ref<ClientStream> client) {
  auto request = make_counted<Request>(*this, std::move(head), connection, std::move(client));
  request->run();
  return request;
}

void RequestFlow::close_tunnels() {
  // Each may end, and others with it, while it is told.
  std::vector<Ref<Request>> told;
  told.reserve(tunnels_.size());
  for (Request* const each : tunnels_) told.emplace_back(each);
  for (const Ref<Request>& each : told) each->close_tunnel(Cause::kDraining);
}

void RequestFlow::refuse(Refusal refusal, std::uint16_t status, http::RequestHead head,
                         const ConnectionFacts& connection, Ref<ClientStream> client) {
  make_counted<Request>(*this, std::move(head), connection, std::move(client))->run_refused(refusal, status);
}

void RequestFlow::replace_rules(std::shared_ptr<const Rules> rules) {
  rules_ = std::move(rules);
  verifier_.forget_tokens();
  assertions_.clear();
}

Checked<std::shared_ptr<const SignedIdentity>> RequestFlow::assertion_of(const Subject& subject,
                                                                         const Evidence& evidence,
                                                                         UnixTime now) {
  const Rules& rules = *subject.rules;
  const std::string& audience = evidence.links(subject).assertion_audience;
  std::string key(crypto::as_text(evidence.token_digest));
  key += audience;
  // A request that began before a reload signs for itself: what is remembered is the new rules'.
  const bool current = &rules == rules_.get();
  if (current) {
    auto known = assertions_.find(key);
    if (known != nullptr && now < known->renew_at && known->says(evidence.token)) return known;
  }
  const UnixTime not_after = evidence.token->exp + rules.issuers[evidence.issuer].clock_skew;
  auto made = rules.assertions->sign(*evidence.token, audience, evidence.jkt(), now, not_after);
  if (!made)
    return holdfast::refuse(Reason::overloaded, "the caller's identity could not be signed: " + made.error());
  auto identity = std::make_shared<const SignedIdentity>(
      SignedIdentity{*std::move(made), std::min(now + rules.assertions->settings().lifetime / 2, not_after),
                     evidence.token});
  if (current) assertions_.insert(key, identity);
  return identity;
}

identity::IdBytes RequestFlow::random_ids() {
  constexpr std::size_t kBatch = 64;
  identity::IdBytes drawn;
  if (random_pool_.size() < drawn.size()) random_pool_ = crypto::random_bytes(kBatch * drawn.size());
  std::memcpy(drawn.data(), random_pool_.data() + random_pool_.size() - drawn.size(), drawn.size());
  random_pool_.resize(random_pool_.size() - drawn.size());
  return drawn;
}

}  // namespace holdfast::pipeline
