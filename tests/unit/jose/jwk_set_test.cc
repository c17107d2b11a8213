// Rules 17 and 21: which keys of a set may have signed.
#include "jose/jwk_set.h"

#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <algorithm>

#include "../../support/sign_jws.h"
#include "../../support/vectors.h"
#include "base/base64url.h"
#include "jose/json.h"
#include "jose/jws.h"

namespace holdfast::jose {
namespace {

using holdfast::testing::key_for;
using holdfast::testing::load_vectors;
using holdfast::testing::text_at;

// A public key with further members.
std::string jwk(Algorithm alg, std::string_view extra = "", int which = 0) {
  std::string text = canonical_jwk(key_for(alg, which).public_key());
  text.pop_back();
  return text + (extra.empty() ? "" : ",") + std::string(extra) + "}";
}

std::string set_of(std::initializer_list<std::string> keys) {
  std::string text = R"({"keys":[)";
  for (const std::string& key : keys) text += (text.back() == '[' ? "" : ",") + key;
  return text + "]}";
}

TEST(JwkSet, AKeyIsChosenByKidAndAlgorithm) {
  const auto set = KeySet::parse(
      set_of({jwk(Algorithm::RS256, R"("kid":"a","alg":"RS256","use":"sig")"),
              jwk(Algorithm::ES256, R"("kid":"b")"), jwk(Algorithm::Ed25519, R"("kid":"c","alg":"EdDSA")")}));
  ASSERT_TRUE(set.has_value()) << set.error();
  EXPECT_EQ(set->keys().size(), 3U);
  EXPECT_EQ(set->candidates("a", Algorithm::RS256).size(), 1U);
  EXPECT_EQ(set->candidates("a", Algorithm::PS256).size(), 0U) << "its alg says RS256";
  EXPECT_EQ(set->candidates("b", Algorithm::ES256).size(), 1U);
  EXPECT_EQ(set->candidates("b", Algorithm::ES384).size(), 0U) << "not its curve";
  EXPECT_EQ(set->candidates("c", Algorithm::EdDSA).size(), 1U);
  EXPECT_EQ(set->candidates("c", Algorithm::Ed25519).size(), 1U) << "two names of one algorithm";
  EXPECT_EQ(set->candidates("d", Algorithm::RS256).size(), 0U);
  EXPECT_EQ(set->candidates("", Algorithm::RS256).size(), 0U);
  EXPECT_EQ(set->candidates(std::nullopt, Algorithm::RS256).size(), 1U);
  EXPECT_EQ(set->candidates(std::nullopt, Algorithm::ES384).size(), 0U);
}

TEST(JwkSet, OneKidMayNameKeysOfSeveralKinds) {
  const auto set =
      KeySet::parse(set_of({jwk(Algorithm::RS256, R"("kid":"a")"), jwk(Algorithm::ES256, R"("kid":"a")")}));
  ASSERT_TRUE(set.has_value());
  const auto chosen = set->candidates("a", Algorithm::ES256);
  ASSERT_EQ(chosen.size(), 1U);
  EXPECT_EQ(chosen.front()->key.type(), crypto::KeyType::kP256);
}

TEST(JwkSet, WithoutKidOnlyAFewAreTried) {
  std::string keys = R"({"keys":[)" + jwk(Algorithm::ES256);
  for (int i = 0; i < 20; ++i) keys += "," + jwk(Algorithm::ES256);
  const auto set = KeySet::parse(keys + "]}");
  ASSERT_TRUE(set.has_value());
  EXPECT_EQ(set->candidates(std::nullopt, Algorithm::ES256).size(), kMaxCandidates);
}

TEST(JwkSet, SkipsWhatItCannotUse) {
  const std::string good = jwk(Algorithm::ES256, R"("kid":"good")");
  const std::string cases[] = {jwk(Algorithm::RS256, R"("use":"enc")"),
                               jwk(Algorithm::RS256, R"("use":7)"),
                               jwk(Algorithm::RS256, R"("key_ops":["encrypt"])"),
                               jwk(Algorithm::RS256, R"("key_ops":"verify")"),
                               jwk(Algorithm::RS256, R"("alg":"RSA-OAEP")"),
                               jwk(Algorithm::RS256, R"("alg":"ES256")"),
                               jwk(Algorithm::RS256, R"("alg":"HS256")"),
                               jwk(Algorithm::RS256, R"("alg":null)"),
                               jwk(Algorithm::RS256, R"("kid":7)"),
                               jwk(Algorithm::RS256, R"("d":"AQAB")"),
                               R"({"kty":"oct","k":"AQAB","kid":"mac"})",
                               R"({"kty":"LMS"})",
                               R"({"kty":"RSA","n":"AQAB","e":"AQAB"})",
                               "null",
                               "7",
                               R"("text")",
                               "[]",
                               "{}"};
  for (const std::string& odd : cases) {
    const auto set = KeySet::parse(set_of({odd, good}));
    ASSERT_TRUE(set.has_value()) << odd;
    EXPECT_EQ(set->keys().size(), 1U) << odd;
    EXPECT_EQ(set->skipped(), 1U) << odd;
    EXPECT_FALSE(KeySet::parse(set_of({odd})).has_value()) << odd;
  }
  EXPECT_TRUE(
      KeySet::parse(set_of({jwk(Algorithm::RS256, R"("key_ops":["sign","verify"],"x5c":["MII"],"x":1)")}))
          .has_value());
}

TEST(JwkSet, ABrokenOrEmptySetIsAnError) {
  for (const char* const text : {"", "{}", "[]", "null", R"({"keys":{}})", R"({"keys":null})",
                                 R"({"keys":[]})", R"({"keys":[],"keys":[]})", "<html>", R"({"keys":[)"}) {
    EXPECT_FALSE(KeySet::parse(text).has_value()) << text;
  }
  std::string many = R"({"keys":[)" + jwk(Algorithm::ES256);
  for (std::size_t i = 0; i < kMaxJwkSetKeys; ++i) many += ",{}";
  EXPECT_FALSE(KeySet::parse(many + "]}").has_value());
  EXPECT_FALSE(KeySet::parse(set_of({jwk(Algorithm::ES256)}) + std::string(kMaxJwkSetSize, ' ')).has_value());
}

// Everything that stands between a JWS and "verified" in this folder.
bool verifies(std::string_view text, const KeySet& set) {
  const auto jws = split_compact(text, kMaxTokenSize);
  if (!jws) return false;
  const auto header_text = base64url_decode(jws->header);
  const auto payload = base64url_decode(jws->payload);
  const auto signature = base64url_decode(jws->signature);
  if (!header_text || !payload || !signature) return false;
  const auto header = parse_json_object(*header_text);
  if (!header || header->contains("crit")) return false;
  const auto name = string_member(*header, "alg");
  const auto alg = name ? algorithm_named(*name) : std::nullopt;
  if (!alg) return false;
  for (const SetKey* key : set.candidates(string_member(*header, "kid"), *alg)) {
    if (crypto::verify(key->key, row_of(*alg).signature, jws->signing_input, *signature)) return true;
  }
  return false;
}

// "ES521" in this file is a label for ES512. Rows 346 and 350 are RFC 7520's figure 20, which signs with
// PS384, but label its key PS256; as rows 337 and 338 want a key marked PS512 to refuse PS256, the label is
// mended here and not overlooked there.
boost::json::value relabelled(boost::json::value key) {
  boost::json::object& members = key.as_object();
  if (!members.contains("alg")) return key;
  if (members.at("alg") == "ES521") members["alg"] = "ES512";
  if (members.at("alg") == "PS256" && members.at("kid") == "bilbo.baggins@hobbiton.example")
    members["alg"] = "PS384";
  return key;
}

bool is_mac(const boost::json::value& key) {
  return key.as_object().contains("kty") && key.at("kty") == "oct";
}

std::size_t check_wycheproof(const boost::json::value& vectors, bool keys_are_sets) {
  std::size_t rows = 0;
  for (const auto& group : vectors.at("testGroups").as_array()) {
    const boost::json::object& members = group.as_object();
    const boost::json::value& given =
        members.contains("public") ? members.at("public") : members.at("private");
    boost::json::array keys;
    if (keys_are_sets) {
      keys = given.at("keys").as_array();
    } else {
      keys.push_back(relabelled(given));
    }
    const bool only_macs = std::all_of(keys.begin(), keys.end(), is_mac);
    const auto set = KeySet::parse(boost::json::serialize(boost::json::object{{"keys", keys}}));
    for (const auto& row : group.at("tests").as_array()) {
      const std::string text = text_at(row, "jws");
      // MACs do not apply: such a key is skipped, so their valid rows are refused as well. Rule 4 refuses an
      // empty payload, which is a valid JWS: neither a proof nor a token ever has one.
      const bool good =
          text_at(row, "result") == "valid" && !only_macs && text_at(row, "comment") != "emptyPayload";
      EXPECT_EQ(set.has_value() && verifies(text, *set), good)
          << "tcId " << row.at("tcId").as_int64() << ": " << text_at(row, "comment");
      ++rows;
    }
  }
  return rows;
}

TEST(JwkSet, WycheproofJsonWebSignature) {
  const auto vectors = load_vectors("wycheproof/json_web_signature_test.json");
  if (!vectors) GTEST_SKIP() << "no Wycheproof vectors beside the repository";
  EXPECT_EQ(check_wycheproof(*vectors, false), 401U);
}

TEST(JwkSet, WycheproofJsonWebKey) {
  const auto vectors = load_vectors("wycheproof/json_web_key_test.json");
  if (!vectors) GTEST_SKIP() << "no Wycheproof vectors beside the repository";
  EXPECT_EQ(check_wycheproof(*vectors, true), 26U);
}

}  // namespace
}  // namespace holdfast::jose
