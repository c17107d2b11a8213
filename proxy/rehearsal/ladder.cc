#include "rehearsal/ladder.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "answer/answer.h"
#include "dpop/proof.h"
#include "http/target_uri.h"
#include "jose/json.h"
#include "token/claims.h"
#include "token/parsed_token.h"

namespace holdfast::rehearsal {
namespace {

constexpr auto kNames = std::to_array<std::string_view>({"request", "route",
                                                         "origin",  "credentials",
                                                         "proof",   "htm",
                                                         "htu",     "nonce",
                                                         "iat",     "ath",
                                                         "token",   "iss",
                                                         "key",     "signature",
                                                         "claims",  "active",
                                                         "aud",     "exp",
                                                         "binding", "scopes",
                                                         "roles",   "required claims",
                                                         "login",   "proof signature",
                                                         "replay"});

// For terminals: what came from outside holds nothing but printable ASCII.
std::string plain(std::string_view text) {
  return answer::reduce_detail(text);
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

std::string listed(const std::vector<std::string>& words) {
  return '[' + plain(joined(words)) + ']';
}

std::string seconds(UnixTime time) {
  return std::to_string(std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count());
}

Check check_of_token(Reason reason, const Judged& judged) {
  if (judged.asked && judged.facts == nullptr) return Check::kActive;
  if (!token::parse(judged.token)) return Check::kToken;
  return reason == Reason::token_algorithm ? Check::kKey : Check::kTokenClaims;
}

// One reason for what the proof lacks and for what its other times say.
Check check_of_claim(const Judged& judged) {
  const auto proof = dpop::parse_proof(judged.proof);
  if (!proof) return Check::kProof;
  return proof->ath ? Check::kIat : Check::kAth;
}

std::vector<std::string> roles_of(const token::AccessToken& token) {
  std::vector<std::string> roles = token.realm_roles;
  for (const auto& [client, role] : token.client_roles) roles.push_back(client + ':' + role);
  return roles;
}

std::string demanded_roles(const settings::Require& require) {
  std::string out;
  if (!require.roles_all.empty()) out = "all of " + listed(require.roles_all);
  if (!require.roles_any.empty())
    out += (out.empty() ? "" : " and ") + ("any of " + listed(require.roles_any));
  return out;
}

// What a check that passed has compared. Claims of the token come from here only after the story has verified
// it: no check behind its signature is ever said to have passed before.
class Words {
 public:
  explicit Words(const Judged& judged) : judged_(judged) {
    if (auto proof = dpop::parse_proof(judged.proof)) proof_ = *std::move(proof);
    if (auto parsed = token::parse(judged.token)) {
      alg_ = jose::algorithm_name(parsed->alg);
      kid_ = parsed->kid.value_or("");
      if (auto facts = token::read_claims(std::move(parsed->unverified_claims))) token_ = *std::move(facts);
    }
    if (judged.facts != nullptr) token_ = *judged.facts;
  }

  [[nodiscard]] std::string of(Check check) const {
    if (check == Check::kRequest) return plain(judged_.method + ' ' + judged_.target);
    if (check == Check::kRoute) return route();
    if (check == Check::kOrigin)
      return plain(judged_.verdict.host) + " is served by " + "listener " +
             judged_.settings.listeners[judged_.listener].name;
    if (check == Check::kCredentials) {
      return judged_.verdict.scheme == "bearer" ? "one token, sent as Bearer"
                                                : "one token, sent as DPoP, and one proof";
    }
    if (check >= Check::kProof && check <= Check::kAth) return of_proof(check);
    if (check == Check::kProofSignature) return "verifies under the proof's jwk";
    if (check == Check::kReplay)
      return "a running proxy remembers the proofs that it has seen; here each is new";
    return of_token(check);
  }

 private:
  [[nodiscard]] std::string route() const {
    const settings::Route* const route = judged_.route();
    if (route == nullptr) return {};
    static constexpr std::array kAccess{"dpop", "dpop_or_bearer", "public", "deny"};
    return route->name + " (routes[" + std::to_string(judged_.route_index()) + "]), access " +
           kAccess[static_cast<std::size_t>(route->access)];
  }
  [[nodiscard]] std::string of_proof(Check check) const {
    if (!proof_) return {};
    switch (check) {
      case Check::kProof:
        return "dpop+jwt, " + std::string(jose::algorithm_name(proof_->header->alg)) + ", by key " +
               proof_->header->jkt;
      case Check::kHtm:
        return plain("proof names " + proof_->htm + ", request is " + judged_.method);
      case Check::kHtu:
        return plain("proof names " + http::normalize_absolute_uri(proof_->htu).value_or("") +
                     ", and so does the request");
      case Check::kNonce:
        return "one of this server's, and not too old";
      case Check::kIat:
        return "proof is of " + seconds(proof_->iat) + ", the time here is " + seconds(judged_.now);
      default:
        return "proof names the SHA-256 of this token";
    }
  }
  [[nodiscard]] std::string of_token(Check check) const {
    const auto issuer = judged_.issuer();
    const std::string name = issuer ? judged_.settings.issuers[*issuer].name : std::string();
    if (check == Check::kToken) return plain("a JWT, " + alg_);
    if (check == Check::kIss)
      return "token is from " + (issuer ? judged_.settings.issuers[*issuer].url : std::string()) +
             ", which is issuer " + name;
    if (check == Check::kKey)
      return plain("issuer " + name + " has the key " + (kid_.empty() ? "for " + alg_ : kid_));
    if (check == Check::kTokenSignature) return "verifies under that key";
    if (check == Check::kActive) return "issuer " + name + " says that it is";
    const settings::Route* const route = judged_.route();
    if (!token_ || route == nullptr) return {};
    switch (check) {
      case Check::kTokenClaims:
        return "all there, of the right types";
      case Check::kAud:
        return "token is for " + listed(token_->aud) + ", accepted: " + accepted(issuer);
      case Check::kExp:
        return "token ends at " + seconds(token_->exp) + ", the time here is " + seconds(judged_.now);
      case Check::kBinding:
        return token_->cnf.jkt && proof_ ? "token and proof are of one key" : "token is bound to no key";
      case Check::kScopes:
        return "token has " + listed(token_->scopes) + ", route requires " + listed(route->require.scopes);
      case Check::kRoles:
        return "token has " + listed(roles_of(*token_)) + ", route requires " +
               demanded_roles(route->require);
      case Check::kLogin:
        return "token says acr " + plain(token_->acr.value_or("none")) + " and auth_time " +
               (token_->auth_time ? seconds(*token_->auth_time) : "none") + ", as the route requires";
      default:
        return "as the route requires";
    }
  }
  [[nodiscard]] std::string accepted(std::optional<std::size_t> issuer) const {
    if (!issuer) return {};
    const settings::Issuer& from = judged_.settings.issuers[*issuer];
    return from.any_audience ? "any" : listed(from.audiences);
  }

  const Judged& judged_;
  std::optional<dpop::Proof> proof_;
  std::optional<token::AccessToken> token_;
  std::string alg_;
  std::string kid_;
};

std::vector<Check> checks_of(const Judged& judged) {
  std::vector<Check> checks{Check::kRequest, Check::kRoute};
  const settings::Route* const route = judged.route();
  // A resource's metadata is no route's; a preflight is one's, and is held against nothing else.
  if (judged.verdict.answered && route == nullptr) return {Check::kRequest};
  if (judged.verdict.answered || (route != nullptr && route->access == settings::Access::kPublic))
    return checks;
  const bool bearer = judged.verdict.scheme == "bearer" && judged.verdict.reason != Reason::bearer_refused;
  const auto add = [&checks](std::initializer_list<Check> more) { checks.insert(checks.end(), more); };
  add({Check::kOrigin, Check::kCredentials});
  if (!bearer) {
    add({Check::kProof, Check::kHtm, Check::kHtu});
    if (route == nullptr || route->nonce == settings::NonceMode::kRequired) add({Check::kNonce});
    add({Check::kIat, Check::kAth});
  }
  if (judged.token.empty() || token::looks_like_jwt(judged.token) || !judged.issuer()) {
    add({Check::kToken, Check::kIss, Check::kKey, Check::kTokenSignature, Check::kTokenClaims});
  }
  // Whoever has not proven its key is not asked for; what the token says itself comes before, if it counts.
  const auto issuer = judged.issuer();
  const bool introspected = judged.asked || (issuer && judged.settings.issuers[*issuer].introspection.mode ==
                                                           settings::IntrospectionMode::kAlways);
  if (judged.asked) {
    if (!bearer) add({Check::kProofSignature});
    add({Check::kActive});
  }
  add({Check::kAud, Check::kExp, Check::kBinding});
  if (introspected && !judged.asked) {
    if (!bearer) add({Check::kProofSignature});
    add({Check::kActive});
  }
  if (route == nullptr || !route->require.scopes.empty()) add({Check::kScopes});
  if (route == nullptr || !route->require.roles_any.empty() || !route->require.roles_all.empty())
    add({Check::kRoles});
  if (route == nullptr || !route->require.claims.empty()) add({Check::kClaims});
  if (route == nullptr || !route->require.acr.empty() || route->require.max_auth_age) add({Check::kLogin});
  if (!bearer && !introspected) add({Check::kProofSignature});
  if (!bearer) add({Check::kReplay});
  return checks;
}

}  // namespace

std::string_view check_name(Check check) {
  return kNames[static_cast<std::size_t>(check)];
}

const settings::Route* Judged::route() const {
  const std::size_t index = route_index();
  return index < settings.routes.size() ? &settings.routes[index] : nullptr;
}

std::size_t Judged::route_index() const {
  if (verdict.route.empty()) return settings.routes.size();
  const auto at = std::ranges::find(settings.routes, verdict.route, &settings::Route::name);
  return static_cast<std::size_t>(at - settings.routes.begin());
}

std::optional<std::size_t> Judged::issuer() const {
  if (const auto parsed = token::parse(token)) {
    const auto at = std::ranges::find(settings.issuers, parsed->unverified_iss, &settings::Issuer::url);
    if (at == settings.issuers.end()) return std::nullopt;
    return static_cast<std::size_t>(at - settings.issuers.begin());
  }
  const settings::Route* const from = route();
  if (from == nullptr || token::looks_like_jwt(token)) return std::nullopt;
  const auto asks = [this](std::size_t each) {
    return settings.issuers[each].introspection.mode != settings::IntrospectionMode::kOff;
  };
  const auto at = std::ranges::find_if(from->issuers, asks);
  return at == from->issuers.end() ? std::nullopt : std::optional(*at);
}

Check failed_check(const Judged& judged) {
  const Reason reason = judged.verdict.reason.value();
  switch (reason) {
    case Reason::request_malformed:
    case Reason::request_too_large:
    case Reason::headers_too_large:
    case Reason::request_timeout:
      return Check::kRequest;
    case Reason::no_route:
    case Reason::route_denied:
      return Check::kRoute;
    case Reason::origin_unknown:
      return Check::kOrigin;
    case Reason::no_credentials:
    case Reason::authorization_malformed:
    case Reason::authorization_multiple:
    case Reason::bearer_refused:
    case Reason::proof_missing:
    case Reason::proof_multiple:
      return Check::kCredentials;
    case Reason::proof_malformed:
    case Reason::proof_type:
    case Reason::proof_algorithm:
    case Reason::proof_key:
    case Reason::proof_key_private:
    case Reason::proof_critical:
      return Check::kProof;
    case Reason::proof_claim:
      return check_of_claim(judged);
    case Reason::htm_mismatch:
      return Check::kHtm;
    case Reason::htu_mismatch:
      return Check::kHtu;
    case Reason::nonce_required:
    case Reason::nonce_stale:
    case Reason::nonce_invalid:
      return Check::kNonce;
    case Reason::iat_too_old:
    case Reason::iat_in_future:
      return Check::kIat;
    case Reason::ath_mismatch:
      return Check::kAth;
    case Reason::token_malformed:
    case Reason::token_type:
    case Reason::token_algorithm:
      return check_of_token(reason, judged);
    case Reason::token_issuer:
      return Check::kIss;
    case Reason::token_key_unknown:
    case Reason::issuer_unavailable:
      return Check::kKey;
    case Reason::token_signature:
      return Check::kTokenSignature;
    case Reason::token_inactive:
    case Reason::introspection_unavailable:
      return Check::kActive;
    case Reason::token_audience:
      return Check::kAud;
    case Reason::token_expired:
    case Reason::token_not_yet_valid:
      return Check::kExp;
    case Reason::token_unbound:
    case Reason::bearer_for_bound_token:
    case Reason::key_mismatch:
    case Reason::certificate_mismatch:
      return Check::kBinding;
    case Reason::scope_missing:
      return Check::kScopes;
    case Reason::role_missing:
      return Check::kRoles;
    case Reason::claim_mismatch:
      return Check::kClaims;
    case Reason::step_up_required:
      return Check::kLogin;
    case Reason::proof_signature:
      return Check::kProofSignature;
    case Reason::proof_replayed:
    case Reason::replay_store_unavailable:
    case Reason::replay_store_full:
    case Reason::key_quota:
    case Reason::upstream_unavailable:
    case Reason::upstream_timeout:
    case Reason::overloaded:
    case Reason::draining:
      break;
  }
  return Check::kReplay;
}

std::vector<cli::Rung> ladder_of(const Judged& judged) {
  using State = cli::Rung::State;
  std::vector<Check> checks = checks_of(judged);
  const bool forwarded = judged.verdict.forwarded;
  std::optional<Check> failed;
  if (!forwarded) failed = failed_check(judged);
  if (failed && std::ranges::find(checks, *failed) == checks.end()) {
    // not asked for by the route as far as it is known here: behind what comes before it
    const auto before = std::ranges::find_if(checks, [&](Check each) { return each > *failed; });
    checks.insert(before, *failed);
  }
  const Words words(judged);
  std::vector<cli::Rung> rungs;
  bool reached = true;
  for (const Check check : checks) {
    cli::Rung& rung = rungs.emplace_back();
    rung.name = check_name(check);
    if (check == failed) {
      rung.state = State::kFailed;
      // What a client is not told: what the configuration asks for, beside what the token has.
      const bool both = check == Check::kAud || check == Check::kScopes || check == Check::kRoles;
      if (both) rung.words = words.of(check);
      if (rung.words.empty()) rung.words = judged.verdict.detail;
      rung.mend = mend_of(judged);
      reached = false;
    } else if (reached) {
      rung.state = check == Check::kReplay ? State::kNotEvaluated : State::kPassed;
      rung.words = words.of(check);
    }
  }
  return rungs;
}

}  // namespace holdfast::rehearsal
