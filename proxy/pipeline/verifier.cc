// The steps of a verification: see the header, and verification.md for the rules by number.
#include "pipeline/verifier.h"

#include <algorithm>

#include "base/base64url.h"
#include "dpop/replay_key.h"
#include "jose/jws.h"
#include "policy/requirements.h"
#include "token/verify.h"

namespace holdfast::pipeline {
namespace {

std::optional<std::size_t> issuer_named(const Subject& subject, const RouteLinks& links,
                                        std::string_view iss) {
  for (const std::size_t issuer : links.issuers) {
    if (subject.rules->issuers[issuer].issuer == iss) return issuer;
  }
  return std::nullopt;
}

// A route names at most one that is asked about tokens, so no token reaches another issuer.
std::optional<std::size_t> introspecting_issuer(const Subject& subject, const RouteLinks& links) {
  for (const std::size_t issuer : links.issuers) {
    if (subject.rules->issuers[issuer].introspection != token::Introspection::kOff) return issuer;
  }
  return std::nullopt;
}

void look_whether_opaque(const Subject& subject, Evidence& evidence) {
  const auto issuer = introspecting_issuer(subject, evidence.links(subject));
  if (!issuer || token::looks_like_jwt(evidence.credential)) return;
  evidence.issuer = *issuer;
  evidence.opaque = true;
}

bool satisfies_certificate(const token::AccessToken& token, const crypto::CertificateIdentity* certificate) {
  return token.cnf.x5t_s256 && certificate != nullptr &&
         crypto::constant_time_equal(*token.cnf.x5t_s256, certificate->thumbprint);
}

bool route_trusts(const RouteLinks& links, std::size_t issuer) {
  return std::ranges::find(links.issuers, issuer) != links.issuers.end();
}

// RFC 8705 3: whoever stole the token has not the certificate's key.
Checked<void> check_certificate(const token::AccessToken& token,
                                const crypto::CertificateIdentity* certificate) {
  if (!token.cnf.x5t_s256 || satisfies_certificate(token, certificate)) return {};
  return refuse(Reason::certificate_mismatch,
                certificate == nullptr
                    ? "the access token is bound to a client certificate, and this connection has none"
                    : "the access token is bound to another client certificate than this connection's");
}

// Rules 3, 14 and 19: whoever the token says holds it is the one who sent it.
Checked<void> check_holder(const Subject& subject, const Evidence& evidence,
                           const token::AccessToken& token) {
  if (evidence.is_bearer()) {
    return token::check_bearer(token, satisfies_certificate(token, subject.client_certificate));
  }
  if (auto bound = check_certificate(token, subject.client_certificate); !bound) return bound;
  return token.cnf.jkt ? dpop::check_binding(*evidence.proof, *token.cnf.jkt) : Checked<void>();
}

}  // namespace

Verifier::Verifier(const Room& room) : tokens_(room.tokens, room.token_bytes), headers_(room.headers) {}

Checked<void> Verifier::examine(const Subject& subject, const policy::Credentials& credentials,
                                Evidence& evidence, UnixTime now) {
  const RouteLinks& links = evidence.links(subject);
  evidence.credential = credentials.token;
  evidence.token_digest = crypto::sha256(credentials.token);
  if (credentials.scheme == policy::AuthScheme::dpop) {
    if (auto examined = examine_proof(subject, credentials.proof, evidence, now); !examined) {
      look_whether_opaque(subject, evidence);
      return examined;
    }
  }
  if (const auto fact = tokens_.find(crypto::as_text(evidence.token_digest));
      fact != nullptr && fact->rules == subject.rules && route_trusts(links, fact->issuer)) {
    evidence.token = fact->token;
    evidence.issuer = fact->issuer;
    evidence.generation = fact->generation;
    return {};
  }
  look_whether_opaque(subject, evidence);
  if (evidence.opaque) {
    if (credentials.token.size() <= jose::kMaxTokenSize) return {};
    return refuse(Reason::token_malformed,
                  "the token is larger than " + std::to_string(jose::kMaxTokenSize) + " bytes");
  }
  auto parsed = token::parse(credentials.token);
  if (!parsed) return std::unexpected(std::move(parsed.error()));
  evidence.parsed = std::move(*parsed);
  const auto issuer = issuer_named(subject, links, evidence.parsed->unverified_iss);
  if (!issuer) {
    return refuse(Reason::token_issuer, "iss of the access token is not an issuer that this route trusts");
  }
  evidence.issuer = *issuer;
  return {};
}

Checked<void> Verifier::examine_proof(const Subject& subject, std::string_view compact, Evidence& evidence,
                                      UnixTime now) {
  const ProofRules& rules = subject.rules->proof;
  auto proof = dpop::parse_proof(compact, &headers_, rules.algorithms);
  if (!proof) return std::unexpected(std::move(proof.error()));
  evidence.proof = std::move(*proof);
  const bool nonce_required = evidence.links(subject).nonce_required;
  auto freshness = dpop::check_claims(*evidence.proof,
                                      {.method = subject.method,
                                       .normal_uri = subject.normal_uri,
                                       .token_digest = evidence.token_digest,
                                       .window = rules.window,
                                       .nonces = nonce_required ? subject.rules->nonces.get() : nullptr},
                                      now);
  if (!freshness) return std::unexpected(std::move(freshness.error()));
  evidence.freshness = *freshness;
  return {};
}

Checked<void> Verifier::settle_token(const Subject& subject, Evidence& evidence, const IssuerKeys* keys) {
  if (keys == nullptr || keys->keys == nullptr) {
    return refuse(Reason::issuer_unavailable, "the keys of the token's issuer are not at hand");
  }
  const std::string_view digest = crypto::as_text(evidence.token_digest);
  if (evidence.token != nullptr && evidence.generation == keys->generation) return {};
  if (evidence.token != nullptr) {
    // The issuer's keys changed since this token was verified: it has to stand under the new ones.
    tokens_.erase(digest);
    evidence.token = nullptr;
  }
  if (!evidence.parsed) {
    auto parsed = token::parse(evidence.credential);
    if (!parsed) return std::unexpected(std::move(parsed.error()));
    evidence.parsed = std::move(*parsed);
  }
  const token::IssuerRules& rules = subject.rules->issuers[evidence.issuer];
  const auto candidates = token::choose_keys(*evidence.parsed, *keys->keys, rules);
  if (!candidates) return std::unexpected(candidates.error());
  auto verified = token::verify(std::move(*evidence.parsed), *candidates, rules);
  if (!verified) return std::unexpected(std::move(verified.error()));
  evidence.parsed.reset();
  evidence.token = std::move(*verified);
  evidence.generation = keys->generation;
  tokens_.insert(digest,
                 std::make_shared<const TokenFact>(
                     TokenFact{evidence.token, evidence.issuer, evidence.generation, subject.rules}),
                 token::footprint(*evidence.token));
  return {};
}

bool Verifier::is_introspected(const Subject& subject, const Evidence& evidence) {
  return evidence.opaque ||
         subject.rules->issuers[evidence.issuer].introspection == token::Introspection::kAlways;
}

Checked<void> Verifier::judge_unasked(const Subject& subject, const Evidence& evidence, UnixTime now) {
  if (evidence.opaque) return {};
  const token::AccessToken& token = *evidence.token;
  const token::IssuerRules& rules = subject.rules->issuers[evidence.issuer];
  if (auto judged = token::judge_times(token, rules, now); !judged) return judged;
  // Keycloak's lightweight tokens leave `aud` to the answer.
  if (!token.aud.empty()) {
    if (auto judged = token::judge_audience(token, rules); !judged) return judged;
  }
  return check_holder(subject, evidence, token);
}

IntrospectionQuestion Verifier::question(const Subject& subject, const Evidence& evidence) {
  return {.issuer = subject.rules->issuer_numbers[evidence.issuer],
          .token = evidence.credential,
          .digest = evidence.token_digest,
          .jwt = evidence.token};
}

Checked<void> Verifier::judge(const Subject& subject, const Evidence& evidence, UnixTime now) {
  const token::AccessToken& token = *evidence.token;
  const token::IssuerRules& issuer = subject.rules->issuers[evidence.issuer];
  if (auto judged = token::judge(token, issuer, now); !judged) return judged;
  if (!token.cnf.jkt) {
    return refuse(Reason::token_unbound, "the access token has no cnf.jkt: it is bound to no key");
  }
  if (auto bound = check_holder(subject, evidence, token); !bound) return bound;
  return policy::check_requirements(subject.route->require, token, now, issuer.clock_skew);
}

Checked<Admission> Verifier::admit_bearer(const Subject& subject, const Evidence& evidence, UnixTime now) {
  const token::AccessToken& token = *evidence.token;
  const token::IssuerRules& issuer = subject.rules->issuers[evidence.issuer];
  const auto refused = [](Checked<void>& checked) { return std::unexpected(std::move(checked.error())); };
  auto judged = token::judge(token, issuer, now);
  if (!judged) return refused(judged);
  auto unbound = check_holder(subject, evidence, token);
  if (!unbound) return refused(unbound);
  auto met = policy::check_requirements(subject.route->require, token, now, issuer.clock_skew);
  if (!met) return refused(met);
  return Admission(Admission::Kind::kBearer);
}

Checked<void> Verifier::verify_proof(const Evidence& evidence) {
  return dpop::verify_signature(*evidence.proof);
}

void Verifier::remember_proof(const Evidence& evidence) {
  const dpop::Proof& proof = *evidence.proof;
  if (!proof.header_known) headers_.insert(proof.header_segment, proof.header);
}

Checked<void> Verifier::check_still_fresh(const Subject& subject, const Evidence& evidence, UnixTime now) {
  const ProofRules& rules = subject.rules->proof;
  const auto& nonce = evidence.freshness.nonce;
  if (now <= dpop::last_acceptance(evidence.proof->iat, nonce, rules.window)) return {};
  return refuse(nonce ? Reason::nonce_stale : Reason::iat_too_old,
                "the proof's time ended while its token was being checked");
}

ReplayClaim Verifier::replay_claim(const Subject& subject, const Evidence& evidence, UnixTime now) {
  const dpop::Proof& proof = *evidence.proof;
  const ProofRules& rules = subject.rules->proof;
  ReplayClaim claim{};
  claim.id = dpop::replay_key(proof.header->jkt, subject.method, subject.normal_uri, proof.jti);
  claim.key = proof.header->thumbprint;
  claim.keep = dpop::replay_lifetime(proof.iat, evidence.freshness.nonce, rules.window, now);
  claim.issued = proof.iat;
  // With a nonce, iat may be anything, and who waits for it to come could pass off a proof from before this
  // store's birth as a new one: such a proof is as old as its nonce. One that was issued here is younger than
  // the store, whenever its slot began.
  if (const auto& nonce = evidence.freshness.nonce)
    claim.issued = nonce->issued_here ? now : nonce->issued_at;
  return claim;
}

Checked<Admission> Verifier::admit(const Evidence& evidence, ReplayResult result) {
  switch (result) {
    case ReplayResult::kFirst:
      return Admission(Admission::Kind::kVerified);
    case ReplayResult::kReplayed:
      return refuse(Reason::proof_replayed,
                    "this proof's jti was used before: every request needs a new proof");
    case ReplayResult::kBeforeBirth:
      // Its client gets a nonce of ours and tries once more by itself (RFC 9449 8).
      if (evidence.freshness.nonce) {
        return refuse(
            Reason::nonce_stale,
            "the proof's nonce is older than this server's memory of proofs: make one with the new nonce");
      }
      return refuse(
          Reason::iat_too_old,
          "the proof was made before this server started, so it may have been used: make a new one");
    case ReplayResult::kFull:
      return refuse(Reason::replay_store_full, "too many proofs are being remembered");
    case ReplayResult::kKeyQuota:
      return refuse(Reason::key_quota, "this key has used its share of the proofs that can be remembered");
    case ReplayResult::kUnavailable:
      break;
  }
  return refuse(Reason::replay_store_unavailable, "the replay store does not answer");
}

std::optional<Admission> Verifier::admit_unenforced(const policy::Route& route) {
  if (!policy::reports_only(route)) return std::nullopt;
  return Admission(Admission::Kind::kUnenforced);
}

}  // namespace holdfast::pipeline
