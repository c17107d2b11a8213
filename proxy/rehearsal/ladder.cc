#include "rehearsal/ladder.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "answer/answer.h"
#include "answer/reason_table.h"
#include "settings/words.h"

namespace holdfast::rehearsal {
namespace {

constexpr auto kNames = std::to_array<std::string_view>({"request",
                                                         "route",
                                                         "body",
                                                         "origin",
                                                         "credentials",
                                                         "proof",
                                                         "htm",
                                                         "htu",
                                                         "nonce",
                                                         "iat",
                                                         "ath",
                                                         "token",
                                                         "iss",
                                                         "key",
                                                         "signature",
                                                         "claims",
                                                         "active",
                                                         "aud",
                                                         "exp",
                                                         "binding",
                                                         "scopes",
                                                         "roles",
                                                         "required claims",
                                                         "login",
                                                         "queue",
                                                         "proof signature",
                                                         "replay",
                                                         "exchange"});

// For terminals: what came from outside holds nothing but printable ASCII.
std::string plain(std::string_view text) {
  return answer::reduce_detail(text);
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

std::string listed(std::string_view words) {
  return '[' + plain(words) + ']';
}

std::string seconds(UnixTime time) {
  return std::to_string(std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count());
}

std::string demanded_roles(const settings::Require& require) {
  std::string out;
  if (!require.roles_all.empty()) out = "all of " + listed(joined(require.roles_all));
  if (!require.roles_any.empty())
    out += (out.empty() ? "" : " and ") + ("any of " + listed(joined(require.roles_any)));
  return out;
}

// What a check that passed has compared. Claims of the token come from here only after the story has verified
// it: no check behind its signature is ever said to have passed before.
class Words {
 public:
  explicit Words(const Judged& judged) : judged_(judged), account_(judged.account) {}

  [[nodiscard]] std::string of(Check check) const {
    if (check == Check::kRequest) return plain(account_.method + ' ' + account_.path);
    if (check == Check::kRoute) return route();
    if (check == Check::kBody) return body();
    if (check == Check::kOrigin)
      return plain(account_.host) + " is served by listener " + judged_.listener().name;
    if (check == Check::kCredentials)
      return account_.bearer ? "one token, sent as Bearer" : "one token, sent as DPoP, and one proof";
    if (check >= Check::kProof && check <= Check::kAth) return of_proof(check);
    if (check == Check::kProofSignature) return "verifies under the proof's jwk";
    if (check == Check::kReplay) {
      return judged_.rehearsed ? "a running proxy remembers the proofs that it has seen; here each is new"
                               : "the proof was new";
    }
    return of_token(check);
  }

 private:
  [[nodiscard]] std::string route() const {
    const settings::Route* const route = judged_.route();
    if (route == nullptr) return {};
    static constexpr std::array kAccess{"dpop", "dpop_or_bearer", "public", "deny"};
    return route->name + " (routes[" + std::to_string(*account_.route) + "]), access " +
           kAccess[static_cast<std::size_t>(route->access)];
  }
  [[nodiscard]] std::string body() const {
    if (account_.body.kind == http::BodyLength::Kind::kNone) return {};
    const std::string announced = account_.body.kind == http::BodyLength::Kind::kKnown
                                      ? std::to_string(account_.body.bytes) + " bytes"
                                      : "of a length that is not announced";
    return announced + ", at most " + settings::size_words(judged_.max_body()) + " (" +
           judged_.max_body_key() + ')';
  }
  [[nodiscard]] std::string of_proof(Check check) const {
    if (!account_.proof) return {};
    const pipeline::Account::Proof& proof = *account_.proof;
    switch (check) {
      case Check::kProof:
        return "dpop+jwt, " + std::string(jose::algorithm_name(proof.alg)) + ", by key " + proof.jkt;
      case Check::kHtm:
        return plain("proof names " + account_.method + ", request is " + account_.method);
      case Check::kHtu:
        return plain("proof names " + proof.names + ", and so does the request");
      case Check::kNonce:
        return "one of this server's, and not too old";
      case Check::kIat:
        return "proof is of " + seconds(proof.iat) + ", the time here is " + seconds(account_.time);
      default:
        return "proof names the SHA-256 of this token";
    }
  }
  [[nodiscard]] std::string of_token(Check check) const {
    const settings::Issuer* const issuer = judged_.issuer();
    const std::string name = issuer != nullptr ? issuer->name : std::string();
    const std::string alg = account_.token ? std::string(jose::algorithm_name(account_.token->alg)) : "";
    if (check == Check::kToken) return "a JWT, " + alg;
    if (check == Check::kIss)
      return "token is from " + (issuer != nullptr ? issuer->url : std::string()) + ", which is issuer " +
             name;
    if (check == Check::kKey) {
      const bool named = account_.token && !account_.token->kid.empty();
      return plain("issuer " + name + " has the key " + (named ? account_.token->kid : "for " + alg));
    }
    if (check == Check::kTokenSignature) return "verifies under that key";
    if (check == Check::kActive) return "issuer " + name + " says that it is";
    if (!account_.claims || judged_.route() == nullptr) return {};
    return of_claims(check, *account_.claims, judged_.route()->require);
  }
  [[nodiscard]] std::string of_claims(Check check, const pipeline::Account::Claims& claims,
                                      const settings::Require& require) const {
    switch (check) {
      case Check::kTokenClaims:
        return "all there, of the right types";
      case Check::kAud:
        return "token is for " + listed(claims.aud) + ", accepted: " + accepted();
      case Check::kExp:
        return "token ends at " + seconds(claims.exp) + ", the time here is " + seconds(account_.time);
      case Check::kBinding:
        return binding(claims);
      case Check::kScopes:
        return "token has " + listed(claims.scopes) + ", route requires " + listed(joined(require.scopes));
      case Check::kRoles:
        return "token has " + listed(claims.roles) + ", route requires " + demanded_roles(require);
      case Check::kLogin:
        return "token says acr " + (claims.acr.empty() ? "none" : plain(claims.acr)) + " and auth_time " +
               (claims.auth_time ? seconds(*claims.auth_time) : "none") + ", as the route requires";
      default:
        return "as the route requires";
    }
  }
  [[nodiscard]] std::string binding(const pipeline::Account::Claims& claims) const {
    const std::string shown = account_.certificate.empty() ? "none" : account_.certificate;
    if (account_.reason == Reason::certificate_mismatch)
      return plain("token is bound to client certificate " + claims.certificate + ", this connection has " +
                   shown);
    std::string words = claims.names_key && account_.proof ? "token and proof are of one key" : "";
    if (!claims.certificate.empty())
      words += (words.empty() ? "" : "; ") + plain("token and connection are of client certificate " + shown);
    return words.empty() ? "token is bound to no key" : words;
  }
  [[nodiscard]] std::string accepted() const {
    const settings::Issuer* const issuer = judged_.issuer();
    if (issuer == nullptr) return {};
    return issuer->any_audience ? "any" : listed(joined(issuer->audiences));
  }

  const Judged& judged_;
  const pipeline::Account& account_;
};

std::vector<Check> checks_of(const Judged& judged) {
  std::vector<Check> checks{Check::kRequest, Check::kRoute};
  const pipeline::Account& account = judged.account;
  const settings::Route* const route = judged.route();
  // A resource's metadata is no route's; a preflight is one's, and is held against nothing else.
  const bool limited = route != nullptr && account.body.kind != http::BodyLength::Kind::kNone &&
                       judged.max_body() != settings::kUnlimited;
  if (limited) checks.push_back(Check::kBody);
  const bool answered = account.decision == pipeline::Decision::kAllow && !account.forwarded;
  if (answered && route == nullptr) return {Check::kRequest};
  if (answered || (route != nullptr && route->access == settings::Access::kPublic)) return checks;
  const bool bearer = account.bearer && account.reason != Reason::bearer_refused;
  const auto add = [&checks](std::initializer_list<Check> more) { checks.insert(checks.end(), more); };
  add({Check::kOrigin, Check::kCredentials});
  if (!bearer) {
    add({Check::kProof, Check::kHtm, Check::kHtu});
    if (route == nullptr || route->nonce == settings::NonceMode::kRequired) add({Check::kNonce});
    add({Check::kIat, Check::kAth});
  }
  if (!account.opaque)
    add({Check::kToken, Check::kIss, Check::kKey, Check::kTokenSignature, Check::kTokenClaims});
  // Whoever has not proven its key is not asked for; what the token says itself comes before, if it counts.
  const settings::Issuer* const issuer = judged.issuer();
  const bool asked_first = account.opaque || account.asked;
  const bool asked_later =
      !asked_first && issuer != nullptr && issuer->introspection.mode == settings::IntrospectionMode::kAlways;
  if (asked_first && !bearer) add({Check::kProofSignature});
  if (asked_first) add({Check::kActive});
  add({Check::kAud, Check::kExp, Check::kBinding});
  if (asked_later && !bearer) add({Check::kProofSignature});
  if (asked_later) add({Check::kActive});
  if (route == nullptr || !route->require.scopes.empty()) add({Check::kScopes});
  if (route == nullptr || !route->require.roles_any.empty() || !route->require.roles_all.empty())
    add({Check::kRoles});
  if (route == nullptr || !route->require.claims.empty()) add({Check::kClaims});
  if (route == nullptr || !route->require.acr.empty() || route->require.max_auth_age) add({Check::kLogin});
  if (!bearer && !asked_first && !asked_later) add({Check::kProofSignature});
  if (!bearer) add({Check::kReplay});
  return checks;
}

std::uint16_t status_of(const Judged& judged) {
  // A route that reports only gave no answer of its own.
  if (judged.account.decision != pipeline::Decision::kReport) return judged.account.status;
  if (judged.account.reason == Reason::key_mismatch)
    return static_cast<std::uint16_t>(judged.settings.dpop.key_mismatch_status);
  return answer::reason_row(*judged.account.reason).status;
}

std::string verdict_of(const Judged& judged) {
  const pipeline::Account& account = judged.account;
  const settings::Route* const route = judged.route();
  const std::string status = std::to_string(status_of(judged));
  const std::string refusal = account.reason ? status + ' ' + std::string(reason_name(*account.reason)) : "";
  std::string words = "denied: " + refusal;
  if (account.forwarded) {
    words = std::string("allowed: ") + (judged.rehearsed ? "goes" : "went") + " to upstream " +
            judged.settings.upstreams[*route->upstream].name;
    if (!refusal.empty()) words += (account.admitted ? ", and ended with " : " unenforced, else ") + refusal;
  } else if (account.decision == pipeline::Decision::kAllow) {
    words = "answered: " + status + " by Holdfast itself";
  }
  words += " (listener " + judged.listener().name;
  if (route != nullptr) words += ", route " + route->name;
  return words + ')';
}

}  // namespace

std::string_view check_name(Check check) {
  return kNames[static_cast<std::size_t>(check)];
}

const settings::Route* Judged::route() const {
  return account.route ? &settings.routes[*account.route] : nullptr;
}

std::uint64_t Judged::max_body() const {
  return route()->limits.max_body.value_or(listener().limits.max_body);
}

std::string Judged::max_body_key() const {
  const bool own = route()->limits.max_body.has_value();
  return (own ? "routes[" + std::to_string(*account.route)
              : "listeners[" + std::to_string(account.listener)) +
         "].limits.max_body";
}

const settings::Issuer* Judged::issuer() const {
  return account.issuer ? &settings.issuers[*account.issuer] : nullptr;
}

std::vector<cli::Rung> ladder_of(const Judged& judged) {
  using State = cli::Rung::State;
  std::vector<Check> checks = checks_of(judged);
  std::optional<Check> failed;
  if (judged.account.reason) failed = failed_check(judged);
  if (failed && std::ranges::find(checks, *failed) == checks.end()) {
    // not asked for by the route as far as it is known here: behind what comes before it
    // (and the queue is looked at once more when the issuer has answered)
    const Check last = failed == Check::kQueue && judged.account.answered ? Check::kProofSignature : *failed;
    const auto before = std::ranges::find_if(checks, [&](Check each) { return each > last; });
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
      const bool both = check == Check::kBody || check == Check::kAud || check == Check::kScopes ||
                        check == Check::kRoles || judged.account.reason == Reason::certificate_mismatch;
      if (both) rung.words = words.of(check);
      if (rung.words.empty()) rung.words = judged.account.detail;
      rung.mend = mend_of(judged);
      reached = false;
    } else if (reached) {
      const bool left_out = check == Check::kReplay && judged.rehearsed;
      rung.state = left_out ? State::kNotEvaluated : State::kPassed;
      rung.words = words.of(check);
    }
  }
  return rungs;
}

cli::Explanation told(const Judged& judged) {
  return {.allowed = judged.account.decision != pipeline::Decision::kDeny,
          .verdict = verdict_of(judged),
          .rungs = ladder_of(judged)};
}

}  // namespace holdfast::rehearsal
