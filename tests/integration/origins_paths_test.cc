// A proof counts for one origin, and a path has one reading. Contract: "Origins" and the note on path
// readings.
#include "sidecar.h"

namespace holdfast::integration {
namespace {

class OriginsTest : public SharedSidecar {};

Request protected_request(const Sidecar& sidecar, const std::string& host, const std::string& origin) {
  Proof proof(sidecar.client, "GET", origin + "/orders/1", sidecar.good_token());
  Request request = Sidecar::with("GET", "/orders/1", sidecar.good_token(), proof.sign(sidecar.client));
  request.host = host;
  return request;
}

TEST_F(OriginsTest, EachPublicOriginTakesItsOwnProofsOnly) {
  EXPECT_EQ(sidecar->send(protected_request(*sidecar, "api.example.com", "https://api.example.com")).status,
            200);
  EXPECT_EQ(
      sidecar->send(protected_request(*sidecar, "other.example.com", "https://other.example.com")).status,
      200);
  EXPECT_EQ(
      sidecar->send(protected_request(*sidecar, "API.example.com:443", "https://api.example.com")).status,
      200);
  const Response crossed =
      sidecar->send(protected_request(*sidecar, "other.example.com", "https://api.example.com"));
  expect_refusal(crossed, 401, "htu_mismatch");
}

TEST_F(OriginsTest, UnknownOriginIsMisdirected) {
  for (const char* host : {"evil.example.com", "localhost", "127.0.0.1", "api.example.com:8443"}) {
    const std::string origin = "https://" + std::string(host);
    const Response answer = sidecar->send(protected_request(*sidecar, host, origin));
    expect_refusal(answer, 421, "origin_unknown");
  }
  // A name with a dot at its end is another spelling that resolvers and certificates take differently.
  expect_refusal(sidecar->send(protected_request(*sidecar, "api.example.com.", "https://api.example.com.")),
                 400, "request_malformed");
  EXPECT_EQ(sidecar->backend.seen_count(), 0U);
}

TEST_F(OriginsTest, OriginHeaderAndForwardedHostChangeNothing) {
  for (const char* name : {"Origin", "X-Forwarded-Host", "Forwarded", "X-Original-Host"}) {
    Request request = protected_request(*sidecar, "api.example.com", "https://other.example.com");
    request.add(name, std::string_view(name) == "Forwarded" ? "host=other.example.com" : "other.example.com");
    EXPECT_EQ(sidecar->send(request).status, 401) << name;
  }
  EXPECT_EQ(sidecar->backend.seen_count(), 0U);
}

TEST_F(OriginsTest, PlainListenerTakesLoopbackOnly) {
  const auto send = [&](const std::string& host) {
    Request request = protected_request(*sidecar, host, "http://" + host);
    return sidecar->send_raw(request.raw());
  };
  const std::string port = ":" + std::to_string(sidecar->plain_port);
  EXPECT_EQ(send("127.0.0.1" + port).status, 200);
  EXPECT_EQ(send("localhost" + port).status, 200);
  expect_refusal(send("api.example.com"), 421, "origin_unknown");
}

TEST_F(OriginsTest, PublicRouteTakesAnyHost) {
  Request request;
  request.target = "/public/x";
  request.host = "whatever.test";
  EXPECT_EQ(sidecar->send(request).status, 200);
  EXPECT_EQ(sidecar->backend.last().fields.value("Host"), "whatever.test")
      << "Host goes to the backend as it came";
}

TEST(TrustedProxyTest, ForwardedOriginTakesTheListenersPlace) {
  Settings settings;
  settings.tls_listener = "trusted_proxies: [127.0.0.0/8], ";
  const Sidecar sidecar(settings);
  const auto forwarded = [&](const std::vector<std::pair<std::string, std::string>>& fields) {
    Request request = protected_request(sidecar, "internal:8443", "https://api.example.com");
    for (const auto& [name, value] : fields) request.add(name, value);
    return sidecar.send(request).status;
  };
  EXPECT_EQ(forwarded({{"X-Forwarded-Host", "api.example.com"}, {"X-Forwarded-Proto", "https"}}), 200);
  EXPECT_EQ(forwarded({{"Forwarded", "for=192.0.2.1;host=api.example.com;proto=https"}}), 200);
  EXPECT_EQ(forwarded({{"X-Forwarded-Host", "evil.example.com"}, {"X-Forwarded-Proto", "https"}}), 421);
  EXPECT_EQ(forwarded({{"X-Forwarded-Host", "api.example.com, evil.example.com"}}), 400);
  EXPECT_EQ(forwarded({{"X-Forwarded-Host", "api.example.com"}, {"X-Forwarded-Host", "other.example.com"}}),
            400);
  EXPECT_EQ(forwarded({{"X-Forwarded-Host", "api.example.com"}, {"Forwarded", "host=other.example.com"}}),
            400);
  const auto seen = sidecar.backend.seen().front();
  EXPECT_EQ(seen.fields.all("X-Forwarded-Host"), std::vector<std::string>{"api.example.com"});
}

class PathsTest : public SharedSidecar {};

TEST_F(PathsTest, OnePathForRouteProofAndBackend) {
  struct Row {
    const char* sent;
    const char* normal;
  };
  for (const Row& row : {Row{"/orders/%34%32", "/orders/42"}, Row{"/public/../orders/1", "/orders/1"},
                         Row{"/orders/./1", "/orders/1"}, Row{"/orders/a%2fb", "/orders/a%2Fb"},
                         Row{"/%6frders/1", "/orders/1"}}) {
    SCOPED_TRACE(row.sent);
    sidecar->backend.forget();
    Request bare;
    bare.target = row.sent;
    EXPECT_NE(sidecar->send(bare).status, 200) << "reached a protected route without a proof";
    Request good = sidecar->with_proof("GET", row.normal);
    good.target = row.sent;
    const Response answer = sidecar->send(good);
    if (answer.status == 400) continue;  // a looser reading lands elsewhere
    EXPECT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(sidecar->backend.last().target, row.normal);
  }
}

TEST_F(PathsTest, PathsThatTwoReadersTakeDifferently) {
  for (const char* target : {"/public/..%2fdenied/x", "/public/%2e%2e%2fdenied/x", "/public/..%5cdenied/x",
                             "/public/..;/denied/x", "/public/%252e%252e/denied/x", "/public/..%252fdenied/x",
                             "/public/..\\denied\\x", "/public//../denied/x"}) {
    SCOPED_TRACE(target);
    Request request;
    request.target = target;
    expect_refusal(sidecar->send(request), 400, "request_malformed");
  }
  EXPECT_EQ(sidecar->backend.seen_count(), 0U);
}

TEST_F(PathsTest, SpellingsOfADeniedPathNeverReachTheBackend) {
  for (const char* target : {"//denied/x", "/Denied/x", "/denied;v=1/x", "/denied/", "/x/..;/denied/x",
                             "/./denied/x", "/%64enied/x", "/DENIED/X", "/denied%2fx", "\\denied\\x"}) {
    SCOPED_TRACE(target);
    Request request;
    request.target = target;
    EXPECT_GE(sidecar->send(request).status, 400);
  }
  EXPECT_EQ(sidecar->backend.seen_count(), 0U);
}

TEST_F(PathsTest, MalformedPaths) {
  const std::string eight_bit = "/public/\xc3\xbc";
  const std::string control = "/public/\x01";
  for (const std::string& target :
       {std::string("/.."), std::string("/public/../../etc"), std::string("/public/%zz"),
        std::string("/public/%"), std::string("/public/%0"), std::string("/public/%00"),
        std::string("/public/a#b"), eight_bit, control, std::string("public/x")}) {
    SCOPED_TRACE(target);
    Stream stream = sidecar->dial_plain();
    stream.send("GET " + target + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_EQ(MessageReader(stream).response().status, 400);
  }
  EXPECT_EQ(sidecar->backend.seen_count(), 0U);
}

TEST_F(PathsTest, QueryPassesAsItCame) {
  Request request;
  request.target = "/public/x?a=%zz&b=../..&c=%2f;d";
  const Response answer = sidecar->send(request);
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(sidecar->backend.last().target, request.target);
}

}  // namespace
}  // namespace holdfast::integration
