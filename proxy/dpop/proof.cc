// Reading a proof: see the header.
#include "dpop/proof.h"

#include <array>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <utility>

#include "base/base64url.h"
#include "jose/json.h"
#include "jose/jwk.h"
#include "jose/jws.h"

namespace holdfast::dpop {
namespace {

// Enough for the members of an ordinary proof, so that reading one allocates nothing but what it keeps.
using ScratchBuffer = std::array<unsigned char, 4096>;

Checked<std::string> decode_segment(std::string_view segment, std::string_view name) {
  auto text = base64url_decode(segment);
  if (!text) return refuse(Reason::proof_malformed, "the proof's " + std::string(name) + " is not base64url");
  return *std::move(text);
}

Checked<boost::json::object> parse_segment(std::string_view text, std::string_view name,
                                           boost::json::storage_ptr storage) {
  auto object = jose::parse_json_object(text, std::move(storage));
  if (!object) {
    return refuse(Reason::proof_malformed,
                  "the proof's " + std::string(name) + ": " + std::move(object).error());
  }
  return *std::move(object);
}

std::unexpected<Refusal> refuse_claim(std::string_view name, std::string_view flaw) {
  return refuse(Reason::proof_claim, std::string(name) + " " + std::string(flaw));
}

Checked<std::string> required_string(const boost::json::object& claims, std::string_view name) {
  const auto text = jose::string_member(claims, name);
  if (text) return std::string(*text);
  return refuse_claim(name, claims.contains(boost::json::string_view(name)) ? "is no string" : "is missing");
}

Checked<std::optional<UnixTime>> optional_time(const boost::json::object& claims, std::string_view name) {
  const boost::json::value* const value = claims.if_contains(boost::json::string_view(name));
  if (value == nullptr) return std::nullopt;
  const auto ms = jose::numeric_date_ms(*value);
  if (!ms) return refuse_claim(name, "is no number of seconds");
  return UnixTime(Millis(*ms));
}

Checked<void> read_claims(const boost::json::object& claims, Proof& proof) {
  auto jti = required_string(claims, "jti");
  if (!jti) return std::unexpected(std::move(jti).error());
  if (jti->empty()) return refuse_claim("jti", "is empty");
  if (jti->size() > kMaxJtiSize) return refuse_claim("jti", "is longer than 512 bytes");
  proof.jti = *std::move(jti);

  auto htm = required_string(claims, "htm");
  if (!htm) return std::unexpected(std::move(htm).error());
  proof.htm = *std::move(htm);

  auto htu = required_string(claims, "htu");
  if (!htu) return std::unexpected(std::move(htu).error());
  proof.htu = *std::move(htu);

  const auto iat = optional_time(claims, "iat");
  if (!iat) return std::unexpected(iat.error());
  if (!*iat) return refuse_claim("iat", "is missing");
  proof.iat = **iat;

  if (claims.contains("ath")) {
    auto ath = required_string(claims, "ath");
    if (!ath) return std::unexpected(std::move(ath).error());
    proof.ath = *std::move(ath);
  }
  // One that is no string is none: where no nonce is required the claim is ignored, whatever it is.
  if (const auto nonce = jose::string_member(claims, "nonce")) proof.nonce.emplace(*nonce);

  const auto exp = optional_time(claims, "exp");
  if (!exp) return std::unexpected(exp.error());
  proof.exp = *exp;
  const auto nbf = optional_time(claims, "nbf");
  if (!nbf) return std::unexpected(nbf.error());
  proof.nbf = *nbf;
  return {};
}

Checked<void> check_accepted(jose::Algorithm alg, jose::AlgorithmSet algorithms) {
  if (algorithms.contains(alg)) return {};
  return refuse(Reason::proof_algorithm,
                "the proof's alg " + std::string(jose::algorithm_name(alg)) + " is not accepted here");
}

// Rules 6 and 7.
Checked<std::shared_ptr<const ProofHeader>> read_header(const boost::json::object& header,
                                                        jose::AlgorithmSet algorithms) {
  const auto typ = jose::string_member(header, "typ");
  if (!typ) return refuse(Reason::proof_type, "the proof's typ is missing or no string, not dpop+jwt");
  if (*typ != "dpop+jwt")
    return refuse(Reason::proof_type, "the proof's typ is " + std::string(*typ) + ", not dpop+jwt");

  // RFC 7515 4.1.11: an extension marked critical that is not understood makes the JWS invalid, and we
  // understand none. `b64` (RFC 7797) changes what is signed and must not be overlooked even where `crit`
  // forgets it.
  for (const char* const name : {"crit", "b64"}) {
    if (header.contains(name)) {
      return refuse(Reason::proof_critical,
                    std::string("the proof's header has ") + name + ", and no extension is known here");
    }
  }

  const auto alg_name = jose::string_member(header, "alg");
  if (!alg_name) return refuse(Reason::proof_algorithm, "the proof's alg is missing or no string");
  const auto alg = jose::algorithm_named(*alg_name);
  if (!alg) {
    return refuse(Reason::proof_algorithm,
                  "the proof's alg " + std::string(*alg_name) + " is no asymmetric algorithm known here");
  }
  if (auto accepted = check_accepted(*alg, algorithms); !accepted)
    return std::unexpected(std::move(accepted).error());

  const boost::json::value* const jwk = header.if_contains("jwk");
  if (jwk == nullptr || !jwk->is_object())
    return refuse(Reason::proof_key, "the proof's jwk is missing or no object");
  auto key = jose::parse_public_jwk(jwk->get_object(), crypto::kProofRsaBounds);
  if (!key) {
    return refuse(key.error().is_private ? Reason::proof_key_private : Reason::proof_key,
                  "the proof's jwk: " + key.error().what);
  }
  // ES256 names P-256 (RFC 7518 3.4): under another curve it would be another algorithm than the one allowed.
  if (!crypto::fits(jose::row_of(*alg).signature, key->type())) {
    return refuse(Reason::proof_key, "the proof's jwk is no key for " + std::string(*alg_name));
  }
  const crypto::Digest256 thumbprint = jose::thumbprint_digest(*key);
  return std::make_shared<const ProofHeader>(*alg, *std::move(key), base64url_encode(thumbprint), thumbprint);
}

}  // namespace

// Each rule on every segment before the next rule on any: the first one broken is the reason.
Checked<Proof> parse_proof(std::string_view compact, const KnownHeaders* known,
                           jose::AlgorithmSet algorithms) {
  const auto jws = jose::split_compact(compact, jose::kMaxProofSize);
  if (!jws) return refuse(Reason::proof_malformed, "the proof is " + jws.error());

  Proof proof;
  if (known != nullptr) proof.header = known->find(jws->header);
  proof.header_known = proof.header != nullptr;
  const auto header_text = decode_segment(proof.header_known ? "" : jws->header, "header");
  if (!header_text) return std::unexpected(header_text.error());
  const auto payload_text = decode_segment(jws->payload, "payload");
  if (!payload_text) return std::unexpected(payload_text.error());
  auto signature = decode_segment(jws->signature, "signature");
  if (!signature) return std::unexpected(std::move(signature).error());

  ScratchBuffer header_buffer;
  boost::json::monotonic_resource header_memory(header_buffer.data(), header_buffer.size());
  std::optional<boost::json::object> header;
  if (!proof.header_known) {
    auto parsed = parse_segment(*header_text, "header", &header_memory);
    if (!parsed) return std::unexpected(std::move(parsed).error());
    header = *std::move(parsed);
  }
  ScratchBuffer payload_buffer;
  boost::json::monotonic_resource payload_memory(payload_buffer.data(), payload_buffer.size());
  const auto claims = parse_segment(*payload_text, "payload", &payload_memory);
  if (!claims) return std::unexpected(claims.error());

  if (proof.header_known) {
    if (auto accepted = check_accepted(proof.header->alg, algorithms); !accepted)
      return std::unexpected(std::move(accepted).error());
  } else {
    auto read = read_header(*header, algorithms);
    if (!read) return std::unexpected(std::move(read).error());
    proof.header = *std::move(read);
  }
  if (auto read = read_claims(*claims, proof); !read) return std::unexpected(std::move(read).error());

  proof.signature = *std::move(signature);
  proof.header_segment = jws->header;
  proof.signing_input = jws->signing_input;
  return proof;
}

}  // namespace holdfast::dpop
