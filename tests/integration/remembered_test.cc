// `holdfast explain --id`: what a running process remembers of the requests that it refused. That every
// refusal is told as `explain` tells the request itself is held where refusals are tested (refusal_cases.cc).
#include <atomic>
#include <csignal>
#include <thread>

#include "refusal_cases.h"

namespace holdfast::integration {
namespace {

std::unique_ptr<Sidecar> administered(Settings settings = {}) {
  settings.admin = kAdmin;
  return std::make_unique<Sidecar>(settings);
}

std::string id_of(const Response& answer) {
  return member_of(answer, "request_id");
}

TEST(RememberedTest, TellsOfARefusalAndNoSecret) {
  const auto sidecar = administered();
  const std::string nonce = sidecar->send(sidecar->with_proof("GET", "/nonce/1")).fields.value("DPoP-Nonce");
  ASSERT_FALSE(nonce.empty());
  Proof proof = sidecar->proof("GET", "/orders/42", sidecar->good_token());
  proof.payload.text("htu", "https://www.example.com/orders/42?code=of-the-query");
  proof.payload.text("jti", "the-jti-of-this-proof");
  proof.payload.text("nonce", nonce);
  const std::string signed_proof = proof.sign(sidecar->client);
  Request request =
      Sidecar::with("GET", "/orders/42?access_token=of-the-query", sidecar->good_token(), signed_proof);
  request.add("Cookie", "session=of-the-cookie");
  const Response answer = sidecar->send(request);
  ASSERT_EQ(reason_of(answer), "htu_mismatch");
  const auto told = explain_id(*sidecar, id_of(answer));
  EXPECT_EQ(told.exit_code, 5) << told.err;
  EXPECT_EQ(told.err, "");
  EXPECT_TRUE(told.out.starts_with("denied: 401 htu_mismatch (listener public, route orders)\nrequest " +
                                   id_of(answer) + " of "))
      << told.out;
  EXPECT_NE(told.out.find(", from 127.0.0.1\n"), std::string::npos) << told.out;
  EXPECT_NE(told.out.find("\n✓ request          GET /orders/42\n"), std::string::npos) << told.out;
  EXPECT_NE(told.out.find("by key " + sidecar->client.thumbprint()), std::string::npos) << told.out;
  EXPECT_NE(
      told.out.find("\n✗ htu              " + member_of(answer, "detail") +
                    " → set listeners[0].public_origins: [https://www.example.com], if that is what clients "
                    "call this API\n· iat              not evaluated\n"),
      std::string::npos)
      << told.out;
  const std::string proof_end = signed_proof.substr(signed_proof.size() - 20);
  const std::string token_end = sidecar->good_token().substr(sidecar->good_token().size() - 20);
  for (const std::string& secret :
       {proof_end, token_end, nonce, std::string("the-jti-of-this-proof"), std::string("of-the-query"),
        std::string("of-the-cookie"), std::string(kAdminToken), std::string("PRIVATE")}) {
    EXPECT_EQ(told.out.find(secret), std::string::npos) << secret;
  }
}

TEST(RememberedTest, WhatOnlyARunningProxyKnows) {
  const auto sidecar = administered();
  const Request twice = sidecar->with_proof("GET", "/orders/42");
  ASSERT_EQ(sidecar->send(twice).status, 200);
  const Response replayed = sidecar->send(twice);
  ASSERT_EQ(reason_of(replayed), "proof_replayed");
  const auto told = explain_id(*sidecar, id_of(replayed));
  EXPECT_EQ(told.exit_code, 5);
  EXPECT_NE(told.out.find("\n✓ proof signature  verifies under the proof's jwk\n✗ replay "),
            std::string::npos)
      << told.out;
  EXPECT_NE(told.out.find(" → the client makes a new proof for every request"), std::string::npos)
      << told.out;

  // It was allowed, and that is what the exit code says; what came of it is told, too.
  sidecar->backend.stop();
  const Response broken = sidecar->send(sidecar->with_proof("GET", "/orders/42"));
  ASSERT_EQ(reason_of(broken), "upstream_unavailable");
  const auto after = explain_id(*sidecar, id_of(broken));
  EXPECT_EQ(after.exit_code, 0);
  EXPECT_TRUE(after.out.starts_with(
      "allowed: went to upstream backend, and ended with 502 upstream_unavailable (listener public, route "
      "orders)\n"))
      << after.out;
  EXPECT_NE(after.out.find("\n✓ replay           the proof was new\n✗ exchange "), std::string::npos)
      << after.out;
  EXPECT_NE(after.out.find(" → upstreams[0].servers "), std::string::npos) << after.out;
}

TEST(RememberedTest, AReportIsTold) {
  Settings settings;
  settings.routes =
      "  - {name: tried, match: {path: /tried/**}, enforce: false, require: {scopes: [\"a:b\"]}, upstream: "
      "backend}\n";
  settings.tls_listener = "trusted_proxies: [127.0.0.1/32], ";
  const auto sidecar = administered(settings);
  Request request = sidecar->with_proof("GET", "/tried/1");
  request.add("X-Request-Id", "of/the:proxy");
  request.add("X-Forwarded-For", "192.0.2.9");
  ASSERT_EQ(sidecar->send(request).status, 200);
  ASSERT_TRUE(sidecar->holdfast->wait_out("of/the:proxy"));
  const auto told = explain_id(*sidecar, "of/the:proxy");
  EXPECT_EQ(told.exit_code, 0) << told.err;
  EXPECT_TRUE(
      told.out.starts_with("allowed: went to upstream backend unenforced, else 403 scope_missing (listener "
                           "public, route tried)\n"))
      << told.out;
  EXPECT_NE(told.out.find(", route requires [a:b] → "), std::string::npos) << told.out;

  // An id that is used again is the newest's.
  Request again = Sidecar::with("GET", "/orders/1", sidecar->good_token(), "no-proof");
  again.add("X-Request-Id", "of/the:proxy");
  ASSERT_EQ(reason_of(sidecar->send(again)), "proof_malformed");
  const auto newest = explain_id(*sidecar, "of/the:proxy");
  EXPECT_TRUE(newest.out.starts_with("denied: 401 proof_malformed ")) << newest.out;
  EXPECT_NE(newest.out.find(", the newest of 2 with this id\n"), std::string::npos) << newest.out;
}

// With two workers each connection's requests are with one of them.
TEST(RememberedTest, WhicheverWorkerRefusedIt) {
  const auto sidecar = administered();
  for (int i = 0; i < 16; ++i) {
    Request request;
    request.target = "/nowhere/" + std::to_string(i);
    const Response answer = sidecar->send(request);
    const auto told = explain_id(*sidecar, id_of(answer));
    EXPECT_NE(told.out.find("GET /nowhere/" + std::to_string(i) + "\n"), std::string::npos)
        << told.out << told.err;
  }
}

TEST(RememberedTest, AReloadChangesNothingOfWhatWas) {
  const auto sidecar = administered();
  const Response answer = sidecar->send(sidecar->with_proof("GET", "/scoped/1"));
  ASSERT_EQ(reason_of(answer), "scope_missing");
  const auto before = explain_id(*sidecar, id_of(answer));
  EXPECT_NE(before.out.find("scoped (routes[2])"), std::string::npos) << before.out;
  std::string yaml = sidecar->yaml();
  const std::size_t denied = yaml.find("  - {name: denied");
  yaml.erase(denied, yaml.find('\n', denied) + 1 - denied);
  yaml.replace(yaml.find("orders:write"), 12, "orders:other");
  const auto reload = [&](int times) {
    sidecar->folder.write("holdfast.yaml", yaml + "# " + std::to_string(times) + '\n');
    sidecar->holdfast->signal(SIGHUP);
    const std::string wanted = "holdfast_config_reloads_total{result=\"ok\"} " + std::to_string(times);
    for (const auto deadline = std::chrono::steady_clock::now() + kPatience;
         std::chrono::steady_clock::now() < deadline;) {
      Stream stream = Stream::plain(sidecar->probes_port);
      stream.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
      if (MessageReader(stream).response().body.find(wanted) != std::string::npos) return true;
      std::this_thread::sleep_for(Milliseconds{20});
    }
    return false;
  };
  ASSERT_TRUE(reload(1));
  EXPECT_EQ(explain_id(*sidecar, id_of(answer)).out, before.out);
  const Response now = sidecar->send(sidecar->with_proof("GET", "/scoped/1"));
  const auto changed = explain_id(*sidecar, id_of(now));
  EXPECT_NE(changed.out.find("scoped (routes[1])"), std::string::npos) << changed.out;
  EXPECT_NE(changed.out.find("orders:other"), std::string::npos) << changed.out;
  for (int times = 2; times <= 5; ++times) ASSERT_TRUE(reload(times));
  const auto long_after = explain_id(*sidecar, id_of(answer));
  EXPECT_EQ(long_after.exit_code, 1);
  EXPECT_NE(long_after.err.find("a configuration that several reloads have replaced"), std::string::npos)
      << long_after.err;
  EXPECT_NE(explain_id(*sidecar, id_of(now)).out.find("orders:other"), std::string::npos);
}

TEST(RememberedTest, SaysWhyItCannotSay) {
  const auto sidecar = administered();
  const std::string file = (sidecar->folder.path() / "holdfast.yaml").string();
  const auto unknown = explain_id(*sidecar, "0123456789abcdef");
  EXPECT_EQ(unknown.exit_code, 1);
  EXPECT_EQ(unknown.out, "");
  EXPECT_EQ(
      unknown.err,
      "holdfast explain: no request with this id is remembered. Refused requests are: with a good token "
      "0 (all since this process began), others 0 (all since this process began)\n");
  const auto run = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"explain", "-c", file});
    return support::run_holdfast(arguments, "");
  };
  EXPECT_EQ(explain_id(*sidecar, "no id").exit_code, 2);
  EXPECT_EQ(explain_id(*sidecar, "a\r\nX: y").exit_code, 2);
  EXPECT_EQ(run({}).exit_code, 2);
  EXPECT_EQ(run({"--id", "a", "--request", "-"}).exit_code, 2);
  EXPECT_EQ(run({"--id", "a", "--now", "7"}).exit_code, 2);

  sidecar->folder.write("admin.token", "another-token-0123456789", true);
  const auto stranger = explain_id(*sidecar, "a");
  EXPECT_EQ(stranger.exit_code, 1);
  EXPECT_NE(stranger.err.find("has another token than "), std::string::npos) << stranger.err;
  sidecar->folder.write("admin.token", "short", true);
  EXPECT_EQ(explain_id(*sidecar, "a").exit_code, 3) << "the configuration is invalid";

  sidecar->folder.write("admin.token", kAdminToken, true);
  sidecar->holdfast->signal(SIGTERM);
  ASSERT_EQ(sidecar->holdfast->wait_exit(), 0);
  const auto gone = explain_id(*sidecar, "a");
  EXPECT_EQ(gone.exit_code, 4);
  EXPECT_NE(gone.err.find("admin.sock: "), std::string::npos) << gone.err;

  const std::string yaml = sidecar->yaml();
  for (const char* admin : {"off", "{address: \"127.0.0.1:1\"}"}) {
    std::string without = yaml;
    without.replace(without.find(kAdmin), kAdmin.size(), admin);
    sidecar->folder.write("holdfast.yaml", without);
    EXPECT_EQ(explain_id(*sidecar, "a").exit_code, 2) << admin;
  }
}

