// Routes with `enforce: false`: what would be refused passes and is told. Contract: "Report only".
#include "sidecar.h"

namespace holdfast::integration {
namespace {

class ReportOnlyTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    sidecar = std::make_unique<Sidecar>(Settings{.routes = R"(
  - {name: trial-scoped, match: {path: /trial/scoped}, require: {scopes: ["orders:write"]}, enforce: false, upstream: backend}
  - {name: trial-nonce, match: {path: /trial/nonce}, nonce: required, enforce: false, upstream: backend}
  - {name: trial, match: {path: /trial/**}, enforce: false, upstream: backend}
)"});
  }
  static void TearDownTestSuite() { sidecar.reset(); }
  void SetUp() override {
    sidecar->backend.on_request([](Exchange& exchange) { exchange.respond(200, "", "ok"); });
    sidecar->backend.forget();
  }

  static std::string metrics() {
    Stream probes = Stream::plain(sidecar->probes_port);
    probes.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
    return MessageReader(probes).response().body;
  }
  // The log's line of the request with this path has these members beside each other.
  static void expect_logged(std::string_view path, std::string_view members) {
    EXPECT_TRUE(sidecar->holdfast->wait_out(members)) << members;
    const std::string out = sidecar->holdfast->out();
    bool found = false;
    for (std::size_t at = out.find(members); at != std::string::npos; at = out.find(members, at + 1)) {
      const std::size_t begin = out.rfind('\n', at) + 1;
      found = found || out.substr(begin, at - begin).contains("\"path\":\"" + std::string(path) + '"');
    }
    EXPECT_TRUE(found) << path << ' ' << members;
  }

  static std::unique_ptr<Sidecar> sidecar;
};

std::unique_ptr<Sidecar> ReportOnlyTest::sidecar;

TEST_F(ReportOnlyTest, ARequestWithoutCredentialsPassesAndIsReported) {
  Request request;
  request.target = "/trial/none";
  request.add("X-Auth-Subject", "mallory").add("x_auth_roles", "admin").add("X-Forwarded-For", "1.2.3.4");
  EXPECT_EQ(sidecar->send(request).status, 200);
  const auto seen = sidecar->backend.last();
  EXPECT_FALSE(seen.fields.has("X-Auth-Subject"));
  EXPECT_FALSE(seen.fields.has("x_auth_roles"));
  EXPECT_EQ(seen.fields.value("X-Forwarded-For"), "127.0.0.1");
  expect_logged("/trial/none", R"("decision":"report","reason":"no_credentials","scheme":null,"sub":null)");
  EXPECT_NE(
      metrics().find(R"(holdfast_decisions_total{route="trial",decision="report",reason="no_credentials"} )"),
      std::string::npos);
}

TEST_F(ReportOnlyTest, CredentialsGoOnAsTheyCame) {
  Request basic;
  basic.target = "/trial/basic";
  EXPECT_EQ(sidecar->send(basic.add("Authorization", "Basic dTpw")).status, 200);
  EXPECT_EQ(sidecar->backend.last().fields.all("Authorization"), std::vector<std::string>{"Basic dTpw"});

  // The scope is missing: a good token and a good proof go on, and nobody's name.
  const Request scoped = sidecar->with_proof("GET", "/trial/scoped");
  EXPECT_EQ(sidecar->send(scoped).status, 200);
  const auto seen = sidecar->backend.last();
  EXPECT_EQ(seen.fields.all("Authorization"), std::vector<std::string>{scoped.fields[0].second});
  EXPECT_EQ(seen.fields.all("DPoP"), std::vector<std::string>{scoped.fields[1].second});
  EXPECT_FALSE(seen.fields.has("X-Auth-Subject"));
  expect_logged("/trial/scoped",
                R"("decision":"report","reason":"scope_missing","scheme":"dpop","sub":"8d1f3f0c-alice")");

  const Request good = sidecar->with_proof("GET", "/trial/good");
  EXPECT_EQ(sidecar->send(good).status, 200);
  const auto named = sidecar->backend.last();
  EXPECT_EQ(named.fields.all("X-Auth-Subject"), std::vector<std::string>{"8d1f3f0c-alice"});
  EXPECT_EQ(named.fields.all("DPoP"), std::vector<std::string>{good.fields[1].second});
  expect_logged("/trial/good", R"("decision":"allow","reason":null)");

  // The same proof again: claimed, so reported, and without a name this time.
  EXPECT_EQ(sidecar->send(good).status, 200);
  EXPECT_FALSE(sidecar->backend.last().fields.has("X-Auth-Subject"));
  expect_logged("/trial/good", R"("decision":"report","reason":"proof_replayed")");
}

TEST_F(ReportOnlyTest, AnUnknownOriginIsReported) {
  Request request = sidecar->with_proof("GET", "/trial/origin");
  request.host = "evil.example.com";
  EXPECT_EQ(sidecar->send(request).status, 200);
  EXPECT_EQ(sidecar->backend.last().fields.value("Host"), "evil.example.com");
  EXPECT_FALSE(sidecar->backend.last().fields.has("X-Auth-Subject"));
  expect_logged("/trial/origin", R"("decision":"report","reason":"origin_unknown")");
  request = sidecar->with_proof("GET", "/orders/origin");
  request.host = "evil.example.com";
  expect_refusal(sidecar->send(request), 421, "origin_unknown");
}

TEST_F(ReportOnlyTest, TheNextNonceIsFoundInTheAnswer) {
  EXPECT_FALSE([] {
    Request request;
    request.target = "/trial/nonce";
    return sidecar->send(request);
  }()
                   .fields.has("DPoP-Nonce"));
  const Response first = sidecar->send(sidecar->with_proof("GET", "/trial/nonce"));
  EXPECT_EQ(first.status, 200);
  const std::string nonce = first.fields.value("DPoP-Nonce");
  ASSERT_FALSE(nonce.empty());
  expect_logged("/trial/nonce", R"("decision":"report","reason":"nonce_required")");
  EXPECT_EQ(sidecar->send(sidecar->with_nonce("GET", "/trial/nonce", nonce)).status, 200);
  EXPECT_TRUE(sidecar->backend.last().fields.has("X-Auth-Subject"));
}

TEST_F(ReportOnlyTest, WhatIsNoQuestionOfTheCallerRefuses) {
  const auto get = [](std::string_view target) {
    Request request;
    request.target = target;
    return sidecar->send(request);
  };
  expect_refusal(get("/nowhere"), 404, "no_route");
  expect_refusal(get("/denied/1"), 403, "route_denied");
  expect_refusal(get("/trial/..%2forders/1"), 400, "request_malformed");
  expect_refusal(get("/trial/%00"), 400, "request_malformed");
  expect_refusal(sidecar->send_raw("GET /trial/1 HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n"),
                 400, "request_malformed");
  Request upgrade;
  upgrade.target = "/trial/socket";
  upgrade.add("Upgrade", "websocket").add("Connection", "Upgrade").add("Sec-WebSocket-Version", "13");
  expect_refusal(sidecar->send(upgrade), 400, "request_malformed");
  expect_refusal(get("/orders/1"), 401, "no_credentials");
  EXPECT_EQ(sidecar->backend.seen_count(), 0U);
}

}  // namespace
}  // namespace holdfast::integration
