// Rules 7 and 14: JWKs and their thumbprints.
#include "jose/jwk.h"

#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "../../support/sign_jws.h"
#include "jose/json.h"

namespace holdfast::jose {
namespace {

using holdfast::testing::b64;
using holdfast::testing::key_for;

std::expected<crypto::PublicKey, JwkFlaw> parse(std::string_view text) {
  return parse_public_jwk(parse_json_object(text).value(), crypto::kProofRsaBounds);
}

// RFC 7638 3.1
constexpr std::string_view kRfc7638Key =
    R"({"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRX)"
    R"(jBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdA)"
    R"(ZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzK)"
    R"(nqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"})";

TEST(Jwk, ThumbprintsOfTheRfcs) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {kRfc7638Key, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"},
      // RFC 8037 A.2, A.3
      {R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})",
       "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"},
      // RFC 9449 6.1
      {R"({"kty":"EC","x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs","y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA","crv":"P-256"})",
       "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}};
  for (const auto& [text, wanted] : cases) {
    const auto key = parse(text);
    ASSERT_TRUE(key.has_value()) << key.error().what;
    EXPECT_EQ(thumbprint(*key), wanted);
  }
}

TEST(Jwk, EveryKindOfKeyIsWrittenAsItWasRead) {
  for (const AlgorithmRow& row : kAlgorithms) {
    const crypto::PublicKey& key = key_for(row.algorithm).public_key();
    const std::string text = canonical_jwk(key);
    const auto object = parse_json_object(text).value();
    EXPECT_EQ(string_member(object, "kty"), row.kty);
    if (!row.crv.empty()) {
      EXPECT_EQ(string_member(object, "crv"), row.crv);
    }
    const auto again = parse(text);
    ASSERT_TRUE(again.has_value()) << again.error().what;
    EXPECT_EQ(canonical_jwk(*again), text);
    EXPECT_TRUE(crypto::fits(row.signature, again->type()));
  }
}

TEST(Jwk, ThumbprintIgnoresEveryOtherMemberAndTheOrder) {
  const std::string x = "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs";
  const std::string y = "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA";
  const auto key = parse(R"({"use":"sig","y":")" + y + R"(","ext":true,"key_ops":["verify"],"x":")" + x +
                         R"(","kid":"7","crv":"P-256","alg":"ES256","kty":"EC","odd":{"a":[1]}})");
  ASSERT_TRUE(key.has_value());
  EXPECT_EQ(thumbprint(*key), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
}

boost::json::object ec_key() {
  return parse_json_object(canonical_jwk(key_for(Algorithm::ES256).public_key())).value();
}

TEST(Jwk, PrivateMembersOfEveryKindAreTold) {
  for (const char* const name : {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}) {
    for (const boost::json::value& value :
         {boost::json::value("AQ"), boost::json::value(nullptr), boost::json::value(1)}) {
      boost::json::object jwk = ec_key();
      jwk[name] = value;
      const auto key = parse_public_jwk(jwk, crypto::kProofRsaBounds);
      ASSERT_FALSE(key.has_value()) << name;
      EXPECT_TRUE(key.error().is_private) << name;
    }
  }
}

TEST(Jwk, RefusesWhatIsNoKey) {
  const std::string x = b64(key_for(Algorithm::ES256).public_key().first());
  const std::string y = b64(key_for(Algorithm::ES256).public_key().second());
  const auto ec = [](std::string_view crv, const std::string& first, const std::string& second) {
    return R"({"kty":"EC","crv":")" + std::string(crv) + R"(","x":")" + first + R"(","y":")" + second +
           R"("})";
  };
  const std::string cases[] = {
      "{}",
      R"({"kty":1})",
      R"({"kty":"ec","crv":"P-256","x":")" + x + R"(","y":")" + y + R"("})",
      R"({"kty":"oct"})",
      R"({"kty":"EC"})",
      R"({"kty":"EC","crv":"P-256","x":")" + x + R"("})",
      R"({"kty":"EC","crv":"P-256","x":1,"y":")" + y + R"("})",
      R"({"kty":"EC","crv":null,"x":")" + x + R"(","y":")" + y + R"("})",
      ec("P-384", x, y),
      ec("secp256k1", x, y),
      ec("P-256", x + "=", y),
      ec("P-256", "", y),
      ec("P-256", y, x),
      ec("P-256", b64("\0"), y),
      R"({"kty":"RSA","e":"AQAB"})",
      R"({"kty":"RSA","n":"AQAB","e":"AQAB"})",
      R"({"kty":"RSA","n":["AQAB"],"e":"AQAB"})",
      R"({"kty":"OKP","crv":"Ed25519"})",
      R"({"kty":"OKP","crv":"Ed25519","x":"AQAB"})",
      R"({"kty":"OKP","crv":"X25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})",
      R"({"kty":"OKP","crv":"Ed448","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})"};
  for (const std::string& text : cases) {
    const auto key = parse(text);
    ASSERT_FALSE(key.has_value()) << text;
    EXPECT_FALSE(key.error().is_private) << text;
    EXPECT_FALSE(key.error().what.empty()) << text;
  }
}

}  // namespace
}  // namespace holdfast::jose
