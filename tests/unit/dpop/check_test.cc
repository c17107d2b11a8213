// Rules 6 and 9 to 15: a proof against its request, and the order of the checks.
#include "dpop/check.h"

#include <gtest/gtest.h>

#include "../../support/sign_jws.h"
#include "base/base64url.h"

namespace holdfast::dpop {
namespace {

using holdfast::testing::key_for;
using holdfast::testing::sign_jws;
using jose::Algorithm;
using std::chrono::hours;
using std::chrono::seconds;

constexpr UnixTime kNow{seconds(1'700'000'000)};
constexpr std::string_view kToken = "header.payload.signature";

// A proof that passes, for one member at a time to be spoilt.
Proof good_proof() {
  static const auto header =
      std::make_shared<const ProofHeader>(Algorithm::ES256, key_for(Algorithm::ES256).public_key(),
                                          jose::thumbprint(key_for(Algorithm::ES256).public_key()),
                                          jose::thumbprint_digest(key_for(Algorithm::ES256).public_key()));
  Proof proof;
  proof.header = header;
  proof.htm = "GET";
  proof.htu = "https://api.example.com/orders";
  proof.jti = "1";
  proof.iat = kNow;
  proof.ath = base64url_encode(crypto::sha256(kToken));
  return proof;
}

Expectation expectation() {
  Expectation expected;
  expected.method = "GET";
  expected.normal_uri = "https://api.example.com/orders";
  expected.token_digest = crypto::sha256(kToken);
  return expected;
}

std::string outcome(const Proof& proof, const Expectation& expected, UnixTime now = kNow) {
  const auto checked = check_claims(proof, expected, now);
  return checked ? "passes" : std::string(reason_name(checked.error().reason));
}

TEST(Check, AGoodProofPasses) {
  EXPECT_EQ(outcome(good_proof(), expectation()), "passes");
}

TEST(Check, HtmIsTheMethodByteForByte) {
  for (const char* const htm : {"POST", "get", "Get", "", "GET ", "GETX"}) {
    Proof proof = good_proof();
    proof.htm = htm;
    EXPECT_EQ(outcome(proof, expectation()), "htm_mismatch") << htm;
  }
}

TEST(Check, HtuIsTheUri) {
  Proof proof = good_proof();
  proof.htu = "https://api.example.com/other";
  EXPECT_EQ(outcome(proof, expectation()), "htu_mismatch");
  proof.htu = "https://API.example.com:443/orders?page=2";
  EXPECT_EQ(outcome(proof, expectation()), "passes");
}

TEST(Check, IatLiesWithinTheWindow) {
  const std::pair<Millis, const char*> cases[] = {
      {Millis(-70'001), "iat_too_old"},
      {Millis(-70'000), "passes"},
      {Millis(10'000), "passes"},
      {Millis(10'001), "iat_in_future"},
      {hours(-24), "iat_too_old"},
      {hours(24), "iat_in_future"},
      {Millis((std::int64_t{1} << 53) * 1000) - kNow.time_since_epoch(), "iat_in_future"},
      {Millis(-(std::int64_t{1} << 53) * 1000) - kNow.time_since_epoch(), "iat_too_old"}};
  for (const auto& [offset, wanted] : cases) {
    Proof proof = good_proof();
    proof.iat = kNow + offset;
    EXPECT_EQ(outcome(proof, expectation()), wanted) << offset.count();
  }
}

TEST(Check, ExpAndNbfAreHonoured) {
  const std::pair<Millis, const char*> exps[] = {
      {Millis(-10'000), "proof_claim"}, {Millis(-9'999), "passes"}, {hours(1), "passes"}};
  for (const auto& [offset, wanted] : exps) {
    Proof proof = good_proof();
    proof.exp = kNow + offset;
    EXPECT_EQ(outcome(proof, expectation()), wanted) << offset.count();
  }
  const std::pair<Millis, const char*> nbfs[] = {
      {Millis(10'001), "proof_claim"}, {Millis(10'000), "passes"}, {hours(-1), "passes"}};
  for (const auto& [offset, wanted] : nbfs) {
    Proof proof = good_proof();
    proof.nbf = kNow + offset;
    EXPECT_EQ(outcome(proof, expectation()), wanted) << offset.count();
  }
}

TEST(Check, AthIsTheTokensHash) {
  Proof proof = good_proof();
  proof.ath = base64url_encode(crypto::sha256("another token"));
  EXPECT_EQ(outcome(proof, expectation()), "ath_mismatch");
  proof.ath = "";
  EXPECT_EQ(outcome(proof, expectation()), "ath_mismatch");
  proof.ath->assign(*good_proof().ath + "=");
  EXPECT_EQ(outcome(proof, expectation()), "ath_mismatch");
  proof.ath.reset();
  EXPECT_EQ(outcome(proof, expectation()), "proof_claim");
}

class CheckNonce : public ::testing::Test {
 protected:
  const NonceIssuer nonces_{Secret(std::string(32, 's')), std::nullopt, Millis(300'000)};
  const NonceIssuer others_{Secret(std::string(32, 'o')), std::nullopt, Millis(300'000)};
  [[nodiscard]] Expectation required() const {
    Expectation expected = expectation();
    expected.nonces = &nonces_;
    return expected;
  }
};

TEST_F(CheckNonce, IsRequiredWhereItIs) {
  Proof proof = good_proof();
  EXPECT_EQ(outcome(proof, required()), "nonce_required");
  proof.nonce = others_.issue(kNow);
  EXPECT_EQ(outcome(proof, required()), "nonce_invalid");
  proof.nonce = nonces_.issue(kNow - hours(1));
  EXPECT_EQ(outcome(proof, required()), "nonce_stale");
  proof.nonce = nonces_.issue(kNow);
  EXPECT_EQ(outcome(proof, required()), "passes");
  EXPECT_TRUE(check_claims(proof, required(), kNow)->nonce.has_value());
}

TEST_F(CheckNonce, IsIgnoredWhereItIsNot) {
  Proof proof = good_proof();
  proof.nonce = "anything";
  const auto checked = check_claims(proof, expectation(), kNow);
  ASSERT_TRUE(checked.has_value());
  EXPECT_FALSE(checked->nonce.has_value());
}

TEST_F(CheckNonce, DecidesInPlaceOfTheClientsClock) {
  Proof proof = good_proof();
  proof.nonce = nonces_.issue(kNow);
  const std::pair<Millis, const char*> cases[] = {{hours(-24), "passes"},
                                                  {hours(24), "passes"},
                                                  {hours(-24) - Millis(1), "iat_too_old"},
                                                  {hours(24) + Millis(1), "iat_in_future"}};
  for (const auto& [offset, wanted] : cases) {
    proof.iat = kNow + offset;
    EXPECT_EQ(outcome(proof, required()), wanted) << offset.count();
  }
}

TEST_F(CheckNonce, ComesBeforeIat) {
  // A client with a wrong clock and no nonce yet has to hear of the nonce: with one, its clock does not
  // matter.
  Proof proof = good_proof();
  proof.iat = kNow - hours(48);
  EXPECT_EQ(outcome(proof, required()), "nonce_required");
  proof.nonce = nonces_.issue(kNow - hours(1));
  EXPECT_EQ(outcome(proof, required()), "nonce_stale");
}

// It may have been let in before anybody asked for its nonce, and is remembered by its iat alone.
TEST_F(CheckNonce, ANonceFromBeforeItWasAskedForDoesNotReplaceIat) {
  Proof proof = good_proof();
  proof.iat = kNow - seconds(75);
  proof.nonce = nonces_.issue(kNow - seconds(80));
  Expectation expected = required();
  EXPECT_EQ(outcome(proof, expected), "passes");
  expected.window.nonces_since = kNow;
  EXPECT_EQ(outcome(proof, expected), "iat_too_old");
  proof.iat = kNow - seconds(70);
  EXPECT_EQ(outcome(proof, expected), "passes");
  expected.window.nonces_since = kNow - hours(1);
  proof.iat = kNow - seconds(75);
  EXPECT_EQ(outcome(proof, expected), "passes");
}

TEST_F(CheckNonce, TheFirstFailingCheckNamesTheReason) {
  Proof proof = good_proof();
  proof.htm = "POST";
  proof.htu = "https://b.example/";
  proof.iat = kNow - hours(48);
  proof.ath = "x";
  Expectation expected = required();
  EXPECT_EQ(outcome(proof, expected), "htm_mismatch");
  proof.htm = "GET";
  EXPECT_EQ(outcome(proof, expected), "htu_mismatch");
  proof.htu = "https://api.example.com/orders";
  EXPECT_EQ(outcome(proof, expected), "nonce_required");
  expected.nonces = nullptr;
  EXPECT_EQ(outcome(proof, expected), "iat_too_old");
  proof.iat = kNow;
  EXPECT_EQ(outcome(proof, expected), "ath_mismatch");
}

TEST(Check, TheKeyIsTheOneTheTokenIsBoundTo) {
  const Proof proof = good_proof();
  EXPECT_TRUE(check_binding(proof, proof.header->jkt).has_value());
  for (const std::string& jkt : {jose::thumbprint(key_for(Algorithm::ES256, 1).public_key()), std::string(),
                                 proof.header->jkt + "=", proof.header->jkt.substr(1)}) {
    const auto bound = check_binding(proof, jkt);
    ASSERT_FALSE(bound.has_value());
    EXPECT_EQ(bound.error().reason, Reason::key_mismatch);
  }
}

TEST(Check, TheSignatureIsTheKeysOverTheseBytes) {
  const std::string header = R"({"typ":"dpop+jwt","alg":"ES256","jwk":)" +
                             jose::canonical_jwk(key_for(Algorithm::ES256).public_key()) + "}";
  const std::string claims = R"({"jti":"1","htm":"GET","htu":"https://a/","iat":1})";
  const std::string by_another = sign_jws(header, claims, Algorithm::ES256, key_for(Algorithm::ES256, 1));
  const std::string other_claims =
      sign_jws(header, R"({"jti":"2","htm":"GET","htu":"https://a/","iat":1})", Algorithm::ES256);
  const std::string good = sign_jws(header, claims, Algorithm::ES256);
  const std::string swapped = good.substr(0, good.rfind('.')) + other_claims.substr(other_claims.rfind('.'));
  EXPECT_TRUE(verify_signature(*parse_proof(good)).has_value());
  for (const std::string& bad : {by_another, swapped}) {
    const auto parsed = parse_proof(bad);
    ASSERT_TRUE(parsed.has_value());
    const auto verified = verify_signature(*parsed);
    ASSERT_FALSE(verified.has_value());
    EXPECT_EQ(verified.error().reason, Reason::proof_signature);
  }
}

TEST(Check, DetailsNameBothValues) {
  Proof proof = good_proof();
  proof.htm = "POST";
  EXPECT_EQ(check_claims(proof, expectation(), kNow).error().detail, "htm names POST, this request is GET");
  proof = good_proof();
  proof.iat = kNow - hours(1);
  EXPECT_EQ(check_claims(proof, expectation(), kNow).error().detail,
            "iat is 1699996400, the time here is 1700000000");
}

}  // namespace
}  // namespace holdfast::dpop