TEST(RememberedTest, OverTcp) {
  const std::uint16_t port = support::free_port();
  Settings settings;
  settings.admin = "{address: \"127.0.0.1:" + std::to_string(port) + "\", token_file: admin.token}";
  const Sidecar sidecar(settings);
  const Response answer = sidecar.send(Request{});
  const auto told = explain_id(sidecar, id_of(answer));
  EXPECT_EQ(told.exit_code, 5) << told.err;
  EXPECT_TRUE(told.out.starts_with("denied: 404 no_route ")) << told.out;
}

// Asked while both workers refuse as fast as they can; what the sanitizers say of it is the point.
TEST(RememberedTest, IsAskedWhileItRemembers) {
  const std::uint16_t port = support::free_port();
  Settings settings;
  settings.admin = "{address: \"127.0.0.1:" + std::to_string(port) + "\", token_file: admin.token}";
  const Sidecar sidecar(settings);
  std::atomic<bool> done = false;
  std::vector<std::thread> clients;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([&] {
      Stream stream = sidecar.dial_plain();
      MessageReader reader(stream);
      while (!done) {
        stream.send("GET /nowhere HTTP/1.1\r\nHost: api.example.com\r\n\r\n");
        EXPECT_EQ(reader.response().status, 404);
      }
    });
  }
  std::string body;
  for (int i = 0; i < 300; ++i) {
    Stream stream = Stream::plain(port);
    stream.send("GET /requests/unknown HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " +
                std::string(kAdminToken) + "\r\n\r\n");
    body = MessageReader(stream).response().body;
  }
  done = true;
  for (std::thread& client : clients) client.join();
  EXPECT_TRUE(body.starts_with("no request with this id is remembered.")) << body;
  EXPECT_NE(body.find(" (all since 20"), std::string::npos) << "older ones have given way: " << body;
}

}  // namespace
}  // namespace holdfast::integration
