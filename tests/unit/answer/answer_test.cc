#include "answer/answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <initializer_list>
#include <map>
#include <string>
#include <vector>

#include "answer/reason_table.h"

namespace holdfast::answer {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const AnswerSettings kSettings{.algs = "ES256 Ed25519"};

policy::Route make_route(policy::Access access) {
  policy::Route route;
  route.access = access;
  route.require.scopes = {"orders:read", "orders:write"};
  return route;
}

std::vector<std::string> challenges(const Answer& answer) {
  std::vector<std::string> values;
  for (const http::Field& field : answer.fields) {
    if (iequals(field.name, "WWW-Authenticate")) values.emplace_back(field.value);
  }
  return values;
}

// The contract's table, one line a reason: status, and the error that DPoP's challenge carries ("-" no error,
// "" no challenge).
struct Expected {
  unsigned status;
  std::string_view error;
};
const std::map<Reason, Expected> kTable = {
    {Reason::no_credentials, {401, "-"}},
    {Reason::authorization_malformed, {400, "invalid_request"}},
    {Reason::authorization_multiple, {400, "invalid_request"}},
    {Reason::origin_unknown, {421, ""}},
    {Reason::bearer_refused, {401, "-"}},
    {Reason::bearer_for_bound_token, {401, "invalid_token"}},
    {Reason::proof_missing, {401, "invalid_dpop_proof"}},
    {Reason::proof_multiple, {401, "invalid_dpop_proof"}},
    {Reason::proof_malformed, {401, "invalid_dpop_proof"}},
    {Reason::proof_type, {401, "invalid_dpop_proof"}},
    {Reason::proof_algorithm, {401, "invalid_dpop_proof"}},
    {Reason::proof_key, {401, "invalid_dpop_proof"}},
    {Reason::proof_key_private, {401, "invalid_dpop_proof"}},
    {Reason::proof_critical, {401, "invalid_dpop_proof"}},
    {Reason::proof_claim, {401, "invalid_dpop_proof"}},
    {Reason::htm_mismatch, {401, "invalid_dpop_proof"}},
    {Reason::htu_mismatch, {401, "invalid_dpop_proof"}},
    {Reason::iat_too_old, {401, "invalid_dpop_proof"}},
    {Reason::iat_in_future, {401, "invalid_dpop_proof"}},
    {Reason::ath_mismatch, {401, "invalid_dpop_proof"}},
    {Reason::proof_signature, {401, "invalid_dpop_proof"}},
    {Reason::proof_replayed, {401, "invalid_dpop_proof"}},
    {Reason::nonce_required, {401, "use_dpop_nonce"}},
    {Reason::nonce_stale, {401, "use_dpop_nonce"}},
    {Reason::nonce_invalid, {401, "use_dpop_nonce"}},
    {Reason::token_malformed, {401, "invalid_token"}},
    {Reason::token_type, {401, "invalid_token"}},
    {Reason::token_algorithm, {401, "invalid_token"}},
    {Reason::token_issuer, {401, "invalid_token"}},
    {Reason::token_audience, {401, "invalid_token"}},
    {Reason::token_key_unknown, {401, "invalid_token"}},
    {Reason::token_signature, {401, "invalid_token"}},
    {Reason::token_expired, {401, "invalid_token"}},
    {Reason::token_not_yet_valid, {401, "invalid_token"}},
    {Reason::token_unbound, {401, "invalid_token"}},
    {Reason::token_inactive, {401, "invalid_token"}},
    {Reason::key_mismatch, {403, "invalid_token"}},
    {Reason::certificate_mismatch, {401, "invalid_token"}},
    {Reason::scope_missing, {403, "insufficient_scope"}},
    {Reason::role_missing, {403, ""}},
    {Reason::claim_mismatch, {403, ""}},
    {Reason::step_up_required, {401, "insufficient_user_authentication"}},
    {Reason::route_denied, {403, ""}},
    {Reason::no_route, {404, ""}},
    {Reason::issuer_unavailable, {503, ""}},
    {Reason::introspection_unavailable, {503, ""}},
    {Reason::replay_store_unavailable, {503, ""}},
    {Reason::replay_store_full, {503, ""}},
    {Reason::key_quota, {429, ""}},
    {Reason::upstream_unavailable, {502, ""}},
    {Reason::upstream_timeout, {504, ""}},
    {Reason::overloaded, {503, ""}},
    {Reason::draining, {503, ""}},
    {Reason::request_malformed, {400, ""}},
    {Reason::request_too_large, {413, ""}},
    {Reason::headers_too_large, {431, ""}},
    {Reason::request_timeout, {408, ""}},
};

TEST(Answer, EveryReasonHasTheContractsAnswer) {
  const policy::Route route = make_route(policy::Access::dpop);
  for (const Reason reason : kAllReasons) {
    const std::string_view name = reason_name(reason);
    ASSERT_TRUE(kTable.contains(reason)) << name;
    const Expected& expected = kTable.at(reason);
    const Answer answer = make_answer(
        kSettings, {reason, "why"}, {.request_id = "r1", .route = &route, .tried = policy::AuthScheme::dpop});
    EXPECT_EQ(answer.status, expected.status) << name;
    EXPECT_EQ(answer.fields.find("content-type"), "application/problem+json") << name;
    EXPECT_EQ(answer.fields.find("cache-control"), "no-store") << name;
    EXPECT_EQ(answer.fields.contains("retry-after"), answer.status == 503 || answer.status == 429) << name;
    EXPECT_EQ(answer.close, answer.status == 400
                                ? reason == Reason::request_malformed
                                : answer.status == 408 || answer.status == 413 || answer.status == 431)
        << name;
    EXPECT_FALSE(answer.fields.contains("dpop-nonce")) << name;

    if (expected.error.empty()) {
      EXPECT_THAT(challenges(answer), IsEmpty()) << name;
    } else if (expected.error == "-") {
      EXPECT_THAT(challenges(answer), ElementsAre(R"(DPoP algs="ES256 Ed25519")")) << name;
    } else {
      const std::string scope =
          reason == Reason::scope_missing ? R"(, scope="orders:read orders:write")" : "";
      EXPECT_THAT(challenges(answer),
                  ElementsAre("DPoP error=\"" + std::string(expected.error) +
                              R"(", error_description="why")" + scope + R"(, algs="ES256 Ed25519")"))
          << name;
    }
    if (answer.status == 401) {
      EXPECT_FALSE(challenges(answer).empty()) << "every 401 carries algs: " << name;
    }

    const boost::json::object problem = boost::json::parse(answer.body).as_object();
    EXPECT_EQ(problem.size(), 6U) << name;
    EXPECT_EQ(problem.at("type").as_string(), "urn:holdfast:reason:" + std::string(name));
    EXPECT_EQ(problem.at("title").as_string(), reason_row(reason).title);
    EXPECT_FALSE(reason_row(reason).title.empty()) << name;
    EXPECT_EQ(reduce_detail(reason_row(reason).title), reason_row(reason).title) << name;
    EXPECT_EQ(problem.at("status").to_number<unsigned>(), expected.status);
    EXPECT_EQ(problem.at("detail").as_string(), "why");
    EXPECT_EQ(problem.at("reason").as_string(), name);
    EXPECT_EQ(problem.at("request_id").as_string(), "r1");
  }
}

TEST(Answer, RoutesThatTakeBothPutTheErrorOnTheOneTried) {
  const policy::Route route = make_route(policy::Access::dpop_or_bearer);
  const auto answer = [&route](Reason reason, policy::AuthScheme tried) {
    return challenges(make_answer(kSettings, {reason, "why"}, {.route = &route, .tried = tried}));
  };
  using policy::AuthScheme;
  EXPECT_THAT(answer(Reason::no_credentials, AuthScheme::none),
              ElementsAre(R"(DPoP algs="ES256 Ed25519")", "Bearer"));
  EXPECT_THAT(answer(Reason::token_expired, AuthScheme::bearer),
              ElementsAre(R"(DPoP algs="ES256 Ed25519")",
                          R"(Bearer error="invalid_token", error_description="why")"));
  EXPECT_THAT(
      answer(Reason::token_expired, AuthScheme::dpop),
      ElementsAre(R"(DPoP error="invalid_token", error_description="why", algs="ES256 Ed25519")", "Bearer"));
  EXPECT_THAT(answer(Reason::bearer_for_bound_token, AuthScheme::bearer),
              ElementsAre(R"(DPoP algs="ES256 Ed25519")",
                          R"(Bearer error="invalid_token", error_description="why")"));
  EXPECT_THAT(answer(Reason::proof_multiple, AuthScheme::bearer),
              ElementsAre(R"(DPoP error="invalid_dpop_proof", error_description="why", algs="ES256 Ed25519")",
                          "Bearer"));
  EXPECT_THAT(answer(Reason::authorization_multiple, AuthScheme::bearer),
              ElementsAre(R"(DPoP error="invalid_request", error_description="why", algs="ES256 Ed25519")",
                          R"(Bearer error="invalid_request", error_description="why")"));
  EXPECT_THAT(
      answer(Reason::scope_missing, AuthScheme::bearer),
      ElementsAre(
          R"(DPoP algs="ES256 Ed25519")",
          R"(Bearer error="insufficient_scope", error_description="why", scope="orders:read orders:write")"));
  EXPECT_THAT(answer(Reason::role_missing, AuthScheme::bearer), IsEmpty());
}

// RFC 9470 3: the client takes them to its issuer as they are.
TEST(Answer, AStepUpNamesWhatTheRouteDemands) {
  policy::Route route = make_route(policy::Access::dpop);
  const auto challenge = [&route](policy::AuthScheme tried = policy::AuthScheme::dpop) {
    return challenges(
        make_answer(kSettings, {Reason::step_up_required, "why"}, {.route = &route, .tried = tried}));
  };
  const std::string begin = R"(DPoP error="insufficient_user_authentication", error_description="why")";
  const std::string end = R"(, algs="ES256 Ed25519")";
  route.require.acr = {"gold", "urn:x:silver"};
  EXPECT_THAT(challenge(), ElementsAre(begin + R"(, acr_values="gold urn:x:silver")" + end));
  route.require.max_auth_age = std::chrono::milliseconds(900'500);
  EXPECT_THAT(challenge(), ElementsAre(begin + R"(, acr_values="gold urn:x:silver", max_age="900")" + end));
  route.require.acr.clear();
  EXPECT_THAT(challenge(), ElementsAre(begin + R"(, max_age="900")" + end));
  route.access = policy::Access::dpop_or_bearer;
  EXPECT_THAT(
      challenge(policy::AuthScheme::bearer),
      ElementsAre(
          R"(DPoP algs="ES256 Ed25519")",
          R"(Bearer error="insufficient_user_authentication", error_description="why", max_age="900")"));
}

TEST(Answer, DemandsAreNeverCut) {
  policy::Route route = make_route(policy::Access::dpop);
  route.require.scopes = {std::string(200, 'a'), std::string(200, 'b')};
  const auto all = challenges(make_answer(kSettings, {Reason::scope_missing, "why"}, {.route = &route}));
  ASSERT_EQ(all.size(), 1U);
  EXPECT_TRUE(all[0].contains("scope=\"" + std::string(200, 'a') + ' ' + std::string(200, 'b') + '"'));
}

TEST(Answer, ABearerTokenOnADpopRouteIsNotAnsweredWithBearer) {
  const policy::Route route = make_route(policy::Access::dpop);
  const Answer answer = make_answer(kSettings, {Reason::bearer_refused, ""},
                                    {.route = &route, .tried = policy::AuthScheme::bearer});
  EXPECT_THAT(challenges(answer), ElementsAre(R"(DPoP algs="ES256 Ed25519")"));
}

TEST(Answer, EachChallengeNamesTheResourcesMetadata) {
  const policy::Route route = make_route(policy::Access::dpop_or_bearer);
  const auto answer = [&route](Reason reason) {
    return challenges(make_answer(kSettings, {reason, "why"},
                                  {.route = &route,
                                   .tried = policy::AuthScheme::bearer,
                                   .resource_metadata = "https://a/.well-known/oauth-protected-resource"}));
  };
  EXPECT_THAT(
      answer(Reason::no_credentials),
      ElementsAre(
          R"(DPoP algs="ES256 Ed25519", resource_metadata="https://a/.well-known/oauth-protected-resource")",
          R"(Bearer resource_metadata="https://a/.well-known/oauth-protected-resource")"));
  EXPECT_THAT(
      answer(Reason::token_expired),
      ElementsAre(
          R"(DPoP algs="ES256 Ed25519", resource_metadata="https://a/.well-known/oauth-protected-resource")",
          R"(Bearer error="invalid_token", error_description="why", )"
          R"(resource_metadata="https://a/.well-known/oauth-protected-resource")"));
  EXPECT_THAT(answer(Reason::role_missing), IsEmpty());
}

TEST(Answer, KeyMismatchHasTheConfiguredStatus) {
  const Answer answer =
      make_answer({.algs = "ES256", .key_mismatch_status = 401}, {Reason::key_mismatch, "why"}, {});
  EXPECT_EQ(answer.status, 401);
  EXPECT_THAT(challenges(answer),
              ElementsAre(R"(DPoP error="invalid_token", error_description="why", algs="ES256")"));
  EXPECT_EQ(boost::json::parse(answer.body).at("status").to_number<int>(), 401);
}

TEST(Answer, CarriesAFreshNonce) {
  const Answer answer = make_answer(kSettings, {Reason::nonce_required, ""}, {.nonce = "fresh"});
  EXPECT_EQ(answer.fields.find("DPoP-Nonce"), "fresh");
}

TEST(Answer, RetryAfterIsInSeconds) {
  EXPECT_EQ(make_answer(kSettings, {Reason::overloaded, ""}, {.retry_after = 7}).fields.find("Retry-After"),
            "7");
  EXPECT_EQ(make_answer(kSettings, {Reason::key_quota, ""}, {}).fields.find("Retry-After"), "1");
}

TEST(Answer, DetailCannotBreakOut) {
  const std::string nasty =
      "htu names \"https://a\\\", \r\nSet-Cookie: a=b \xc3\xa9 " + std::string(1000, 'x');
  const Answer answer = make_answer(kSettings, {Reason::htu_mismatch, nasty}, {.request_id = "\"\\\n"});
  ASSERT_EQ(challenges(answer).size(), 1U);
  const std::string challenge = challenges(answer)[0];
  EXPECT_TRUE(challenge.starts_with(
      R"(DPoP error="invalid_dpop_proof", error_description="htu names 'https://a?', ??Set-Cookie: a=b ?? xxx)"))
      << challenge;
  for (const char c : challenge) EXPECT_TRUE(c >= 0x20 && c <= 0x7E && c != '\\');
  const boost::json::value problem = boost::json::parse(answer.body);
  EXPECT_EQ(problem.at("detail").as_string().size(), 256U);
  EXPECT_EQ(problem.at("request_id").as_string(), "'??");
}

TEST(Answer, AnEmptyDetailIsTheTitle) {
  const Answer answer = make_answer(kSettings, {Reason::no_route, ""}, {});
  EXPECT_EQ(boost::json::parse(answer.body).at("detail").as_string(), "No such route");
}

TEST(ReduceDetail, KeepsRfc6750sCharacters) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string reduced = reduce_detail(std::string(1, static_cast<char>(byte)));
    const bool kept = byte >= 0x20 && byte <= 0x7E && byte != '"' && byte != '\\';
    EXPECT_EQ(reduced, kept ? std::string(1, static_cast<char>(byte)) : byte == '"' ? "'" : "?") << byte;
  }
  EXPECT_EQ(reduce_detail(std::string(257, 'a')), std::string(256, 'a'));
}

TEST(MalformedAnswer, HasTheExactStatusAndCloses) {
  for (const std::uint16_t status : std::initializer_list<std::uint16_t>{400, 408, 413, 414, 431, 501, 505}) {
    const Answer answer = make_malformed_answer(status, {Reason::request_malformed, "why"}, "r");
    EXPECT_EQ(answer.status, status);
    EXPECT_TRUE(answer.close);
    EXPECT_EQ(boost::json::parse(answer.body).at("status").to_number<int>(), status);
    EXPECT_THAT(challenges(answer), IsEmpty());
  }
}

TEST(MethodNotAllowed, IsForConnectAndTrace) {
  EXPECT_TRUE(is_forbidden_method("CONNECT"));
  EXPECT_TRUE(is_forbidden_method("TRACE"));
  EXPECT_TRUE(is_forbidden_method("trace")) << "a backend may take it for TRACE";
  EXPECT_TRUE(is_forbidden_method("Connect"));
  for (const std::string_view method : {"GET", "OPTIONS", "TRACK", "TRACES", ""}) {
    EXPECT_FALSE(is_forbidden_method(method)) << method;
  }
  const Answer answer = make_method_not_allowed("r");
  EXPECT_EQ(answer.status, 405);
  const std::string allow(answer.fields.find("Allow").value_or(""));
  EXPECT_TRUE(allow.contains("GET"));
  EXPECT_FALSE(allow.contains("TRACE"));
  EXPECT_FALSE(allow.contains("CONNECT"));
}

TEST(OfferNonce, IsNotForCaches) {
  http::Fields response;
  response.add("cache-control", "public, max-age=60");
  response.add("DPoP-Nonce", "the backend's");
  offer_nonce(response, "ours");
  EXPECT_EQ(response.count("DPoP-Nonce"), 1U);
  EXPECT_EQ(response.find("DPoP-Nonce"), "ours");
  EXPECT_EQ(response.count("Cache-Control"), 1U);
  EXPECT_EQ(response.find("Cache-Control"), "no-store");
}

}  // namespace
}  // namespace holdfast::answer
