#include "policy/cors.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

namespace holdfast::policy {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

const CorsRules kApp{.origins = {"https://app.example.com", "http://localhost:3000"}};
const CorsRules kWithCookies{.origins = {"https://app.example.com"}, .credentials = true};
const CorsRules kAnybody{.any_origin = true};

http::RequestHead request(std::string_view method, const Pairs& fields) {
  http::RequestHead head;
  head.method = head.fields.arena().store(method);
  for (const auto& [name, value] : fields) head.fields.add(name, value);
  return head;
}

Pairs pairs(const http::Fields& fields) {
  Pairs out;
  for (const http::Field& field : fields) out.emplace_back(field.name, field.value);
  return out;
}

TEST(Cors, APreflightNamesAnOriginAndOneMethod) {
  const auto method = [](std::string_view sent, const Pairs& fields) {
    return std::string(preflight_method(request(sent, fields)).value_or("none"));
  };
  const std::string kMethod = "access-control-request-method";
  EXPECT_EQ(method("OPTIONS", {{"Origin", "https://a"}, {kMethod, "DELETE"}}), "DELETE");
  EXPECT_EQ(method("OPTIONS", {{"Origin", "null"}, {kMethod, "GET"}}), "GET");
  EXPECT_EQ(method("OPTIONS", {{"Origin", "https://a"}}), "none");
  EXPECT_EQ(method("OPTIONS", {{kMethod, "GET"}}), "none");
  EXPECT_EQ(method("GET", {{"Origin", "https://a"}, {kMethod, "GET"}}), "none");
  EXPECT_EQ(method("options", {{"Origin", "https://a"}, {kMethod, "GET"}}), "none");
  EXPECT_EQ(method("OPTIONS", {{"Origin", "https://a"}, {kMethod, "GET"}, {kMethod, "PUT"}}), "none");
  EXPECT_EQ(method("OPTIONS", {{"Origin", "https://a"}, {kMethod, "GET, PUT"}}), "none");
  EXPECT_EQ(method("OPTIONS", {{"Origin", "https://a"}, {kMethod, ""}}), "none");
}

TEST(Cors, OnlyWhoIsListedMayRead) {
  const auto allowed = [](const CorsRules& rules, const Pairs& fields) {
    return std::string(allowed_origin(rules, request("GET", fields).fields));
  };
  EXPECT_EQ(allowed(kApp, {{"Origin", "https://app.example.com"}}), "https://app.example.com");
  EXPECT_EQ(allowed(kApp, {{"origin", "http://localhost:3000"}}), "http://localhost:3000");
  for (const std::string foreign : {
           "https://evil.example.com",
           "http://app.example.com",
           "https://app.example.com:444",
           "https://app.example.com.evil.example",
           "https://app.example.com/",
           "https://APP.example.com",
           "https://app.example.co",
           "null",
           "*",
           "",
           "https://app.example.com https://evil.example.com",
       }) {
    EXPECT_EQ(allowed(kApp, {{"Origin", foreign}}), "") << foreign;
  }
  EXPECT_EQ(allowed(kApp, {}), "");
  EXPECT_EQ(allowed(kApp, {{"Origin", "https://app.example.com"}, {"Origin", "https://app.example.com"}}),
            "");
  EXPECT_EQ(allowed(kAnybody, {{"Origin", "https://evil.example.com"}}), "*");
  EXPECT_EQ(allowed(kAnybody, {}), "*");
}

TEST(Cors, AnAnswerSaysWhoMayReadItAndWhat) {
  http::Fields answer;
  answer.add("Content-Type", "text/plain");
  set_cors(kApp, kApp.origins[0], answer);
  EXPECT_EQ(pairs(answer),
            (Pairs{{"Content-Type", "text/plain"},
                   {"Access-Control-Allow-Origin", "https://app.example.com"},
                   {"Access-Control-Expose-Headers", "WWW-Authenticate, DPoP-Nonce, Date, Retry-After"},
                   {"Vary", "Origin"}}));
  http::Fields cookies;
  set_cors(kWithCookies, kWithCookies.origins[0], cookies);
  EXPECT_EQ(cookies.find("Access-Control-Allow-Credentials"), "true");
  http::Fields foreign;
  set_cors(kWithCookies, "", foreign);
  EXPECT_EQ(pairs(foreign), (Pairs{{"Vary", "Origin"}})) << "or a cache would hand it to who may read it";
}

TEST(Cors, WhatTheBackendSaysOfItIsTakenOutAndWhatItExposesStays) {
  http::Fields answer;
  for (const auto& [name, value] : Pairs{
           {"Access-Control-Allow-Origin", "*"},
           {"access-control-allow-credentials", "true"},
           {"Access-Control-Expose-Headers", "X-Total,  date"},
           {"Vary", "Accept-Encoding"},
           {"ACCESS-CONTROL-ALLOW-PRIVATE-NETWORK", "true"},
           {"Access-Control-Expose-Headers", "x-total, Link, bad name, ,"},
           {"Vary", "origin"},
           {"Access-Controls", "kept"},
       }) {
    answer.add(name, value);
  }
  http::Fields foreign;
  for (const http::Field& field : answer) foreign.add(field.name, field.value);
  set_cors(kApp, kApp.origins[0], answer);
  EXPECT_EQ(pairs(answer), (Pairs{{"Access-Controls", "kept"},
                                  {"Access-Control-Allow-Origin", "https://app.example.com"},
                                  {"Access-Control-Expose-Headers",
                                   "WWW-Authenticate, DPoP-Nonce, Date, Retry-After, X-Total, Link"},
                                  {"Vary", "Accept-Encoding, origin"}}));
  set_cors(kApp, "", foreign);
  EXPECT_EQ(pairs(foreign), (Pairs{{"Access-Controls", "kept"}, {"Vary", "Accept-Encoding, origin"}}));
  http::Fields anything;
  anything.add("Vary", "*");
  set_cors(kApp, "", anything);
  EXPECT_EQ(pairs(anything), (Pairs{{"Vary", "*"}}));
}

TEST(Cors, APreflightIsTold) {
  const std::string vary = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";
  const auto told = [](const CorsRules& rules, const Pairs& fields) {
    http::Fields answer;
    answer_preflight(rules, request("OPTIONS", fields), "PUT", answer);
    return pairs(answer);
  };
  EXPECT_EQ(told(kApp, {{"Origin", "https://app.example.com"},
                        {"Access-Control-Request-Headers", "content-type,DPoP, x-a"},
                        {"Access-Control-Request-Headers", "x-b, x a, x-a"}}),
            (Pairs{{"Vary", vary},
                   {"Access-Control-Allow-Origin", "https://app.example.com"},
                   {"Access-Control-Allow-Methods", "PUT"},
                   {"Access-Control-Allow-Headers", "authorization, dpop, content-type, x-a, x-b"},
                   {"Access-Control-Max-Age", "600"}}));
  EXPECT_EQ(told(kApp, {{"Origin", "https://evil.example.com"}, {"Access-Control-Request-Headers", "dpop"}}),
            (Pairs{{"Vary", vary}}));
  const Pairs with_cookies = told(kWithCookies, {{"Origin", "https://app.example.com"}});
  EXPECT_EQ(with_cookies[2], (Pairs::value_type{"Access-Control-Allow-Credentials", "true"}));
  EXPECT_EQ(told(kAnybody, {{"Origin", "https://x"}})[1],
            (Pairs::value_type{"Access-Control-Allow-Origin", "*"}));
}

// Each name is held against those before it, so a list as long as a head may be would cost a second.
TEST(Cors, ALongListIsCutOff) {
  std::string asked = "a0";
  for (int i = 1; i < 20'000; ++i) asked += ",a" + std::to_string(i);
  http::Fields answer;
  answer_preflight(kAnybody,
                   request("OPTIONS", {{"Origin", "https://a"}, {"Access-Control-Request-Headers", asked}}),
                   "GET", answer);
  const std::string allowed(*answer.find("Access-Control-Allow-Headers"));
  EXPECT_TRUE(allowed.ends_with(", a99")) << allowed.size();
}

}  // namespace
}  // namespace holdfast::policy
