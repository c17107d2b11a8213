// Rules 17, 18 and 23: the issuer's key, the signature, and the judgement of the facts.
#include "token/verify.h"

#include <gtest/gtest.h>

#include "../../support/sign_jws.h"

namespace holdfast::token {
namespace {

using holdfast::testing::key_for;
using holdfast::testing::sign_jws;
using jose::Algorithm;
using std::chrono::hours;
using std::chrono::seconds;

constexpr UnixTime kNow{seconds(1'700'000'000)};

std::string jwk(Algorithm alg, std::string_view extra, int which = 0) {
  std::string text = jose::canonical_jwk(key_for(alg, which).public_key());
  text.pop_back();
  return text + (extra.empty() ? "" : ",") + std::string(extra) + "}";
}

const jose::KeySet& keys() {
  static const jose::KeySet set =
      jose::KeySet::parse(R"({"keys":[)" + jwk(Algorithm::ES256, R"("kid":"es")") + "," +
                          jwk(Algorithm::RS256, R"("kid":"rs","alg":"RS256")") + "," +
                          jwk(Algorithm::ES256, R"("kid":"es2")", 1) + "]}")
          .value();
  return set;
}

IssuerRules rules() {
  IssuerRules rules;
  rules.issuer = "https://id.example/";
  rules.audiences = {"orders-api", "other-api"};
  return rules;
}

const std::string kClaims =
    R"({"iss":"https://id.example/","aud":"orders-api","exp":1700000300,"iat":1700000000,"sub":"u","client_id":"c","jti":"1"})";

// Everything from the credential to the facts; the reason's word where it is refused.
std::string outcome(const std::string& credential, const IssuerRules& issuer = rules(), UnixTime now = kNow) {
  auto parsed = parse(credential);
  if (!parsed) return std::string(reason_name(parsed.error().reason));
  const auto chosen = choose_keys(*parsed, keys(), issuer);
  if (!chosen) return std::string(reason_name(chosen.error().reason));
  const auto verified = verify(*std::move(parsed), *chosen, issuer);
  if (!verified) return std::string(reason_name(verified.error().reason));
  const auto judged = judge(**verified, issuer, now);
  return judged ? "passes" : std::string(reason_name(judged.error().reason));
}

TEST(Verify, AGoodToken) {
  const std::string credential =
      sign_jws(R"({"alg":"ES256","kid":"es","typ":"at+jwt"})", kClaims, Algorithm::ES256);
  auto parsed = parse(credential);
  ASSERT_TRUE(parsed.has_value());
  const auto chosen = choose_keys(*parsed, keys(), rules());
  ASSERT_TRUE(chosen.has_value());
  const auto token = verify(*std::move(parsed), *chosen, rules());
  ASSERT_TRUE(token.has_value()) << token.error().detail;
  EXPECT_EQ((*token)->alg, Algorithm::ES256);
  EXPECT_EQ((*token)->kid, "es");
  EXPECT_TRUE((*token)->is_at_jwt);
  EXPECT_EQ((*token)->sub, "u");
  EXPECT_TRUE(judge(**token, rules(), kNow).has_value());
}

TEST(Verify, TheKeyIsTheIssuers) {
  EXPECT_EQ(outcome(sign_jws(R"({"alg":"ES256","kid":"es"})", kClaims, Algorithm::ES256)), "passes");
  EXPECT_EQ(outcome(sign_jws(R"({"alg":"ES256","kid":"es2"})", kClaims, Algorithm::ES256,
                             key_for(Algorithm::ES256, 1))),
            "passes");
  EXPECT_EQ(outcome(sign_jws(R"({"alg":"ES256"})", kClaims, Algorithm::ES256, key_for(Algorithm::ES256, 1))),
            "passes")
      << "no kid: each that fits";
  EXPECT_EQ(outcome(sign_jws(R"({"alg":"ES256","kid":"es2"})", kClaims, Algorithm::ES256)), "token_signature")
      << "another key's kid";
  EXPECT_EQ(outcome(sign_jws(R"({"alg":"ES256","kid":"new"})", kClaims, Algorithm::ES256)),
            "token_key_unknown");
  EXPECT_EQ(outcome(sign_jws(R"({"alg":"Ed25519"})", kClaims, Algorithm::Ed25519)), "token_key_unknown");
  EXPECT_EQ(outcome(sign_jws(R"({"alg":"ES256"})", kClaims, Algorithm::ES256, key_for(Algorithm::ES256, 2))),
            "token_signature");
}

TEST(Verify, KeysInTheHeaderAreNotTrusted) {
  const std::string own = jose::canonical_jwk(key_for(Algorithm::ES256, 2).public_key());
  for (const std::string& member :
       {R"("jwk":)" + own, std::string(R"("jku":"https://evil.example/jwks")"),
        std::string(R"("x5u":"https://evil.example/x")"), std::string(R"("x5c":["MIIB"])")}) {
    EXPECT_EQ(outcome(sign_jws(R"({"alg":"ES256","kid":"es",)" + member + "}", kClaims, Algorithm::ES256,
                               key_for(Algorithm::ES256, 2))),
              "token_signature");
    EXPECT_EQ(outcome(sign_jws(R"({"alg":"ES256","kid":"es",)" + member + "}", kClaims, Algorithm::ES256)),
              "passes");
  }
}

TEST(Verify, TheAlgorithmIsAllowedAndFitsTheKey) {
  IssuerRules only_rsa = rules();
  only_rsa.algorithms = {Algorithm::RS256, Algorithm::PS256};
  EXPECT_EQ(outcome(sign_jws(R"({"alg":"ES256","kid":"es"})", kClaims, Algorithm::ES256), only_rsa),
            "token_algorithm");
  EXPECT_EQ(outcome(sign_jws(R"({"alg":"RS256","kid":"rs"})", kClaims, Algorithm::RS256), only_rsa),
            "passes");
  EXPECT_EQ(outcome(sign_jws(R"({"alg":"PS256","kid":"rs"})", kClaims, Algorithm::PS256), only_rsa),
            "token_algorithm")
      << "the key says RS256";
  EXPECT_EQ(outcome(sign_jws(R"({"alg":"RS256","kid":"es"})", kClaims, Algorithm::RS256)), "token_algorithm")
      << "the key is no RSA key";
}

TEST(Verify, AChangedByteIsNoticed) {
  const std::string good = sign_jws(R"({"alg":"ES256","kid":"es"})", kClaims, Algorithm::ES256);
  const std::string other =
      sign_jws(R"({"alg":"ES256","kid":"es"})",
               R"({"iss":"https://id.example/","aud":"orders-api","exp":1900000000})", Algorithm::ES256);
  const std::size_t first = good.find('.');
  EXPECT_EQ(
      outcome(good.substr(0, first) + other.substr(other.find('.'), other.rfind('.') - other.find('.')) +
              good.substr(good.rfind('.'))),
      "token_signature");
}

std::string judged(std::string_view claims, const IssuerRules& issuer = rules(), UnixTime now = kNow) {
  return outcome(sign_jws(R"({"alg":"ES256","kid":"es"})", claims, Algorithm::ES256), issuer, now);
}

TEST(Judge, IssuerByteForByte) {
  for (const char* const iss :
       {"https://id.example", "https://ID.example/", "https://id.example//", "http://id.example/", ""}) {
    EXPECT_EQ(judged(R"({"iss":")" + std::string(iss) + R"(","aud":"orders-api","exp":1700000300})"),
              "token_issuer")
        << iss;
  }
}

TEST(Judge, Audience) {
  const std::pair<const char*, const char*> cases[] = {{R"("orders-api")", "passes"},
                                                       {R"(["account","other-api"])", "passes"},
                                                       {R"("Orders-api")", "token_audience"},
                                                       {R"("orders-api ")", "token_audience"},
                                                       {R"(["orders","api"])", "token_audience"},
                                                       {"[]", "token_audience"}};
  for (const auto& [aud, wanted] : cases) {
    EXPECT_EQ(judged(R"({"iss":"https://id.example/","aud":)" + std::string(aud) + R"(,"exp":1700000300})"),
              wanted)
        << aud;
  }
  EXPECT_EQ(judged(R"({"iss":"https://id.example/","exp":1700000300})"), "token_audience");
  IssuerRules any = rules();
  any.audiences.clear();
  EXPECT_EQ(judged(kClaims, any), "token_audience");
  any.any_audience = true;
  EXPECT_EQ(judged(R"({"iss":"https://id.example/","exp":1700000300})", any), "passes");
}

TEST(Judge, TimesAtEveryRequest) {
  const auto claims = [](std::string_view more) {
    return R"({"iss":"https://id.example/","aud":"orders-api",)" + std::string(more) + "}";
  };
  const std::pair<const char*, const char*> cases[] = {
      {R"("exp":1699999990)", "token_expired"},
      {R"("exp":1699999991)", "passes"},
      {R"("exp":1699999990.001)", "passes"},
      {R"("exp":0)", "token_expired"},
      {R"("exp":1700000300,"nbf":1700000010)", "passes"},
      {R"("exp":1700000300,"nbf":1700000011)", "token_not_yet_valid"},
      {R"("exp":1700000300,"iat":1700000010)", "passes"},
      {R"("exp":1700000300,"iat":1700000011)", "token_not_yet_valid"},
      {R"("exp":9007199254740992)", "passes"},
      {R"("iat":1)", "token_malformed"}};
  for (const auto& [more, wanted] : cases) EXPECT_EQ(judged(claims(more)), wanted) << more;
  // The facts of one token, judged again when time has gone on.
  EXPECT_EQ(judged(kClaims, rules(), kNow + seconds(309)), "passes");
  EXPECT_EQ(judged(kClaims, rules(), kNow + seconds(310)), "token_expired");
}

TEST(Verify, AtJwtBringsRfc9068sRequiredClaims) {
  IssuerRules strict = rules();
  strict.token_type = TokenType::kAtJwt;
  const auto with_header = [&strict](std::string_view typ, std::string_view claims) {
    return outcome(
        sign_jws(R"({"alg":"ES256","kid":"es")" + std::string(typ) + "}", claims, Algorithm::ES256), strict);
  };
  EXPECT_EQ(with_header(R"(,"typ":"at+jwt")", kClaims), "passes");
  EXPECT_EQ(with_header(R"(,"typ":"application/at+jwt")", kClaims), "passes");
  EXPECT_EQ(with_header(R"(,"typ":"JWT")", kClaims), "token_type");
  EXPECT_EQ(with_header("", kClaims), "token_type");
  for (const std::string name : {"aud", "sub", "client_id", "iat", "jti"}) {
    std::string claims = kClaims;
    claims.replace(claims.find("\"" + name + "\""), name.size() + 2, "\"x-" + name + "\"");
    EXPECT_EQ(with_header(R"(,"typ":"at+jwt")", claims), "token_malformed") << name;
    EXPECT_EQ(judged(claims), name == "aud" ? "token_audience" : "passes") << name;
  }
}

TEST(Judge, DetailsShowTheTokensOwnValuesAndNoneConfigured) {
  AccessToken token;
  token.iss = "https://id.example/";
  token.aud = {"account"};
  token.exp = kNow - hours(1);
  const auto audience = judge(token, rules(), kNow);
  ASSERT_FALSE(audience.has_value());
  EXPECT_NE(audience.error().detail.find("account"), std::string::npos);
  EXPECT_EQ(audience.error().detail.find("orders-api"), std::string::npos);
  token.aud.clear();
  EXPECT_EQ(judge(token, rules(), kNow).error().detail,
            "the token has no aud, so nothing says that it was issued for this API");
  token.aud = {"orders-api"};
  EXPECT_EQ(judge(token, rules(), kNow).error().detail,
            "the token's exp is 1699996400, the time here is 1700000000");
  token.iss = "https://evil.example/";
  EXPECT_EQ(judge(token, rules(), kNow).error().detail.find("id.example"), std::string::npos);
}

}  // namespace
}  // namespace holdfast::token
