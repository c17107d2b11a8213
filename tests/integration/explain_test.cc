// `holdfast explain` beside the proxy: the same verdict for the same bytes, and a ladder that stands where
// the proxy stopped. That all refusals agree is held where they are tested (refusal_cases.cc); here are what
// is allowed, the words, and the ways to ask.
#include "refusal_cases.h"

namespace holdfast::integration {
namespace {

class ExplainTest : public SharedSidecar {
 protected:
  // The line of a check: its sign and its words.
  static std::string rung(const support::Finished& done, const std::string& name) {
    for (const char* sign : {"✓ ", "✗ ", "· "}) {
      const std::size_t at = ('\n' + done.out).find('\n' + std::string(sign) + name + ' ');
      if (at == std::string::npos) continue;
      std::string line = done.out.substr(at, done.out.find('\n', at) - at);
      return sign + line.substr(line.find_first_not_of(' ', std::string(sign).size() + name.size()));
    }
    return "none";
  }
};

TEST_F(ExplainTest, WhatIsAllowed) {
  const Request request = sidecar->with_proof("GET", "/orders/42?page=2");
  const auto explained = explain(*sidecar, request.raw());
  EXPECT_EQ(sidecar->send(request).status, 200);
  EXPECT_EQ(explained.exit_code, 0) << explained.out << explained.err;
  EXPECT_TRUE(
      explained.out.starts_with("allowed: goes to upstream backend (listener public, route orders)\n"))
      << explained.out;
  EXPECT_EQ(rung(explained, "htu"),
            "✓ proof names https://api.example.com/orders/42, and so does the request");
  EXPECT_EQ(rung(explained, "aud"), "✓ token is for [orders-api], accepted: [orders-api]") << explained.out;
  EXPECT_EQ(rung(explained, "proof signature"), "✓ verifies under the proof's jwk");
  EXPECT_TRUE(rung(explained, "replay").starts_with("· ")) << explained.out;

  const auto open = explain(*sidecar, "GET /public/x HTTP/1.1\r\nHost: api.example.com\r\n\r\n");
  EXPECT_EQ(open.exit_code, 0);
  EXPECT_EQ(open.out,
            "allowed: goes to upstream backend (listener public, route public)\n"
            "✓ request  GET /public/x\n"
            "✓ route    public (routes[0]), access public\n");
}

TEST_F(ExplainTest, StopsWhereTheProxyStops) {
  Proof proof = sidecar->proof("GET", "/orders/42", sidecar->good_token());
  proof.payload.text("htu", "https://www.example.com/orders/42");
  const Request request =
      Sidecar::with("GET", "/orders/42", sidecar->good_token(), proof.sign(sidecar->client));
  const auto explained = explain(*sidecar, request.raw());
  EXPECT_EQ(reason_of(sidecar->send(request)), "htu_mismatch");
  EXPECT_TRUE(explained.out.starts_with("denied: 401 htu_mismatch (listener public, route orders)\n"))
      << explained.out;
  EXPECT_EQ(rung(explained, "htm"), "✓ proof names GET, request is GET");
  EXPECT_EQ(
      rung(explained, "htu"),
      "✗ htu names https://www.example.com/orders/42, this request is https://api.example.com/orders/42 → "
      "set listeners[0].public_origins: [https://www.example.com], if that is what clients call this API");
  EXPECT_EQ(rung(explained, "iat"), "· not evaluated");
  EXPECT_EQ(rung(explained, "proof signature"), "· not evaluated");
}

// One reason, several checks: the ladder says which.
TEST_F(ExplainTest, TellsChecksOfOneReasonApart) {
  const auto failed = [](const support::Finished& done) {
    const std::size_t at = done.out.find("\n✗ ");
    return at == std::string::npos ? done.out + done.err
                                   : done.out.substr(at + 5, done.out.find("  ", at) - at - 5);
  };
  const auto proof_without = [&](auto change) {
    return failed(explain(*sidecar, proof_with(change)(*sidecar).raw()));
  };
  EXPECT_EQ(proof_without([](Proof& p) { p.payload.erase("jti"); }), "proof");
  EXPECT_EQ(proof_without([](Proof& p) { p.payload.erase("ath"); }), "ath");
  EXPECT_EQ(proof_without([](Proof& p) { p.payload.number("exp", 1); }), "iat");
  const auto token_failed = [&](auto change) {
    return failed(explain(*sidecar, token_with(change)(*sidecar).raw()));
  };
  EXPECT_EQ(token_failed([](AccessToken& t) { t.header.text("typ", "logout+jwt"); }), "token");
  EXPECT_EQ(token_failed([](AccessToken& t) { t.payload.text("typ", "ID"); }), "claims");
  EXPECT_EQ(token_failed([](AccessToken& t) { t.payload.erase("exp"); }), "claims");
  EXPECT_EQ(token_failed([](AccessToken& t) { t.header.text("kid", "other"); }), "key");
}

TEST_F(ExplainTest, TakesWhatPeopleHaveAtHand) {
  const auto with_proof = [&](std::string_view method) {
    return sidecar->proof(method, "/orders/42", sidecar->good_token()).sign(sidecar->client);
  };
  const std::string authorization = "Authorization: DPoP " + sidecar->good_token();
  for (const std::string& text : {
           "curl https://api.example.com/orders/42 -H '" + authorization +
               "' -H \"DPoP: " + with_proof("GET") + "\"",
           "curl -sS -X PUT --data-raw $'{\\n}' \\\n  https://api.example.com/orders/42 -H '" +
               authorization + "' \\\n  -H 'DPoP: " + with_proof("PUT") + "'\n",
           "PUT /orders/42 HTTP/2\nHost: api.example.com\n" + authorization + "\nDPoP: " + with_proof("PUT") +
               "\n",
           "* Connected\n> GET /orders/42 HTTP/2\n> Host: api.example.com\n> " + authorization +
               "\n> dpop: " + with_proof("GET") + "\n>\n< HTTP/2 401\n",
           "GET https://api.example.com/orders/42 HTTP/1.1\r\nHost: api.example.com\r\n" + authorization +
               "\r\nDPoP: " + with_proof("GET") + "\r\n\r\n",
       }) {
    const auto explained = explain(*sidecar, text);
    EXPECT_EQ(explained.exit_code, 0) << explained.out << explained.err;
  }
}

TEST_F(ExplainTest, AnotherListenerIsAnotherOrigin) {
  const Request request = sidecar->with_proof("GET", "/orders/42");
  const auto explained = explain(*sidecar, request.raw(), {"--listener", "mesh"});
  EXPECT_EQ(explained.exit_code, 5);
  EXPECT_TRUE(explained.out.starts_with("denied: 421 origin_unknown (listener mesh, route orders)\n"))
      << explained.out;
  EXPECT_EQ(sidecar->send_raw(request.raw()).status, 421);
}

TEST_F(ExplainTest, JudgesAtAnotherTimeAndWithKeysOfAFile) {
  const Request request = sidecar->with_proof("GET", "/orders/42");
  sidecar->folder.write("jwks.json", sidecar->issuer.jwks_document());
  const std::string keys = (sidecar->folder.path() / "jwks.json").string();
  const std::size_t fetches = sidecar->issuer.jwks_fetches();
  EXPECT_EQ(explain(*sidecar, request.raw(), {"--jwks", keys}).exit_code, 0);
  EXPECT_EQ(sidecar->issuer.jwks_fetches(), fetches);
  const auto later =
      explain(*sidecar, request.raw(), {"--jwks", keys, "--now", std::to_string(support::unix_now() + 3600)});
  EXPECT_TRUE(later.out.starts_with("denied: 401 iat_too_old ")) << later.out << later.err;
  const auto long_ago = explain(*sidecar, request.raw(), {"--now", "2001-02-03T04:05:06Z"});
  EXPECT_TRUE(long_ago.out.starts_with("denied: 401 iat_in_future ")) << long_ago.out;
  EXPECT_NE(rung(long_ago, "iat").find("the time here is 981173106"), std::string::npos) << long_ago.out;
}

TEST_F(ExplainTest, SaysWhatCannotBeRead) {
  const std::string good = "GET / HTTP/1.1\r\nHost: api.example.com\r\n\r\n";
  const auto refused = [&](std::string_view request, std::vector<std::string> more) {
    const auto done = explain(*sidecar, request, std::move(more));
    EXPECT_EQ(done.exit_code, 2) << done.out << done.err;
    EXPECT_EQ(done.out, "");
    return done.err;
  };
  EXPECT_EQ(refused("", {}), "holdfast explain: the request: there is no request in it\n");
  EXPECT_EQ(refused("curl https://a/ -H \"DPoP: $(holdfast proof)\"", {}),
            "holdfast explain: the request: the command holds $ or `, which a shell would replace: give what "
            "it sends, "
            "with all put in\n");
  EXPECT_EQ(refused("curl --proxy-header x https://a/", {}),
            "holdfast explain: the request: curl's option --proxy-header is not understood here; leave it "
            "out, or give "
            "the raw request\n");
  EXPECT_EQ(refused(good, {"--listener", "nobody"}),
            "holdfast explain: no listener has the name that --listener gives\n");
  EXPECT_EQ(refused(good, {"--peer", "nobody"}), "holdfast explain: --peer is no IP address\n");
  EXPECT_EQ(refused(good, {"--now", "noon"}),
            "holdfast explain: --now is neither seconds since 1970 nor like 2026-11-25T18:00:00Z\n");
  EXPECT_EQ(support::run_holdfast({"explain", "-c", "/nowhere.yaml", "--request", "-"}, good).exit_code, 3);
  EXPECT_EQ(support::run_holdfast({"explain", "--request", "-"}, good).exit_code, 2);
}

// Malformed HTTP is refused by the decoder that serves.
TEST_F(ExplainTest, ReadsHttpAsTheProxyDoes) {
  for (const std::string request : {
           "GET /orders/42 HTTP/1.1\r\nHost: api.example.com\r\nHost: api.example.com\r\n\r\n",
           "GET /orders/42 HTTP/1.1\r\nHost: api.example.com\r\nContent-Length: 1\r\nTransfer-Encoding: "
           "chunked\r\n\r\n",
           "GET /public/..%2forders HTTP/1.1\r\nHost: api.example.com\r\n\r\n",
           "GET /orders/42 HTTP/3.0\r\nHost: api.example.com\r\n\r\n",
           "TRACE /public/x HTTP/1.1\r\nHost: api.example.com\r\n\r\n",
           "GET /nowhere HTTP/1.1\r\nHost: api.example.com\r\n\r\n",
           "GET /denied/x HTTP/1.1\r\nHost: api.example.com\r\n\r\n",
           "POST /orders/1 HTTP/1.1\r\nHost: api.example.com\r\nContent-Type: application/grpc\r\n\r\n",
       }) {
    SCOPED_TRACE(request);
    Stream stream = sidecar->dial();
    stream.send(request);
    const Response answer = MessageReader(stream).response();
    const auto explained = explain(*sidecar, request);
    EXPECT_EQ(explained.exit_code, 5) << explained.out;
    EXPECT_TRUE(explained.out.starts_with("denied: " + std::to_string(answer.status) + ' ')) << explained.out;
    EXPECT_NE(explained.out.find("\n✗ "), std::string::npos) << explained.out;
  }
}

TEST(ExplainIssuerDown, SaysWhyThereAreNoKeys) {
  Settings settings;
  settings.issuer_down = true;
  const Sidecar sidecar(settings);
  const auto explained = explain(sidecar, sidecar.with_proof("GET", "/orders/42").raw());
  EXPECT_TRUE(explained.out.starts_with("denied: 503 issuer_unavailable ")) << explained.out << explained.err;
  EXPECT_NE(explained.out.find("Connection refused"), std::string::npos) << explained.out;
}

TEST(ExplainNonce, IsJudgedByWhoHasTheSecret) {
  const support::TemporaryFolder shared;
  shared.write("nonce.key", "a-secret-of-at-least-32-characters", true);
  for (const bool file : {true, false}) {
    SCOPED_TRACE(file);
    Settings settings;
    if (file) settings.dpop = "nonce: {secret_file: \"" + (shared.path() / "nonce.key").string() + "\"}, ";
    const Sidecar sidecar(settings);
    const auto with = [&](const std::string& nonce) {
      Proof proof = sidecar.proof("GET", "/nonce/1", sidecar.good_token());
      if (!nonce.empty()) proof.payload.text("nonce", nonce);
      return Sidecar::with("GET", "/nonce/1", sidecar.good_token(), proof.sign(sidecar.client));
    };
    const Request bare = with("");
    const auto asked = explain(sidecar, bare.raw());
    EXPECT_TRUE(asked.out.starts_with("denied: 401 nonce_required ")) << asked.out;
    const std::string nonce = sidecar.send(bare).fields.value("DPoP-Nonce");
    const auto given = explain(sidecar, with(nonce).raw());
    if (file) {
      EXPECT_EQ(given.exit_code, 0) << given.out;
    } else {
      EXPECT_NE(given.out.find("only the process that made a nonce knows it"), std::string::npos)
          << given.out;
    }
    EXPECT_EQ(given.out.find(nonce), std::string::npos) << given.out;
  }
}

TEST(ExplainReportOnly, TellsWhatWouldBeRefused) {
  Settings settings;
  settings.routes =
      "  - {name: tried, match: {path: /tried/**}, enforce: false, require: {scopes: [\"a:b\"]}, upstream: "
      "backend}\n";
  const Sidecar sidecar(settings);
  const Request request = sidecar.with_proof("GET", "/tried/1");
  const auto explained = explain(sidecar, request.raw());
  EXPECT_EQ(sidecar.send(request).status, 200);
  EXPECT_EQ(explained.exit_code, 0);
  EXPECT_TRUE(
      explained.out.starts_with("allowed: goes to upstream backend unenforced, else 403 scope_missing "
                                "(listener public, route tried)\n"))
      << explained.out;
  EXPECT_NE(explained.out.find(", route requires [a:b] → "), std::string::npos) << explained.out;
}

// A route's own limit counts, whether it is the larger one or the smaller.
TEST(ExplainLimits, TellsWhatARouteTakes) {
  Settings settings;
  settings.listener = "limits: {max_body: 20}, ";
  settings.routes = R"(
  - {name: small, match: {path: /small}, access: public, limits: {max_body: 10}, upstream: backend}
  - {name: large, match: {path: /large}, access: public, limits: {max_body: 1KiB}, upstream: backend}
  - {name: any, match: {path: /any}, access: public, limits: {max_body: unlimited}, upstream: backend}
)";
  const Sidecar sidecar(settings);
  const auto body_line = [&](const std::string& target, std::size_t size, int status) {
    Request request;
    request.method = "POST";
    request.target = target;
    request.body = std::string(size, 'b');
    EXPECT_EQ(sidecar.send(request).status, status) << target;
    const auto explained = explain(sidecar, request.raw());
    EXPECT_EQ(explained.exit_code, status == 200 ? 0 : 5) << explained.out << explained.err;
    const std::size_t at = explained.out.find(" body ");
    return at == std::string::npos ? std::string("none")
                                   : explained.out.substr(at + 6, explained.out.find('\n', at) - at - 6);
  };
  EXPECT_EQ(body_line("/small", 10, 200), "    10 bytes, at most 10 (routes[0].limits.max_body)");
  EXPECT_EQ(body_line("/small", 11, 413),
            "    11 bytes, at most 10 (routes[0].limits.max_body) → the client sends less, or "
            "routes[0].limits.max_body is larger");
  EXPECT_EQ(body_line("/large", 21, 200), "    21 bytes, at most 1KiB (routes[1].limits.max_body)");
  EXPECT_EQ(body_line("/any", 21, 200), "none");
  EXPECT_EQ(body_line("/public/x", 21, 413),
            "    21 bytes, at most 20 (listeners[0].limits.max_body) → the client sends less, or "
            "listeners[0].limits.max_body is larger");
  const auto streamed =
      explain(sidecar,
              "POST /small HTTP/1.1\r\nHost: api.example.com\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
  EXPECT_NE(streamed.out.find("of a length that is not announced, at most 10 "), std::string::npos)
      << streamed.out << streamed.err;
}

TEST(ExplainAnswered, TellsWhatHoldfastAnswersItself) {
  Settings settings;
  settings.top = "cors: {origins: [\"https://app.example.com\"]}\n";
  const Sidecar sidecar(settings);
  const std::string host = "Host: api.example.com\r\n";
  const auto metadata =
      explain(sidecar, "GET /.well-known/oauth-protected-resource HTTP/1.1\r\n" + host + "\r\n");
  EXPECT_EQ(metadata.exit_code, 0) << metadata.err;
  EXPECT_TRUE(metadata.out.starts_with("answered: 200 by Holdfast itself (listener public)\n"))
      << metadata.out;
  EXPECT_EQ(metadata.out.find("proof"), std::string::npos) << metadata.out;
  for (const std::string route : {"orders", "denied"}) {
    const auto preflight =
        explain(sidecar, "OPTIONS /" + route + "/1 HTTP/1.1\r\n" + host +
                             "Origin: https://app.example.com\r\nAccess-Control-Request-Method: PUT\r\n\r\n");
    EXPECT_EQ(preflight.exit_code, 0) << preflight.err;
    EXPECT_TRUE(preflight.out.starts_with("answered: 204 by Holdfast itself (listener public, route " +
                                          route + ")\n"))
        << preflight.out;
    EXPECT_EQ(preflight.out.find("proof"), std::string::npos) << preflight.out;
  }
}

}  // namespace
}  // namespace holdfast::integration
