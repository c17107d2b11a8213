// One JSON object a request on stdout, and never a secret in it; the probes beside. Contract: "The access
// log" and "Listeners of our own".
#include <sstream>

#include "sidecar.h"

namespace holdfast::integration {
namespace {

class AccessLogTest : public SharedSidecar {
 protected:
  // The entry of the request whose answer carried this path; waits for it.
  static boost::json::object entry(std::string_view path) {
    const std::string needle = "\"path\":\"" + std::string(path) + "\"";
    EXPECT_TRUE(sidecar->holdfast->wait_out(needle)) << needle << "\n" << sidecar->holdfast->out();
    std::istringstream lines(sidecar->holdfast->out());
    for (std::string line; std::getline(lines, line);) {
      if (line.find(needle) != std::string::npos) return boost::json::parse(line).as_object();
    }
    return {};
  }
};

TEST_F(AccessLogTest, AllowedRequest) {
  EXPECT_EQ(sidecar->send(sidecar->with_proof("GET", "/orders/allowed")).status, 200);
  const auto log = entry("/orders/allowed");
  for (const char* member :
       {"time",      "level",    "event", "request_id", "trace_id",    "client_ip", "listener",    "route",
        "method",    "host",     "path",  "status",     "duration_ms", "upstream",  "upstream_ms", "bytes_in",
        "bytes_out", "decision", "sub",   "jkt",        "kid",         "proof_alg", "iat_offset_s"}) {
    EXPECT_TRUE(log.contains(member)) << member << " in " << boost::json::serialize(log);
  }
  ASSERT_TRUE(log.contains("status") && log.contains("jkt"));
  EXPECT_EQ(log.at("status"), 200);
  EXPECT_EQ(log.at("route").as_string(), "orders");
  EXPECT_EQ(log.at("listener").as_string(), "public");
  EXPECT_EQ(log.at("method").as_string(), "GET");
  EXPECT_EQ(log.at("client_ip").as_string(), "127.0.0.1");
  EXPECT_EQ(log.at("sub").as_string(), "8d1f3f0c-alice");
  EXPECT_EQ(log.at("jkt").as_string(), sidecar->client.thumbprint());
  EXPECT_EQ(log.at("proof_alg").as_string(), "ES256");
}

TEST_F(AccessLogTest, RefusedRequestCarriesTheReasonOfTheAnswer) {
  Request request;
  request.target = "/orders/refused";
  const Response answer = sidecar->send(request);
  const auto log = entry("/orders/refused");
  ASSERT_TRUE(log.contains("reason") && log.contains("request_id"));
  EXPECT_EQ(log.at("reason").as_string(), "no_credentials");
  EXPECT_EQ(log.at("status"), 401);
  const auto problem = boost::json::parse(answer.body).as_object();
  EXPECT_EQ(log.at("request_id"), problem.at("request_id"));
}

TEST_F(AccessLogTest, WhatIsLoggedIsCounted) {
  EXPECT_EQ(sidecar->send(sidecar->with_proof("GET", "/orders/counted")).status, 200);
  entry("/orders/counted");
  Stream stream = Stream::plain(sidecar->probes_port);
  stream.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const Response answer = MessageReader(stream).response();
  EXPECT_EQ(answer.status, 200);
  for (const char* sample :
       {R"(holdfast_requests_total{route="orders",method="GET",code="200"})", "holdfast_replay_entries ",
        R"(holdfast_decisions_total{route="orders",decision="allow")",
        "holdfast_build_info{version=", R"(holdfast_request_duration_seconds_bucket{route="orders",le=)",
        R"(holdfast_jwks_refresh_total{issuer="demo",result="ok"})"}) {
    EXPECT_NE(answer.body.find(sample), std::string::npos) << sample << "\n" << answer.body;
  }
  EXPECT_EQ(answer.body.find("counted"), std::string::npos) << "a path became a label";
}

TEST_F(AccessLogTest, NoSecretAtAnyTime) {
  Request request = sidecar->with_proof("GET", "/orders/secret");
  request.target += "?access_token=query-secret&page=2";
  request.add("Cookie", "session=cookie-secret");
  request.add("X-Api-Key", "header-secret");
  EXPECT_EQ(sidecar->send(request).status, 200);
  (void)entry("/orders/secret");
  for (const Request& bad : {Sidecar::with("GET", "/orders/bad", "token-secret", "proof-secret"),
                             Sidecar::with("GET", "/orders/bad", sidecar->good_token(),
                                           "proof-secret.proof-secret.proof-secret")}) {
    EXPECT_EQ(sidecar->send(bad).status, 401);
  }
  (void)entry("/orders/bad");
  const std::string said = sidecar->holdfast->out() + sidecar->holdfast->err();
  for (const char* secret :
       {"query-secret", "cookie-secret", "header-secret", "token-secret", "proof-secret", "eyJ"}) {
    EXPECT_EQ(said.find(secret), std::string::npos) << secret;
  }
}

TEST_F(AccessLogTest, EveryLineIsOneJsonObject) {
  Request request;
  request.target = "/public/%22quote%0Aline";
  (void)sidecar->send(request);
  request.target = "/public/last";
  (void)sidecar->send(request);
  (void)entry("/public/last");
  std::istringstream lines(sidecar->holdfast->out());
  for (std::string line; std::getline(lines, line);) {
    boost::system::error_code failed;
    const auto parsed = boost::json::parse(line, failed);
    EXPECT_TRUE(!failed && parsed.is_object()) << line;
  }
}

class ProbesTest : public SharedSidecar {};

TEST_F(ProbesTest, AnswerAndNothingElse) {
  EXPECT_EQ(sidecar->holdfast->probe("/startupz"), 200);
  EXPECT_EQ(sidecar->holdfast->probe("/livez"), 200);
  EXPECT_EQ(sidecar->holdfast->probe("/readyz"), 200);
  EXPECT_EQ(sidecar->holdfast->probe("/readyz?verbose"), 200);
  EXPECT_EQ(sidecar->holdfast->probe("/else"), 404);
  EXPECT_EQ(sidecar->holdfast->probe("/"), 404);
}

TEST_F(ProbesTest, VerboseNamesTheIssuer) {
  Stream stream = Stream::plain(sidecar->probes_port);
  stream.send("GET /readyz?verbose HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const Response answer = MessageReader(stream).response();
  EXPECT_NE(answer.body.find("demo"), std::string::npos) << answer.body;
}

TEST_F(ProbesTest, ReadOnly) {
  for (const char* method : {"POST", "PUT", "DELETE", "CONNECT"}) {
    Stream stream = Stream::plain(sidecar->probes_port);
    stream.send(std::string(method) + " /livez HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
    const int status = MessageReader(stream).response().status;
    EXPECT_TRUE(status == 405 || status == 400) << method << status;
  }
}

TEST_F(ProbesTest, RubbishOnTheProbePortHarmsNothing) {
  for (const char* bytes : {"\x16\x03\x01", "GET", "GET / HTTP/9.9\r\n\r\n", "\r\n\r\n\r\n"}) {
    Stream stream = Stream::plain(sidecar->probes_port);
    stream.send(bytes);
    stream.shutdown_send();
    (void)MessageReader(stream).rest();
  }
  EXPECT_EQ(sidecar->holdfast->probe("/livez"), 200);
}

}  // namespace
}  // namespace holdfast::integration
