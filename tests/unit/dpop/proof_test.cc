// Rules 4 to 8: reading a proof.
#include "dpop/proof.h"

#include <gtest/gtest.h>

#include "../../support/sign_jws.h"
#include "../../support/vectors.h"
#include "dpop/check.h"
#include "jose/jws.h"

namespace holdfast::dpop {
namespace {

using holdfast::testing::b64;
using holdfast::testing::key_for;
using holdfast::testing::load_vectors;
using holdfast::testing::sign_jws;
using holdfast::testing::text_at;
using jose::Algorithm;

std::string jwk(Algorithm alg = Algorithm::ES256) {
  return jose::canonical_jwk(key_for(alg).public_key());
}
std::string header(Algorithm alg = Algorithm::ES256) {
  return R"({"typ":"dpop+jwt","alg":")" + std::string(jose::algorithm_name(alg)) + R"(","jwk":)" + jwk(alg) +
         "}";
}
const std::string kClaims =
    R"({"jti":"1","htm":"GET","htu":"https://a.example/","iat":1700000000,"ath":"x"})";

std::string proof(std::string_view head, std::string_view claims = kClaims) {
  return sign_jws(head, claims, Algorithm::ES256);
}

void expect_refused(const std::string& compact, Reason reason) {
  const auto parsed = parse_proof(compact);
  ASSERT_FALSE(parsed.has_value()) << compact;
  EXPECT_EQ(reason_name(parsed.error().reason), reason_name(reason)) << parsed.error().detail;
  EXPECT_FALSE(parsed.error().detail.empty());
}

TEST(Proof, EveryAlgorithmIsReadAndVerifies) {
  for (const jose::AlgorithmRow& row : jose::kAlgorithms) {
    const std::string compact = sign_jws(header(row.algorithm), kClaims, row.algorithm);
    const auto parsed = parse_proof(compact);
    ASSERT_TRUE(parsed.has_value()) << row.name << ": " << parsed.error().detail;
    EXPECT_EQ(parsed->header->alg, row.algorithm);
    EXPECT_EQ(parsed->header->jkt, jose::thumbprint(key_for(row.algorithm).public_key()));
    EXPECT_TRUE(verify_signature(*parsed).has_value()) << row.name;
  }
}

TEST(Proof, ItsClaims) {
  const std::string compact = proof(
      header(), R"({"jti":"j-1","htm":"POST","htu":"https://a.example/x","iat":1700000000.5,"ath":"hash",)"
                R"("nonce":"n","exp":1700000060,"nbf":1699999999,"other":[{}]})");
  const auto parsed = parse_proof(compact);
  ASSERT_TRUE(parsed.has_value()) << parsed.error().detail;
  EXPECT_EQ(parsed->jti, "j-1");
  EXPECT_EQ(parsed->htm, "POST");
  EXPECT_EQ(parsed->htu, "https://a.example/x");
  EXPECT_EQ(parsed->iat, UnixTime(Millis(1'700'000'000'500)));
  EXPECT_EQ(parsed->ath, "hash");
  EXPECT_EQ(parsed->nonce, "n");
  EXPECT_EQ(parsed->exp, UnixTime(Millis(1'700'000'060'000)));
  EXPECT_EQ(parsed->nbf, UnixTime(Millis(1'699'999'999'000)));
  EXPECT_EQ(parsed->header_segment, compact.substr(0, compact.find('.')));
  EXPECT_EQ(parsed->signing_input, compact.substr(0, compact.rfind('.')));
}

TEST(Proof, Rfc9449Figures) {
  const auto vectors = load_vectors("dpop/rfc9449_vectors.json");
  if (!vectors) GTEST_SKIP() << "no RFC 9449 vectors beside the repository";
  for (const auto& row : vectors->at("proofs").as_array()) {
    const std::string compact = text_at(row, "jwt");
    const auto parsed = parse_proof(compact);
    ASSERT_TRUE(parsed.has_value()) << parsed.error().detail;
    EXPECT_EQ(parsed->htm, text_at(row, "htm"));
    EXPECT_EQ(parsed->htu, text_at(row, "htu"));
    EXPECT_EQ(parsed->jti, text_at(row, "jti"));
    EXPECT_EQ(parsed->iat, UnixTime(std::chrono::seconds(row.at("iat").as_int64())));
    EXPECT_EQ(parsed->header->jkt, text_at(*vectors, "jkt"));
    EXPECT_TRUE(check_binding(*parsed, text_at(*vectors, "jkt")).has_value());
    EXPECT_TRUE(verify_signature(*parsed).has_value());

    const std::string token = text_at(*vectors, "access_token");
    Expectation expected;
    const std::string method = text_at(row, "htm");
    const std::string uri = text_at(row, "htu");
    expected.method = method;
    expected.normal_uri = uri;
    expected.token_digest = crypto::sha256(token);
    const auto fresh = check_claims(*parsed, expected, parsed->iat + std::chrono::seconds(2));
    if (text_at(row, "name") == "resource_request") {
      EXPECT_TRUE(fresh.has_value()) << fresh.error().detail;
      EXPECT_EQ(parsed->ath, text_at(*vectors, "ath"));
    } else {
      // The others went to an authorization server, with no token to hash.
      ASSERT_FALSE(fresh.has_value());
      EXPECT_EQ(fresh.error().reason, Reason::proof_claim);
    }
  }
}

TEST(Proof, IsACompactJwsOfStrictBase64Url) {
  const std::string good = proof(header());
  const std::size_t first = good.find('.');
  const std::size_t second = good.rfind('.');
  expect_refused("", Reason::proof_malformed);
  expect_refused("..", Reason::proof_malformed);
  expect_refused(good.substr(0, second), Reason::proof_malformed);
  expect_refused(good.substr(0, second + 1), Reason::proof_malformed);
  expect_refused(good + ".", Reason::proof_malformed);
  expect_refused(good + "=", Reason::proof_malformed);
  expect_refused(good + " ", Reason::proof_malformed);
  expect_refused(" " + good, Reason::proof_malformed);
  expect_refused(good.substr(0, first) + "=" + good.substr(first), Reason::proof_malformed);
  expect_refused(good.substr(0, second) + "\n" + good.substr(second), Reason::proof_malformed);
  // 64 bytes leave the last character four bits that have to be zero.
  std::string stray = good;
  stray.back() = 'B';
  expect_refused(stray, Reason::proof_malformed);
  expect_refused(good + std::string(jose::kMaxProofSize, 'A'), Reason::proof_malformed);
}

TEST(Proof, HeaderAndPayloadAreStrictJson) {
  for (const std::string odd :
       {"[]", "null", "\"x\"", "{", "{\"a\":\"\xff\"}", "{\"a\":[[[[[[[[[]]]]]]]]]}"}) {
    expect_refused(proof(odd), Reason::proof_malformed);
    expect_refused(proof(header(), odd), Reason::proof_malformed);
  }
  // Two readers that keep different ones of two equal names would see two proofs.
  expect_refused(proof(R"({"typ":"dpop+jwt","alg":"ES256","alg":"ES256","jwk":)" + jwk() + "}"),
                 Reason::proof_malformed);
  expect_refused(proof(header(), R"({"jti":"1","htm":"GET","htu":"https://a/","iat":1,"jti":"2"})"),
                 Reason::proof_malformed);
}

TEST(Proof, HeaderHasTheRightType) {
  for (const char* const typ : {R"("typ":"JWT",)", R"("typ":"DPoP+JWT",)", R"("typ":"application/dpop+jwt",)",
                                R"("typ":null,)", R"("typ":["dpop+jwt"],)", R"("typ":"at+jwt",)", ""}) {
    expect_refused(proof("{" + std::string(typ) + R"("alg":"ES256","jwk":)" + jwk() + "}"),
                   Reason::proof_type);
  }
}

TEST(Proof, AlgorithmIsAsymmetric) {
  for (const char* const alg : {R"("alg":"none",)", R"("alg":"HS256",)", R"("alg":"ES256K",)",
                                R"("alg":"es256",)", R"("alg":"",)", R"("alg":null,)", R"("alg":256,)", ""}) {
    expect_refused(proof(R"({"typ":"dpop+jwt",)" + std::string(alg) + R"("jwk":)" + jwk() + "}"),
                   Reason::proof_algorithm);
  }
}

TEST(Proof, AlgorithmIsOnTheAllowList) {
  const jose::AlgorithmSet accepted{Algorithm::ES384, Algorithm::RS256};
  const auto refused = parse_proof(proof(header()), nullptr, accepted);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().reason, Reason::proof_algorithm);
  const std::string es384 = sign_jws(header(Algorithm::ES384), kClaims, Algorithm::ES384);
  EXPECT_TRUE(parse_proof(es384, nullptr, accepted).has_value());
}

// A client that mends what it is told must not find that it was another fault.
TEST(Proof, TheFirstRuleBrokenNamesTheReason) {
  const std::string no_claims = "{}";
  const std::string no_type = R"({"typ":"JWT","alg":"none","crit":[],"jwk":null})";
  // 4 before 5 before 6, whichever segment breaks them
  expect_refused(proof(no_type, no_claims) + "=", Reason::proof_malformed);
  expect_refused(proof(header(), no_claims) + "=", Reason::proof_malformed);
  expect_refused(proof(no_type, "[]"), Reason::proof_malformed);
  // 6 before 7 before 8
  expect_refused(proof(no_type, no_claims), Reason::proof_type);
  expect_refused(proof(R"({"typ":"dpop+jwt","alg":"none","jwk":null})", no_claims), Reason::proof_algorithm);
  expect_refused(proof(R"({"typ":"dpop+jwt","alg":"ES256","crit":[],"jwk":null})", no_claims),
                 Reason::proof_critical);
  expect_refused(proof(R"({"typ":"dpop+jwt","alg":"ES256","jwk":null})", no_claims), Reason::proof_key);
  // and the allow-list is of 6
  const std::string compact = proof(R"({"typ":"dpop+jwt","alg":"PS256","jwk":null})", no_claims);
  const auto parsed = parse_proof(compact, nullptr, {Algorithm::ES256});
  ASSERT_FALSE(parsed.has_value());
  EXPECT_EQ(parsed.error().reason, Reason::proof_algorithm);
}

TEST(Proof, KnowsNoExtension) {
  for (const char* const extension : {R"("crit":["exp"])", R"("crit":[])", R"("crit":null)",
                                      R"("b64":false,"crit":["b64"])", R"("b64":true)"}) {
    std::string head = header();
    head.insert(1, std::string(extension) + ",");
    expect_refused(proof(head), Reason::proof_critical);
  }
}

TEST(Proof, KeyIsPublicAndFitsTheAlgorithm) {
  const auto with_jwk = [](std::string_view alg, std::string_view key) {
    return proof(R"({"typ":"dpop+jwt","alg":")" + std::string(alg) + R"(")" +
                 (key.empty() ? "" : R"(,"jwk":)" + std::string(key)) + "}");
  };
  expect_refused(with_jwk("ES256", ""), Reason::proof_key);
  expect_refused(with_jwk("ES256", "null"), Reason::proof_key);
  expect_refused(with_jwk("ES256", R"("key")"), Reason::proof_key);
  expect_refused(with_jwk("ES256", "[]"), Reason::proof_key);
  expect_refused(with_jwk("ES256", "{}"), Reason::proof_key);
  expect_refused(with_jwk("ES256", jwk(Algorithm::ES384)), Reason::proof_key);
  expect_refused(with_jwk("ES384", jwk(Algorithm::ES256)), Reason::proof_key);
  expect_refused(with_jwk("RS256", jwk(Algorithm::ES256)), Reason::proof_key);
  expect_refused(with_jwk("ES256", jwk(Algorithm::RS256)), Reason::proof_key);
  expect_refused(with_jwk("EdDSA", jwk(Algorithm::ES256)), Reason::proof_key);
  // RSA beyond what a stranger may make us compute, and below what protects.
  for (const std::size_t octets : {128U, 255U, 513U, 2048U}) {
    std::string n(octets, '\x5b');
    n.front() = '\x7f';
    expect_refused(with_jwk("RS256", R"({"kty":"RSA","e":"AQAB","n":")" + b64(n) + R"("})"),
                   Reason::proof_key);
  }
  for (const char* const name : {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}) {
    std::string key = jwk();
    key.insert(1, R"(")" + std::string(name) + R"(":"AQ",)");
    expect_refused(with_jwk("ES256", key), Reason::proof_key_private);
  }
  std::string extra = jwk();
  extra.insert(1, R"("use":"sig","kid":"1","alg":"ES256","ext":true,)");
  EXPECT_TRUE(parse_proof(with_jwk("ES256", extra)).has_value());
}

TEST(Proof, ClaimsArePresentAndOfTheirTypes) {
  const std::pair<const char*, const char*> base[] = {
      {"jti", R"("1")"}, {"htm", R"("GET")"}, {"htu", R"("https://a/")"}, {"iat", "1700000000"}};
  const auto claims = [&base](std::string_view name, std::string_view value) {
    std::string text = "{";
    bool replaced = false;
    for (const auto& [claim, usual] : base) {
      const bool here = claim == name;
      replaced = replaced || here;
      if (here && value.empty()) continue;
      text +=
          (text.size() > 1 ? ",\"" : "\"") + std::string(claim) + "\":" + (here ? std::string(value) : usual);
    }
    if (!replaced) text += ",\"" + std::string(name) + "\":" + std::string(value);
    return text + "}";
  };
  const std::string long_jti = "\"" + std::string(kMaxJtiSize + 1, 'j') + "\"";
  const std::pair<const char*, std::string> bad[] = {{"jti", ""},         {"jti", R"("")"},
                                                     {"jti", "1"},        {"jti", "null"},
                                                     {"jti", R"(["1"])"}, {"jti", long_jti},
                                                     {"htm", ""},         {"htm", "1"},
                                                     {"htm", "null"},     {"htu", ""},
                                                     {"htu", "{}"},       {"htu", "null"},
                                                     {"iat", ""},         {"iat", R"("170000000")"},
                                                     {"iat", "null"},     {"iat", "true"},
                                                     {"iat", "1e300"},    {"iat", "9007199254740993"},
                                                     {"iat", "[1]"},      {"ath", "1"},
                                                     {"ath", "null"},     {"exp", R"("1")"},
                                                     {"exp", "null"},     {"nbf", R"("1")"},
                                                     {"nbf", "{}"}};
  for (const auto& [name, value] : bad)
    expect_refused(proof(header(), claims(name, value)), Reason::proof_claim);
  const std::pair<const char*, std::string> good[] = {{"jti", "\"" + std::string(kMaxJtiSize, 'j') + "\""},
                                                      {"iat", "1700000000.123"},
                                                      {"iat", "-1"},
                                                      {"iat", "1.7e9"},
                                                      {"htm", R"("")"},
                                                      {"nonce", "7"},
                                                      {"exp", "1"},
                                                      {"nbf", "1.5"}};
  for (const auto& [name, value] : good) {
    EXPECT_TRUE(parse_proof(proof(header(), claims(name, value))).has_value()) << name << " " << value;
  }
  // A nonce that is no string is none.
  EXPECT_EQ(parse_proof(proof(header(), claims("nonce", "7")))->nonce, std::nullopt);
}

class OneHeader final : public KnownHeaders {
 public:
  std::string segment;
  std::shared_ptr<const ProofHeader> header;
  mutable int asked = 0;
  [[nodiscard]] std::shared_ptr<const ProofHeader> find(std::string_view wanted) const override {
    ++asked;
    return wanted == segment ? header : nullptr;
  }
};

TEST(Proof, AKnownHeaderIsTakenAsItIs) {
  const std::string compact = proof(header());
  OneHeader known;
  const auto first = parse_proof(compact, &known);
  ASSERT_TRUE(first.has_value());
  known.segment = first->header_segment;
  known.header = first->header;
  const auto second = parse_proof(compact, &known);
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(second->header, first->header);
  EXPECT_EQ(known.asked, 2);
  EXPECT_TRUE(verify_signature(*second).has_value());
  // The allow-list holds for it, too: a reload may have made it shorter.
  const auto third = parse_proof(compact, &known, {Algorithm::ES384});
  ASSERT_FALSE(third.has_value());
  EXPECT_EQ(third.error().reason, Reason::proof_algorithm);
  // Another client's header is not found under these bytes.
  const std::string other = sign_jws(header(Algorithm::ES384), kClaims, Algorithm::ES384);
  EXPECT_NE(parse_proof(other, &known)->header, first->header);
}

}  // namespace
}  // namespace holdfast::dpop
