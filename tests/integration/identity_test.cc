// What the backend receives: credentials and hop-by-hop fields gone, nobody else's identity, ours set from
// the verified token. Contract: "To the backend".
#include "sidecar.h"

namespace holdfast::integration {
namespace {

class IdentityTest : public SharedSidecar {
 protected:
  // Sends and returns what the backend saw.
  static support::SeenRequest seen(const Request& request) {
    const Response answer = sidecar->send(request);
    EXPECT_EQ(answer.status, 200) << answer.body;
    return sidecar->backend.last();
  }

  static support::SeenRequest seen_with_token(const std::function<void(AccessToken&)>& change) {
    AccessToken token = sidecar->token();
    change(token);
    const std::string sent = sidecar->issuer.sign(token);
    return seen(Sidecar::with("GET", "/orders/1", sent,
                              sidecar->proof("GET", "/orders/1", sent).sign(sidecar->client)));
  }
};

constexpr const char* kIdentityHeaders[] = {"X-Auth-Subject", "X-Auth-Client-Id",     "X-Auth-Username",
                                            "X-Auth-Email",   "X-Auth-Scope",         "X-Auth-Roles",
                                            "X-Auth-Issuer",  "X-Auth-Key-Thumbprint"};

TEST_F(IdentityTest, HeadersFromTheVerifiedToken) {
  const auto request = seen_with_token([](AccessToken& token) {
    token.payload.text("client_id", "shop")
        .text("preferred_username", "alice")
        .text("email", "alice@example.com");
    token.payload.raw("email_verified", "true").text("scope", "openid orders:read");
    token.payload.raw("realm_access", R"({"roles":["clerk","buyer"]})");
    token.payload.raw("resource_access", R"({"shop":{"roles":["admin"]}})");
  });
  const std::pair<const char*, std::string> rows[] = {
      {"X-Auth-Subject", "8d1f3f0c-alice"},
      {"X-Auth-Client-Id", "shop"},
      {"X-Auth-Username", "alice"},
      {"X-Auth-Email", "alice@example.com"},
      {"X-Auth-Scope", "openid orders:read"},
      {"X-Auth-Roles", "clerk,buyer,shop:admin"},
      {"X-Auth-Issuer", sidecar->issuer.url()},
      {"X-Auth-Key-Thumbprint", sidecar->client.thumbprint()},
  };
  for (const auto& [name, value] : rows) {
    EXPECT_EQ(request.fields.all(name), std::vector<std::string>{value}) << name;
  }
}

TEST_F(IdentityTest, AbsentClaimsAreNoHeader) {
  const auto request =
      seen_with_token([](AccessToken& token) { token.payload.text("email", "alice@example.com"); });
  EXPECT_EQ(request.fields.value("X-Auth-Client-Id"), "shop-app") << "client_id falls back to azp";
  for (const char* name : {"X-Auth-Username", "X-Auth-Email", "X-Auth-Roles", "X-Auth-Scope"}) {
    EXPECT_FALSE(request.fields.has(name)) << name;
  }
}

TEST_F(IdentityTest, UnverifiedMailIsNoHeader) {
  for (const char* verified : {"false", "\"true\"", "1", "null"}) {
    const auto request = seen_with_token([&](AccessToken& token) {
      token.payload.text("email", "alice@example.com").raw("email_verified", verified);
    });
    EXPECT_FALSE(request.fields.has("X-Auth-Email")) << verified;
  }
}

TEST_F(IdentityTest, ValuesAreEncoded) {
  const auto request = seen_with_token([](AccessToken& token) {
    token.payload.raw("preferred_username", R"("J\u00fcrgen 100%\r\nX-Evil: 1")");
    token.payload.raw("realm_access", R"({"roles":["a,b","c:d"]})");
  });
  EXPECT_EQ(request.fields.value("X-Auth-Username"), "J%C3%BCrgen%20100%25%0D%0AX-Evil:%201");
  EXPECT_EQ(request.fields.value("X-Auth-Roles"), "a%2Cb,c%3Ad");
  EXPECT_FALSE(request.fields.has("X-Evil"));
}

TEST_F(IdentityTest, CredentialsNeverReachTheBackend) {
  const auto request = seen(sidecar->with_proof("GET", "/orders/1").add("Proxy-Authorization", "Basic eA=="));
  for (const char* name : {"Authorization", "DPoP", "Proxy-Authorization"})
    EXPECT_FALSE(request.fields.has(name)) << name;
  EXPECT_EQ(request.head.find("eyJ"), std::string::npos) << request.head;
}

TEST_F(IdentityTest, PublicRouteLosesDpopButKeepsOtherAuthorization) {
  Request request;
  request.target = "/public/x";
  const auto basic = seen(Request(request).add("Authorization", "Basic eA==").add("DPoP", "abc"));
  EXPECT_EQ(basic.fields.value("Authorization"), "Basic eA==");
  EXPECT_FALSE(basic.fields.has("DPoP"));
  const auto dpop = seen(Request(request).add("Authorization", "DPoP " + sidecar->good_token()));
  EXPECT_FALSE(dpop.fields.has("Authorization"));
}

TEST_F(IdentityTest, ForgedIdentityIsStripped) {
  for (const char* target : {"/public/x", "/orders/1"}) {
    Request request = sidecar->with_proof("GET", target);
    for (const char* name : kIdentityHeaders) request.add(name, "forged");
    request.add("x-auth-SUBJECT", "forged").add("X_Auth_Subject", "forged").add("X-Auth_Roles", "forged");
    request.add("X.Auth.Subject", "forged").add("X-Auth-Assertion", "forged");
    const auto got = seen(request);
    EXPECT_EQ(got.head.find("forged"), std::string::npos) << got.head;
  }
}

// A backend may look for the default's name all the same.
TEST(IdentityHeadersOfOtherNames, LeaveTheDefaultsToNobody) {
  const Sidecar other({.top = "identity: {headers: {sub: X-Who, roles: off}, client_certificate: off}\n"});
  for (const char* target : {"/public/x", "/orders/1"}) {
    Request request = other.with_proof("GET", target);
    for (const char* name : kIdentityHeaders) request.add(name, "forged");
    request.add("x_auth_roles", "forged").add("X-Who", "forged");
    EXPECT_EQ(other.send(request).status, 200);
    const auto got = other.backend.last();
    EXPECT_EQ(got.head.find("forged"), std::string::npos) << got.head;
    EXPECT_FALSE(got.fields.has("X-Auth-Subject"));
  }
  EXPECT_TRUE(other.backend.last().fields.has("X-Who"));
}

TEST_F(IdentityTest, ListingAnIdentityHeaderInConnectionDoesNotRemoveOurs) {
  const auto got =
      seen(sidecar->with_proof("GET", "/orders/1")
               .add("Connection", "X-Auth-Subject, x-auth-key-thumbprint, X-Forwarded-For, X-Custom")
               .add("X-Custom", "1"));
  EXPECT_EQ(got.fields.value("X-Auth-Subject"), "8d1f3f0c-alice");
  EXPECT_EQ(got.fields.value("X-Auth-Key-Thumbprint"), sidecar->client.thumbprint());
  EXPECT_FALSE(got.fields.has("X-Custom")) << "a field named in Connection is hop-by-hop";
  EXPECT_TRUE(got.fields.has("X-Forwarded-For"));
}

TEST_F(IdentityTest, ConnectionCannotRemoveEndToEndEssentials) {
  Request request = sidecar->with_proof("GET", "/orders/1");
  request.add("Connection", "Host, Authorization, DPoP");
  const Response answer = sidecar->send(request);
  // Either reading is safe: refused, or forwarded with the right Host and without credentials.
  if (answer.status != 200) {
    EXPECT_EQ(answer.status, 400) << answer.body;
    return;
  }
  EXPECT_EQ(sidecar->backend.last().fields.value("Host"), kHost);
  EXPECT_FALSE(sidecar->backend.last().fields.has("Authorization"));
}

TEST_F(IdentityTest, HopByHopFieldsStay) {
  const auto got = seen(sidecar->with_proof("GET", "/orders/1")
                            .add("Connection", "keep-alive")
                            .add("Keep-Alive", "timeout=5")
                            .add("Proxy-Connection", "keep-alive")
                            .add("TE", "trailers, deflate")
                            .add("Upgrade", "websocket, h2c")
                            .add("HTTP2-Settings", "AAMAAABkAAQAAP__"));
  for (const char* name : {"Keep-Alive", "Proxy-Connection", "Upgrade", "HTTP2-Settings"}) {
    EXPECT_FALSE(got.fields.has(name)) << name;
  }
  EXPECT_EQ(got.fields.value("TE").find("deflate"), std::string::npos);
}

TEST_F(IdentityTest, ForwardingFieldsOfStrangersAreReplaced) {
  Request request = sidecar->with_proof("GET", "/orders/1");
  for (const char* name :
       {"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port",
        "X-Forwarded-Prefix", "X-Real-IP", "X-Original-URL", "X-Original-Host", "X-Rewrite-URL",
        "X-HTTP-Method", "X-HTTP-Method-Override", "X-Method-Override", "X_Forwarded_For", "X-Client-Cert",
        "X-SSL-Client-Cert", "X-Forwarded-Client-Cert"}) {
    request.add(name, "forged");
  }
  const auto got = seen(request);
  EXPECT_EQ(got.head.find("forged"), std::string::npos) << got.head;
  EXPECT_EQ(got.fields.all("X-Forwarded-For"), std::vector<std::string>{"127.0.0.1"});
  EXPECT_EQ(got.fields.all("X-Forwarded-Proto"), std::vector<std::string>{"https"});
  EXPECT_EQ(got.fields.all("X-Forwarded-Host"), std::vector<std::string>{std::string(kHost)});
}

TEST_F(IdentityTest, TracingFields) {
  const auto fresh = seen(sidecar->with_proof("GET", "/orders/1").add("X-Request-Id", "forged-id"));
  EXPECT_EQ(fresh.fields.all("X-Request-Id").size(), 1U);
  EXPECT_NE(fresh.fields.value("X-Request-Id"), "forged-id");
  EXPECT_EQ(fresh.fields.value("traceparent").size(), 55U) << fresh.head;
  EXPECT_NE(fresh.fields.value("Via").find("1.1"), std::string::npos) << fresh.head;
  const auto continued =
      seen(sidecar->with_proof("GET", "/orders/1")
               .add("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
  EXPECT_NE(continued.fields.value("traceparent").find("0af7651916cd43dd8448eb211c80319c"),
            std::string::npos);
  EXPECT_EQ(continued.fields.all("traceparent").size(), 1U);
}

TEST_F(IdentityTest, EverythingElsePassesUntouched) {
  Request request = sidecar->with_proof("POST", "/orders/1");
  request.target += "?q=%2f&access_token=x";
  request.add("Accept", "application/json")
      .add("Cookie", "a=b; c=d")
      .add("X-Thing", "one")
      .add("x-thing", "two");
  request.body = std::string("a\0b", 3) + "\r\n\r\nGET / HTTP/1.1\r\n";
  const auto got = seen(request);
  EXPECT_EQ(got.method, "POST");
  EXPECT_EQ(got.target, "/orders/1?q=%2f&access_token=x");
  EXPECT_EQ(got.fields.value("Accept"), "application/json");
  EXPECT_EQ(got.fields.value("Cookie"), "a=b; c=d");
  EXPECT_EQ(got.fields.all("X-Thing"), (std::vector<std::string>{"one", "two"}));
  EXPECT_EQ(got.fields.all("Host"), std::vector<std::string>{std::string(kHost)});
  EXPECT_EQ(got.body, request.body);
}

TEST_F(IdentityTest, TrailersCarryNoIdentityNorFraming) {
  Request request = sidecar->with_proof("POST", "/orders/1");
  Stream stream = sidecar->dial();
  stream.send(request.add("Transfer-Encoding", "chunked").add("Trailer", "X-Sum").raw() +
              "3\r\nabc\r\n0\r\nX-Sum: 7\r\nX-Auth-Subject: forged\r\nContent-Length: 9\r\nAuthorization: "
              "Basic eA==\r\n"
              "DPoP: abc\r\nHost: evil.test\r\nTransfer-Encoding: identity\r\n\r\n");
  const Response answer = MessageReader(stream).response();
  if (answer.status != 200) {
    EXPECT_EQ(answer.status, 400) << answer.body;
    return;
  }
  const auto got = sidecar->backend.last();
  EXPECT_EQ(got.body, "abc");
  for (const char* name :
       {"X-Auth-Subject", "Content-Length", "Authorization", "DPoP", "Host", "Transfer-Encoding"}) {
    EXPECT_FALSE(got.trailers.has(name)) << name;
  }
}

TEST_F(IdentityTest, PrefixIsStrippedAfterTheChecks) {
  const auto got = seen(sidecar->with_proof("GET", "/v1/things/7"));
  EXPECT_EQ(got.target, "/things/7");
}

TEST_F(IdentityTest, AnswersLoseHopByHopFieldsToo) {
  sidecar->backend.on_request([](Exchange& exchange) {
    exchange.respond(
        200,
        "Connection: X-Inner\r\nX-Inner: 1\r\nKeep-Alive: timeout=9\r\nProxy-Connection: x\r\nX-Outer: 2\r\n"
        "Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n",
        "ok");
  });
  Request request;
  request.target = "/public/x";
  const Response answer = sidecar->send(request);
  for (const char* name : {"X-Inner", "Keep-Alive", "Proxy-Connection"})
    EXPECT_FALSE(answer.fields.has(name)) << name;
  EXPECT_EQ(answer.fields.value("X-Outer"), "2");
  EXPECT_EQ(answer.fields.all("Set-Cookie"), (std::vector<std::string>{"a=1", "b=2"}));
}

}  // namespace
}  // namespace holdfast::integration
