// Verifying one request in the order of verification.md: cheap and public checks first, then the token, the
// binding, policy, the proof's signature, and the replay claim last. Where the token's issuer is asked about
// it, the proof's signature comes before the question, and the rest of the judgement after the answer. The
// steps stand apart because fetching (keys, answers, replay) lies between them; each step decides and fetches
// nothing. Facts are cached here, verdicts never. One worker's; not thread-safe.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/reason.h"
#include "base/time.h"
#include "crypto/certificate.h"
#include "crypto/digest.h"
#include "dpop/check.h"
#include "dpop/proof.h"
#include "pipeline/admission.h"
#include "pipeline/fact_cache.h"
#include "pipeline/ports.h"
#include "pipeline/rules.h"
#include "policy/credentials.h"
#include "policy/route.h"
#include "token/access_token.h"
#include "token/parsed_token.h"

namespace holdfast::pipeline {

// What is verified against: the request as routed. Views and pointers outlive the verification.
struct Subject {
  const Rules* rules = nullptr;
  const policy::Route* route = nullptr;
  std::string_view method;
  std::string normal_uri;                                           // origin and normal path, without query
  const crypto::CertificateIdentity* client_certificate = nullptr;  // nullptr: the client showed none
};

// What the steps have learned of one request so far.
struct Evidence {
  std::optional<dpop::Proof> proof;  // with the DPoP scheme, and then always
  dpop::Freshness freshness;
  crypto::Digest256 token_digest{};
  std::string_view credential;                      // the token as sent
  std::size_t issuer = 0;                           // number of the issuer that the token names
  bool opaque = false;                              // it names none: it is for the one that introspects
  std::optional<token::ParsedToken> parsed;         // until it has verified
  std::shared_ptr<const token::AccessToken> token;  // once it verified, or its issuer has said what it is
  std::uint64_t generation = 0;                     // of the issuer's keys that `token` verified under

  [[nodiscard]] bool is_bearer() const { return !proof; }
  // The proof key's thumbprint; empty with Bearer.
  [[nodiscard]] std::string_view jkt() const { return proof ? std::string_view(proof->header->jkt) : ""; }
  [[nodiscard]] const RouteLinks& links(const Subject& subject) const {
    return subject.rules->links[subject.route->index];
  }
};

// A token that verified, with what it verified under: it dies with its key (verification.md, 23).
struct TokenFact {
  std::shared_ptr<const token::AccessToken> token;
  std::size_t issuer = 0;
  std::uint64_t generation = 0;
  // The rules it verified under; compared, never followed. A request that began before a reload may settle
  // its token after it, and what it establishes says nothing to the requests that began since.
  const Rules* rules = nullptr;
};

class Verifier {
 public:
  // How many facts are remembered, and how many bytes all those of tokens may take.
  struct Room {
    std::size_t tokens;
    std::size_t token_bytes;
    std::size_t headers;
  };
  explicit Verifier(const Room& room);

  // Rules 1-10, 13, 11, 12 on the proof, where the scheme is DPoP, then the token's form. What `credentials`
  // views outlives `evidence`, which holds what was learned, also of a request that is refused.
  [[nodiscard]] Checked<void> examine(const Subject& subject, const policy::Credentials& credentials,
                                      Evidence& evidence, UnixTime now);
  // Rule 17 and 19 with the issuer's keys; nullptr: there are none. token_key_unknown: a refetch may help,
  // and settle_token may be called again with other keys.
  [[nodiscard]] Checked<void> settle_token(const Subject& subject, Evidence& evidence,
                                           const IssuerKeys* keys);
  // Whether the token's issuer is asked about it.
  [[nodiscard]] static bool is_introspected(const Subject& subject, const Evidence& evidence);
  // What may be said before that: of a JWT its times, its audience if it has one, and the holder that it
  // names.
  [[nodiscard]] static Checked<void> judge_unasked(const Subject& subject, const Evidence& evidence,
                                                   UnixTime now);
  // Rule 22. The question is about the evidence, and a view of it.
  [[nodiscard]] static IntrospectionQuestion question(const Subject& subject, const Evidence& evidence);
  // With a proof: rule 18 and 23 for now, the binding 14, the route's demands.
  [[nodiscard]] static Checked<void> judge(const Subject& subject, const Evidence& evidence, UnixTime now);
  // Without: the same with rule 3 for the binding. Nothing else is left to check then.
  [[nodiscard]] static Checked<Admission> admit_bearer(const Subject& subject, const Evidence& evidence,
                                                       UnixTime now);
  // Rule 15.
  [[nodiscard]] static Checked<void> verify_proof(const Evidence& evidence);
  // The proof's header, for the next request of this client: of those whose token is good, and nobody else's.
  void remember_proof(const Evidence& evidence);
  // A proof whose time ended while keys or an answer were waited for: what remembers its first copy may be
  // gone.
  [[nodiscard]] static Checked<void> check_still_fresh(const Subject& subject, const Evidence& evidence,
                                                       UnixTime now);
  // Rule 16: what is to be claimed, and what the store's result means.
  [[nodiscard]] static ReplayClaim replay_claim(const Subject& subject, const Evidence& evidence,
                                                UnixTime now);
  [[nodiscard]] static Checked<Admission> admit(const Evidence& evidence, ReplayResult result);
  // For a route that asks for no proof.
  [[nodiscard]] static Admission admit_anonymous() { return Admission(Admission::Kind::kAnonymous); }
  // For a request that was refused, on a route that reports only; nothing on any other, so that no mistake in
  // the flow lets anybody in there.
  [[nodiscard]] static std::optional<Admission> admit_unenforced(const policy::Route& route);

  // Tokens verified under other rules count no more.
  void forget_tokens() { tokens_.clear(); }

 private:
  [[nodiscard]] Checked<void> examine_proof(const Subject& subject, std::string_view compact,
                                            Evidence& evidence, UnixTime now);

  class HeaderCache final : public dpop::KnownHeaders {
   public:
    explicit HeaderCache(std::size_t capacity) : facts_(capacity) {}
    [[nodiscard]] std::shared_ptr<const dpop::ProofHeader> find(std::string_view segment) const override {
      return facts_.find(segment);
    }
    void insert(std::string_view segment, std::shared_ptr<const dpop::ProofHeader> header) {
      facts_.insert(segment, std::move(header));
    }

   private:
    mutable FactCache<dpop::ProofHeader> facts_;
  };

  FactCache<TokenFact> tokens_;
  HeaderCache headers_;
};

}  // namespace holdfast::pipeline
