// Issuer keys over time: away at start, rotated, broken, gone for a while. Rule 21 of the verifier.
#include <thread>

#include "sidecar.h"

namespace holdfast::integration {
namespace {

Response attempt(const Sidecar& sidecar) {
  return sidecar.send(sidecar.with_proof("GET", "/orders/1"));
}

Response attempt_with(const Sidecar& sidecar, const std::string& token) {
  return sidecar.send(Sidecar::with("GET", "/orders/1", token,
                                    sidecar.proof("GET", "/orders/1", token).sign(sidecar.client)));
}

bool comes_true(const std::function<bool()>& condition, Milliseconds patience = kPatience) {
  for (const auto deadline = std::chrono::steady_clock::now() + patience;
       std::chrono::steady_clock::now() < deadline;) {
    if (condition()) return true;
    std::this_thread::sleep_for(Milliseconds{50});
  }
  return false;
}

TEST(IssuerTest, StartsWhileTheIssuerIsAwayAndBecomesReady) {
  Settings settings;
  settings.issuer_down = true;
  Sidecar sidecar(settings);
  EXPECT_EQ(sidecar.holdfast->probe("/startupz"), 200);
  EXPECT_EQ(sidecar.holdfast->probe("/livez"), 200);
  EXPECT_EQ(sidecar.holdfast->probe("/readyz"), 503);
  const Response refused = attempt(sidecar);
  expect_refusal(refused, 503, "issuer_unavailable");
  EXPECT_TRUE(refused.fields.has("Retry-After"));
  Request open;
  open.target = "/public/x";
  EXPECT_EQ(sidecar.send(open).status, 200) << "a public route needs no issuer";
  sidecar.backend.forget();
  sidecar.issuer.come_back();
  EXPECT_TRUE(sidecar.holdfast->wait_ready(Milliseconds{40000}));
  EXPECT_EQ(attempt(sidecar).status, 200);
}

TEST(IssuerTest, RotatedKeyIsFetchedOnce) {
  Settings settings;
  settings.issuer = "jwks: {refresh: 1h, min_refetch_interval: 1s}, ";
  Sidecar sidecar(settings);
  EXPECT_EQ(attempt(sidecar).status, 200);
  const std::size_t before = sidecar.issuer.jwks_fetches();
  sidecar.issuer.rotate(true);
  const std::string token = sidecar.issuer.sign(sidecar.token());
  std::vector<std::thread> clients;
  std::atomic<int> passed{0};
  for (int i = 0; i < 16; ++i) {
    clients.emplace_back([&] { passed += attempt_with(sidecar, token).status == 200 ? 1 : 0; });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(passed, 16) << "no valid request may be refused while keys rotate";
  EXPECT_LE(sidecar.issuer.jwks_fetches() - before, 3U) << "one flight for all who wait";
  EXPECT_EQ(attempt(sidecar).status, 200) << "the old key is still published";
}

TEST(IssuerTest, KeyThatWasWithdrawnNoLongerCounts) {
  Settings settings;
  settings.issuer = "jwks: {refresh: 1s, min_refetch_interval: 1s}, ";
  Sidecar sidecar(settings);
  EXPECT_EQ(attempt(sidecar).status, 200) << "the token is now in the cache";
  sidecar.issuer.rotate(false);
  EXPECT_TRUE(comes_true([&] { return attempt(sidecar).status == 401; }))
      << "a cached token outlived its key";
  const Response refused = attempt(sidecar);
  EXPECT_TRUE(reason_of(refused) == "token_key_unknown" || reason_of(refused) == "token_signature")
      << refused.body;
}

TEST(IssuerTest, UnknownKidsCannotMakeUsFloodTheIssuer) {
  Settings settings;
  settings.issuer = "jwks: {refresh: 1h, min_refetch_interval: 1h}, ";
  Sidecar sidecar(settings);
  const std::size_t before = sidecar.issuer.jwks_fetches();
  for (int i = 0; i < 40; ++i) {
    AccessToken token = sidecar.token();
    token.header.text("kid", "nobody-" + std::to_string(i));
    const Response answer = attempt_with(sidecar, sidecar.issuer.sign(token));
    EXPECT_EQ(answer.status, 401) << answer.body;
  }
  EXPECT_LE(sidecar.issuer.jwks_fetches() - before, 4U) << "a burst of three, then one an interval";
  EXPECT_EQ(attempt(sidecar).status, 200);
}

TEST(IssuerTest, LastGoodSetServesWhileTheIssuerIsDown) {
  Settings settings;
  settings.issuer = "jwks: {refresh: 1s, min_refetch_interval: 1s}, ";
  Sidecar sidecar(settings);
  sidecar.issuer.go_away();
  std::this_thread::sleep_for(Milliseconds{3000});
  EXPECT_EQ(attempt(sidecar).status, 200);
  EXPECT_EQ(sidecar.holdfast->probe("/readyz"), 200);
}

TEST(IssuerTest, BrokenSetsAreFailedRefreshes) {
  Settings settings;
  settings.issuer = "jwks: {refresh: 1s, min_refetch_interval: 1s}, ";
  Sidecar sidecar(settings);
  const auto ok = [](const std::string& body) {
    return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
           std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" + body;
  };
  for (const std::string& raw :
       {ok(R"({"keys":[]})"), ok("{"), ok("[]"), ok(R"({"keys":{}})"), ok(""), std::string("garbage\r\n\r\n"),
        std::string("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
        std::string("HTTP/1.1 302 Found\r\nLocation: /realms/demo/elsewhere\r\nContent-Length: "
                    "0\r\nConnection: close\r\n\r\n"),
        ok(R"({"keys":[{"kty":"RSA","use":"enc","kid":"x","n":"AQAB","e":"AQAB"}]})")}) {
    SCOPED_TRACE(raw);
    const std::size_t before = sidecar.issuer.jwks_fetches();
    sidecar.issuer.answer_jwks_with(raw);
    EXPECT_TRUE(comes_true([&] { return sidecar.issuer.jwks_fetches() > before; })) << "no refresh came";
    std::this_thread::sleep_for(Milliseconds{200});
    EXPECT_EQ(attempt(sidecar).status, 200);
  }
  for (const auto& seen : sidecar.issuer.server().seen()) {
    EXPECT_EQ(seen.target.find("elsewhere"), std::string::npos) << "a redirect was followed";
  }
}

TEST(IssuerTest, OddKeysInTheSetAreSkipped) {
  Settings settings;
  settings.issuer = "jwks: {refresh: 1s, min_refetch_interval: 1s}, ";
  Sidecar sidecar(settings);
  sidecar.issuer.publish(R"({"kty":"XYZ","kid":"a"})");
  sidecar.issuer.publish(R"({"kty":"RSA","kid":"b","n":"AQAB","e":"AQAB"})");
  sidecar.issuer.publish(R"({"kty":"oct","kid":"c","k":"AAAA"})");
  sidecar.issuer.publish(R"({})");
  sidecar.issuer.rotate(true);
  EXPECT_EQ(attempt_with(sidecar, sidecar.issuer.sign(sidecar.token())).status, 200);
}

TEST(IssuerTest, MetadataOfAnotherIssuerIsNotBelieved) {
  Settings settings;
  settings.issuer_down = true;
  Sidecar sidecar(settings);
  const std::string document = support::Members{}
                                   .text("issuer", "https://evil.example.com")
                                   .text("jwks_uri", sidecar.issuer.url() + "/jwks")
                                   .json();
  sidecar.issuer.answer_discovery_with(
      "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(document.size()) +
      "\r\nConnection: close\r\n\r\n" + document);
  sidecar.issuer.come_back();
  EXPECT_TRUE(comes_true([&] { return sidecar.issuer.server().seen_count() > 0; }));
  std::this_thread::sleep_for(Milliseconds{500});
  EXPECT_EQ(sidecar.holdfast->probe("/readyz"), 503);
  EXPECT_EQ(sidecar.issuer.jwks_fetches(), 0U);
  expect_refusal(attempt(sidecar), 503, "issuer_unavailable");
  sidecar.issuer.answer_properly();
  EXPECT_TRUE(sidecar.holdfast->wait_ready(Milliseconds{40000}));
}

}  // namespace
}  // namespace holdfast::integration
