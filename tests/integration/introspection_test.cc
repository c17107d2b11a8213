// Tokens that their issuer is asked about (RFC 7662), with an issuer that says what the test wants, or does
// not. Rule 22 of the verifier.
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <thread>

#include "refusal_cases.h"

namespace holdfast::integration {
namespace {

using support::Members;

constexpr std::string_view kOpaque = "2YotnFZFEjr1zCsicMWpAA";
constexpr std::string_view kSecret = "s3cret/+";
constexpr std::string_view kAuthorization = "Basic b3JkZXJzLWFwaTpzM2NyZXQlMkYlMkI=";

Settings introspecting(const std::string& mode = "opaque", const std::string& cache = "1h",
                       const std::string& issuer = "") {
  Settings settings;
  settings.issuer = issuer + "introspection: {mode: " + mode +
                    ", client_id: orders-api, client_secret_file: client.secret, cache: " + cache + "}, ";
  settings.files = {{"client.secret", std::string(kSecret) + "\n"}};
  return settings;
}

// An answer that is taken.
Members active(const Sidecar& sidecar) {
  Members said;
  said.raw("active", "true")
      .text("token_type", "DPoP")
      .text("aud", kAudience)
      .text("sub", "alice")
      .text("username", "al")
      .text("client_id", "app")
      .text("scope", "orders:read orders:write")
      .number("exp", support::unix_now() + 300)
      .raw("cnf", "{\"jkt\":\"" + sidecar.client.thumbprint() + "\"}");
  return said;
}

class World : public Sidecar {
 public:
  explicit World(const Settings& settings = introspecting()) : Sidecar(settings) {
    issuer.expect_authorization(std::string(kAuthorization));
    issuer.know(std::string(kOpaque), active(*this));
  }
  [[nodiscard]] Response attempt(std::string_view token = kOpaque,
                                 std::string_view target = "/orders/1") const {
    return send(with("GET", target, token, proof("GET", target, token).sign(client)));
  }
};

bool comes_true(const std::function<bool()>& condition, Milliseconds patience = kPatience) {
  for (const auto deadline = std::chrono::steady_clock::now() + patience;
       std::chrono::steady_clock::now() < deadline;) {
    if (condition()) return true;
    std::this_thread::sleep_for(Milliseconds{20});
  }
  return false;
}

std::string metrics(const Sidecar& sidecar) {
  Stream stream = Stream::plain(sidecar.probes_port);
  stream.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
  return MessageReader(stream).response().body;
}

TEST(IntrospectionTest, AnOpaqueTokenPassesAndItsHolderIsNamed) {
  World world;
  EXPECT_EQ(world.attempt().status, 200);
  const auto seen = world.backend.last();
  EXPECT_EQ(seen.fields.value("X-Auth-Subject"), "alice");
  EXPECT_EQ(seen.fields.value("X-Auth-Client-Id"), "app");
  EXPECT_EQ(seen.fields.value("X-Auth-Username"), "al");
  EXPECT_EQ(seen.fields.value("X-Auth-Scope"), "orders:read orders:write");
  EXPECT_EQ(seen.fields.value("X-Auth-Issuer"), world.issuer.url());
  EXPECT_EQ(seen.fields.value("X-Auth-Key-Thumbprint"), world.client.thumbprint());
  EXPECT_FALSE(seen.fields.has("Authorization"));
  EXPECT_FALSE(seen.fields.has("DPoP"));
  EXPECT_EQ(world.attempt(kOpaque, "/scoped/1").status, 200);
  EXPECT_EQ(world.issuer.introspections(), 1U) << "the answer is known by then";
  EXPECT_EQ(world.attempt(world.good_token()).status, 200) << "a JWT speaks for itself";
  EXPECT_EQ(world.issuer.introspections(), 1U);

  EXPECT_TRUE(world.holdfast->wait_out("\"sub\":\"alice\""));
  const std::string all = world.holdfast->out() + world.holdfast->err() + metrics(world);
  for (const std::string_view secret : {kOpaque, kSecret, kAuthorization.substr(6)}) {
    EXPECT_EQ(all.find(secret), std::string::npos) << secret;
  }
}

TEST(IntrospectionTest, WhatTheIssuerSaysDecides) {
  World world(introspecting("opaque", "0s"));
  const auto http = [](const std::string& head, const std::string& body) {
    return "HTTP/1.1 " + head + "\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\nConnection: close\r\n\r\n" + body;
  };
  const std::string ok = "200 OK\r\nContent-Type: application/json";
  const auto said = [&world](auto change) {
    Members members = active(world);
    change(members);
    return members.json();
  };
  const auto set = [&said](std::string name, std::string value) {
    return said([&](Members& members) { members.raw(name, value); });
  };
  const auto without = [&said](std::string name) {
    return said([&](Members& members) { members.erase(name); });
  };
  struct Case {
    std::string answer;
    int status;
    std::string_view reason;
  };
  for (const Case& c : {
           Case{http(ok, R"({"active":false})"), 401, "token_inactive"},
           Case{http(ok, set("active", "\"true\"")), 503, "introspection_unavailable"},
           Case{http(ok, set("active", "1")), 503, "introspection_unavailable"},
           Case{http(ok, without("active")), 503, "introspection_unavailable"},
           Case{http(ok, said([](Members& members) { members.repeat("active", "true"); })), 503,
                "introspection_unavailable"},
           Case{http(ok, without("cnf")), 401, "token_unbound"},
           Case{http(ok, set("cnf", "{}")), 401, "token_unbound"},
           Case{http(ok, set("cnf", R"({"jkt":")" + SigningKey::generate("ES256").thumbprint() + "\"}")), 403,
                "key_mismatch"},
           Case{http(ok, set("exp", std::to_string(support::unix_now() - 60))), 401, "token_expired"},
           Case{http(ok, set("exp", "\"soon\"")), 401, "token_malformed"},
           Case{http(ok, without("exp")), 401, "token_malformed"},
           Case{http(ok, set("nbf", std::to_string(support::unix_now() + 600))), 401, "token_not_yet_valid"},
           Case{http(ok, set("aud", "\"billing-api\"")), 401, "token_audience"},
           Case{http(ok, without("aud")), 401, "token_audience"},
           Case{http(ok, set("iss", "\"https://evil.example.com\"")), 401, "token_issuer"},
           Case{http(ok, set("token_type", "\"refresh_token\"")), 401, "token_type"},
           Case{http(ok, "{"), 503, "introspection_unavailable"},
           Case{http(ok, "[]"), 503, "introspection_unavailable"},
           Case{http(ok, ""), 503, "introspection_unavailable"},
           Case{http(ok, set("pad", '"' + std::string(200'000, 'x') + '"')), 503,
                "introspection_unavailable"},
           Case{http("200 OK\r\nContent-Type: text/html", said([](Members&) {})), 503,
                "introspection_unavailable"},
           Case{http("200 OK", said([](Members&) {})), 503, "introspection_unavailable"},
           Case{http(ok + "\r\nContent-Encoding: gzip", said([](Members&) {})), 503,
                "introspection_unavailable"},
           Case{http("302 Found\r\nLocation: " + world.issuer.url() + "/elsewhere", ""), 503,
                "introspection_unavailable"},
           Case{http("401 Unauthorized\r\nContent-Type: application/json", R"({"error":"invalid_client"})"),
                503, "introspection_unavailable"},
           Case{http("500 Oops", ""), 503, "introspection_unavailable"},
           Case{"garbage\r\n\r\n", 503, "introspection_unavailable"},
           Case{"", 503, "introspection_unavailable"},
       }) {
    SCOPED_TRACE(c.answer.substr(0, 400));
    world.issuer.on_introspection([&](Exchange& exchange) {
      exchange.read_body();
      exchange.send(c.answer);
      exchange.close();
    });
    const Response answer = world.attempt();
    expect_refusal(answer, c.status, c.reason);
    if (answer.status == 401) expect_challenge(answer, "invalid_token");
    if (answer.status == 503) {
      EXPECT_TRUE(answer.fields.has("Retry-After"));
      EXPECT_FALSE(answer.fields.has("WWW-Authenticate"));
    }
  }
  world.issuer.on_introspection(nullptr);
  EXPECT_EQ(world.backend.seen_count(), 0U);
  EXPECT_FALSE(world.issuer.server().find(world.issuer.url() + "/elsewhere"));
  EXPECT_EQ(world.attempt().status, 200);
  EXPECT_TRUE(world.holdfast->wait_out("\"event\":\"introspection_failed\""));
  EXPECT_TRUE(world.holdfast->wait_out("\"event\":\"introspection_works_again\""));
}

TEST(IntrospectionTest, AnIssuerThatIsAwayIsAskedAgainWhenItIsBack) {
  World world;
  world.issuer.go_away();
  const Response refused = world.attempt();
  expect_refusal(refused, 503, "introspection_unavailable");
  EXPECT_TRUE(refused.fields.has("Retry-After"));
  EXPECT_EQ(world.attempt(world.good_token()).status, 200) << "its keys are known";
  world.issuer.come_back();
  EXPECT_EQ(world.attempt().status, 200);
}

TEST(IntrospectionTest, AnAnswerThatNeverEndsIsNotWaitedForForEver) {
  std::atomic<bool> over{false};  // outlives the issuer's threads, which end with the world
  World world;
  for (const bool drips : {true, false}) {
    world.issuer.on_introspection([&over, drips](Exchange& exchange) {
      exchange.read_body();
      if (drips)
        exchange.send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"active\":true,\"x\":\"");
      while (!over && (!drips || exchange.send("x"))) std::this_thread::sleep_for(Milliseconds{50});
      exchange.close();
    });
    expect_refusal(world.attempt(), 503, "introspection_unavailable");
  }
  over = true;
  EXPECT_EQ(world.backend.seen_count(), 0U);
}

TEST(IntrospectionTest, ManyRequestsAtOnceAreOneQuestion) {
  World world;
  std::mutex mutex;
  std::condition_variable released;
  bool held = true;
  world.issuer.on_introspection([&](Exchange& exchange) {
    exchange.read_body();
    std::unique_lock lock(mutex);
    released.wait(lock, [&] { return !held; });
    exchange.respond(200, "Content-Type: application/json\r\n", active(world).json());
  });
  constexpr int kClients = 64;
  std::vector<std::thread> clients;
  std::atomic<int> sent{0};
  std::atomic<int> passed{0};
  for (int i = 0; i < kClients; ++i) {
    clients.emplace_back([&] {
      Stream stream = world.dial();
      stream.send(Sidecar::with("GET", "/orders/1", kOpaque,
                                world.proof("GET", "/orders/1", kOpaque).sign(world.client))
                      .raw());
      ++sent;
      passed += MessageReader(stream).response().status == 200 ? 1 : 0;
    });
  }
  EXPECT_TRUE(comes_true([&] { return sent == kClients && world.issuer.introspections() > 0; }));
  {
    const std::lock_guard lock(mutex);
    held = false;
  }
  released.notify_all();
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(passed, kClients);
  EXPECT_EQ(world.issuer.introspections(), 1U);
  const std::string text = metrics(world);
  for (const char* const line :
       {"\nholdfast_introspection_total{issuer=\"demo\",result=\"active\"} 1\n",
        "\nholdfast_introspection_total{issuer=\"demo\",result=\"failed\"} 0\n",
        "\nholdfast_introspection_duration_seconds_bucket{issuer=\"demo\",le=\"+Inf\"} 1\n",
        "\nholdfast_introspection_duration_seconds_count{issuer=\"demo\"} 1\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  }
  world.issuer.on_introspection(nullptr);
}

TEST(IntrospectionTest, ARevokedTokenIsRefusedWithinTheCacheTime) {
  for (const std::string& mode : {std::string("opaque"), std::string("always")}) {
    World world(introspecting(mode, "1s"));
    const std::string token = mode == "opaque" ? std::string(kOpaque) : world.good_token();
    world.issuer.know(token, active(world));
    ASSERT_EQ(world.attempt(token).status, 200);
    world.issuer.revoke(token);
    const auto revoked = std::chrono::steady_clock::now();
    // Whatever began after the cache time is refused; what a slow machine began before may still pass.
    for (bool refused = false; !refused;) {
      const auto began = std::chrono::steady_clock::now();
      const Response answer = world.attempt(token);
      refused = answer.status == 401;
      if (refused) {
        expect_refusal(answer, 401, "token_inactive");
        expect_challenge(answer, "invalid_token");
      } else {
        ASSERT_EQ(answer.status, 200) << answer.body;
        ASSERT_LT(began - revoked, std::chrono::milliseconds(1000)) << mode;
      }
    }
    EXPECT_EQ(world.issuer.introspections(), 2U) << mode;
  }
}

// Without a proof to check first, a Bearer token makes us ask; the same one not again and again, and what the
// issuer says of a bound one makes it no Bearer token.
TEST(IntrospectionTest, ABearerTokenIsAskedAboutOnceForAWhile) {
  Settings settings = introspecting();
  settings.routes =
      "  - {name: either, match: {path: /either/**}, access: dpop_or_bearer, upstream: backend}\n";
  World world(settings);
  const auto attempt = [&world](std::string_view token) {
    Request request;
    request.target = "/either/1";
    request.add("Authorization", "Bearer " + std::string(token));
    return world.send(request);
  };
  constexpr std::size_t kAttempts = 20;
  for (std::size_t i = 0; i < kAttempts; ++i) expect_refusal(attempt("rubbish"), 401, "token_inactive");
  EXPECT_LT(world.issuer.introspections(), kAttempts / 2) << "kept for five seconds";
  expect_refusal(attempt(kOpaque), 401, "bearer_for_bound_token");
  Members unbound = active(world);
  unbound.erase("cnf").text("token_type", "Bearer");
  world.issuer.know("unbound", unbound);
  EXPECT_EQ(attempt("unbound").status, 200);
  EXPECT_EQ(world.backend.seen_count(), 1U);
}

TEST(IntrospectionTest, AnAnswerDoesNotOutliveTheToken) {
  World world(introspecting("opaque", "1h", "clock_skew: 0s, "));
  Members said = active(world);
  said.number("exp", support::unix_now() + 2);
  world.issuer.know(std::string(kOpaque), said);
  Response last = world.attempt();
  EXPECT_TRUE(comes_true([&] {
    last = world.attempt();
    return last.status == 401;
  }));
  expect_refusal(last, 401, "token_expired");
}

TEST(IntrospectionTest, AlwaysAsksAboutJwtsThatHaveVerified) {
  World world(introspecting("always"));
  world.issuer.know(world.good_token(), Members().raw("active", "true").text("sub", "from-answer"));
  EXPECT_EQ(world.attempt(world.good_token()).status, 200);
  EXPECT_EQ(world.backend.last().fields.value("X-Auth-Subject"), "from-answer");
  EXPECT_EQ(world.issuer.introspections(), 1U);
  const std::string forged = world.token().sign(SigningKey::generate("RS256"));
  expect_refusal(world.attempt(forged), 401, "token_signature");
  AccessToken others = world.token();
  others.payload.text("aud", "billing-api");
  expect_refusal(world.attempt(world.issuer.sign(others)), 401, "token_audience");
  EXPECT_EQ(world.issuer.introspections(), 1U) << "what fails by itself is shown to nobody";
  AccessToken unknown = world.token();
  unknown.payload.text("jti", "another");
  expect_refusal(world.attempt(world.issuer.sign(unknown)), 401, "token_inactive");
}

TEST(IntrospectionTest, AStrangerWithoutAKeyMakesNobodyAsk) {
  World world;
  Request bare;
  bare.target = "/orders/1";
  bare.add("Authorization", "DPoP " + std::string(kOpaque));
  expect_refusal(world.send(bare), 401, "proof_missing");
  const std::string forged = world.proof("GET", "/orders/1", kOpaque).sign(SigningKey::generate("ES256"));
  expect_refusal(world.send(Sidecar::with("GET", "/orders/1", kOpaque, forged)), 401, "proof_signature");
  EXPECT_EQ(world.issuer.introspections(), 0U);
}

TEST(IntrospectionTest, AnAssertionShowsWhoAsks) {
  Settings settings;
  settings.issuer =
      "introspection: {mode: opaque, client_id: orders-api, auth: private_key_jwt, key_file: client.pem, "
      "kid: k-1}, ";
  support::TemporaryFolder keys;
  const SigningKey key = SigningKey::generate("ES256");
  key.write_pem(keys.path() / "client.pem");
  settings.files = {{"client.pem", support::read_file(keys.path() / "client.pem")}};
  World world(settings);
  std::mutex mutex;
  std::vector<std::string> bodies;
  world.issuer.on_introspection([&](Exchange& exchange) {
    exchange.read_body();
    const std::lock_guard lock(mutex);
    EXPECT_FALSE(exchange.request.fields.has("Authorization"));
    bodies.push_back(exchange.request.body);
    exchange.respond(200, "Content-Type: application/json\r\n", active(world).json());
  });
  EXPECT_EQ(world.attempt("one").status, 200);
  EXPECT_EQ(world.attempt("two").status, 200);
  world.issuer.on_introspection(nullptr);
  ASSERT_EQ(bodies.size(), 2U);
  const auto assertion = [&](std::size_t which) {
    return bodies[which].substr(bodies[which].rfind("client_assertion=") + 17);
  };
  const std::string header = support::base64url_decode(assertion(0).substr(0, assertion(0).find('.')));
  EXPECT_EQ(header, R"({"alg":"ES256","typ":"JWT","kid":"k-1"})");
  EXPECT_NE(assertion(0), assertion(1));
  EXPECT_TRUE(
      bodies[0].starts_with("token=one&token_type_hint=access_token&client_assertion_type="
                            "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&"))
      << bodies[0];
}

TEST(IntrospectionTest, AReloadTakesANewSecretAndForgetsWhatItKnew) {
  World world;
  EXPECT_EQ(world.attempt().status, 200);
  world.issuer.expect_authorization("Basic b3JkZXJzLWFwaTpuM3c=");
  EXPECT_EQ(world.attempt().status, 200) << "known";
  expect_refusal(world.attempt("another"), 503, "introspection_unavailable");
  EXPECT_TRUE(world.holdfast->wait_out("status 401, invalid_client"));
  world.folder.write("client.secret", "n3w", true);
  world.holdfast->signal(SIGHUP);
  EXPECT_TRUE(world.holdfast->wait_out("\"event\":\"reloaded\""));
  EXPECT_EQ(world.attempt().status, 200);
  EXPECT_EQ(world.issuer.introspections(), 3U);
  world.folder.write("client.secret", "", true);
  world.holdfast->signal(SIGHUP);
  EXPECT_TRUE(world.holdfast->wait_out("\"event\":\"reload_refused\""));
  EXPECT_EQ(world.attempt("another").status, 401) << "it goes on with the secret that it has";
}

TEST(IntrospectionTest, MetadataThatDoesNotSayWhereToAskIsAnError) {
  Settings settings = introspecting();
  settings.issuer_down = true;
  Sidecar sidecar(settings);
  const std::string document =
      Members().text("issuer", sidecar.issuer.url()).text("jwks_uri", sidecar.issuer.url() + "/jwks").json();
  sidecar.issuer.answer_discovery_with(
      "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(document.size()) +
      "\r\nConnection: close\r\n\r\n" + document);
  sidecar.issuer.come_back();
  EXPECT_TRUE(sidecar.holdfast->wait_out("the metadata names no introspection_endpoint"));
  EXPECT_EQ(sidecar.holdfast->probe("/readyz"), 503);
  sidecar.issuer.answer_properly();
  EXPECT_TRUE(sidecar.holdfast->wait_ready(Milliseconds{40000}));
}

// `explain` asks the issuer as the proxy does.
TEST(IntrospectionTest, ExplainSaysWhatTheIssuerSays) {
  for (const std::string mode : {"opaque", "always"}) {
    SCOPED_TRACE(mode);
    World world(introspecting(mode, "0s"));
    const std::string token = mode == "opaque" ? std::string(kOpaque) : world.good_token();
    const auto judged = [&](Members said, std::string_view target) {
      world.issuer.know(token, std::move(said));
      const auto request =
          Sidecar::with("GET", target, token, world.proof("GET", target, token).sign(world.client));
      const auto explained = explain(world, request.raw());
      const Response answer = world.send(request);
      const std::string verdict =
          answer.status == 200 ? "allowed: goes to upstream backend ("
                               : "denied: " + std::to_string(answer.status) + ' ' + reason_of(answer) + " (";
      EXPECT_TRUE(explained.out.starts_with(verdict)) << verdict << explained.out << explained.err;
      EXPECT_EQ(explained.out.find(kOpaque), std::string::npos) << explained.out;
      EXPECT_EQ((explained.out + explained.err).find(kSecret), std::string::npos) << explained.out;
      return explained.out;
    };
    EXPECT_NE(judged(active(world), "/orders/1").find("✓ active"), std::string::npos);
    EXPECT_NE(judged(active(world), "/scoped/1").find("token has [orders:read orders:write]"),
              std::string::npos);
    const std::string inactive = judged(Members().raw("active", "false"), "/orders/1");
    EXPECT_NE(inactive.find("✓ proof signature"), std::string::npos) << inactive;
    EXPECT_NE(inactive.find("✗ active"), std::string::npos) << inactive;
    EXPECT_NE(judged(active(world).text("aud", "another"), "/orders/1").find("✗ aud"), std::string::npos);
  }
}

}  // namespace
}  // namespace holdfast::integration
