#include "cli/proof.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <string>

#include "base/base64url.h"
#include "jose/algorithm.h"
#include "jose/jwk.h"
#include "jose/jws.h"

namespace holdfast::cli {
namespace {

// A proof of each kind of key verifies under the very key it carries, and says what it was told to.
TEST(Proof, VerifiesAndCarriesItsClaims) {
  for (const char* name : {"ES256", "ES384", "ES512", "PS256", "EdDSA"}) {
    const jose::AlgorithmRow& row = jose::row_of(*jose::algorithm_named(name));
    const auto key = crypto::PrivateKey::generate(row.signature);
    ASSERT_TRUE(key) << name;
    const ProofClaims claims{
        "id-1",  "POST",   "https://api.example.com/v1", UnixTime(Millis(1'700'000'000'999)),
        "token", "nonce-1"};
    const auto proof = make_proof(*key, claims);
    ASSERT_TRUE(proof) << name;
    const auto jws = jose::split_compact(*proof, jose::kMaxProofSize);
    ASSERT_TRUE(jws) << name;
    EXPECT_TRUE(crypto::verify(key->public_key(), row.signature, jws->signing_input,
                               base64url_decode(jws->signature).value()));
    const auto header = boost::json::parse(base64url_decode(jws->header).value());
    EXPECT_EQ(header.at("typ"), "dpop+jwt");
    EXPECT_EQ(header.at("alg"), name);
    const auto carried = jose::parse_public_jwk(header.at("jwk").as_object(), crypto::kProofRsaBounds);
    ASSERT_TRUE(carried);
    EXPECT_EQ(jose::thumbprint(*carried), jose::thumbprint(key->public_key()));
    const auto payload = boost::json::parse(base64url_decode(jws->payload).value());
    // ath: base64url(SHA-256("token"))
    EXPECT_EQ(payload,
              boost::json::parse(R"({"jti": "id-1", "htm": "POST", "htu": "https://api.example.com/v1",
      "iat": 1700000000, "ath": "PEaenWxYddN6Q_NT1PiOYfz4EsZu7jRXRlpAsNpBU-A", "nonce": "nonce-1"})"));
  }
}

TEST(Proof, LeavesOutWhatWasNotGiven) {
  const auto key = crypto::PrivateKey::generate(crypto::SignatureAlgorithm::kEcdsaP256Sha256);
  ASSERT_TRUE(key);
  const auto proof = make_proof(*key, {"id", "GET", "https://a", UnixTime(), std::nullopt, std::nullopt});
  ASSERT_TRUE(proof);
  const auto jws = jose::split_compact(*proof, jose::kMaxProofSize);
  ASSERT_TRUE(jws);
  const auto payload = boost::json::parse(base64url_decode(jws->payload).value()).as_object();
  EXPECT_EQ(payload.size(), 4U);
}

}  // namespace
}  // namespace holdfast::cli
