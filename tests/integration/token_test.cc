// Every way in which an access token can be wrong or say too little for its route. Rules 17 to 20 and 23 of
// the verifier.
#include <thread>

#include "refusal_cases.h"

namespace holdfast::integration {
namespace {

using support::base64url;
using support::compact_jws;
using support::sha256;
using support::unix_now;

class TokenTest : public RefusalTest {};

TEST_F(TokenTest, TokenMalformed) {
  const auto row = [&](const char* name, const char* reason,
                       std::function<std::string(const Sidecar&)> make) {
    return Case{name, 401, "invalid_token", reason, token_bytes(std::move(make))};
  };
  check({
      row("not a JWS", "token_malformed", [](const Sidecar&) { return "rubbish"; }),
      row("two segments", "token_malformed", [](const Sidecar&) { return "eyJhbGciOiJSUzI1NiJ9.e30"; }),
      row("header is not JSON", "token_malformed", [](const Sidecar&) { return "AAAA.AAAA.AAAA"; }),
      row("duplicate member", "token_malformed",
          [](const Sidecar& s) {
            AccessToken token = s.token();
            token.payload.repeat("sub", "\"bob\"");
            return s.issuer.sign(token);
          }),
      row("over 16 KiB", "token_malformed",
          [](const Sidecar& s) {
            AccessToken token = s.token();
            token.payload.text("x", std::string(16384, 'x'));
            return s.issuer.sign(token);
          }),
      row("signature cut", "token_signature",
          [](const Sidecar& s) {
            const auto parts = segments(s.good_token());
            return parts[0] + "." + parts[1] + "." + base64url(std::string(256, '\1'));
          }),
      row("signed by a stranger", "token_signature",
          [](const Sidecar& s) { return s.token().sign(SigningKey::generate("RS256")); }),
      row("unknown kid", "token_key_unknown",
          [](const Sidecar& s) {
            AccessToken token = s.token();
            token.header.text("kid", "nobody");
            return s.issuer.sign(token);
          }),
  });
}

TEST_F(TokenTest, TokenHeader) {
  const auto row = [&](const char* name, const char* reason, std::function<void(AccessToken&)> change) {
    return Case{name, 401, "invalid_token", reason, token_with(std::move(change))};
  };
  check({
      row("alg none", "token_algorithm", [](AccessToken& t) { t.header.text("alg", "none"); }),
      row("alg HS256", "token_algorithm", [](AccessToken& t) { t.header.text("alg", "HS256"); }),
      row("typ logout+jwt", "token_type", [](AccessToken& t) { t.header.text("typ", "logout+jwt"); }),
      row("typ dpop+jwt", "token_type", [](AccessToken& t) { t.header.text("typ", "dpop+jwt"); }),
      row("payload typ ID", "token_type", [](AccessToken& t) { t.payload.text("typ", "ID"); }),
      row("payload typ Refresh", "token_type", [](AccessToken& t) { t.payload.text("typ", "Refresh"); }),
  });
}

TEST_F(TokenTest, TokenHeaderCannotBringItsOwnKey) {
  const SigningKey own = SigningKey::generate("RS256");
  for (const auto& [name, value] : {std::pair<std::string, std::string>{"jwk", own.public_jwk()},
                                    {"jku", "\"" + sidecar->issuer.url() + "/evil\""},
                                    {"x5u", "\"" + sidecar->issuer.url() + "/evil\""}}) {
    AccessToken token = sidecar->token();
    token.header.raw(name, value);
    const std::string sent = token.sign(own);
    const Response answer = sidecar->send(
        Sidecar::with("GET", kTarget, sent, sidecar->proof("GET", kTarget, sent).sign(sidecar->client)));
    EXPECT_EQ(answer.status, 401) << name;
    EXPECT_EQ(reason_of(answer), "token_signature") << name;
  }
  for (const auto& seen : sidecar->issuer.server().seen())
    EXPECT_EQ(seen.target.find("evil"), std::string::npos);
  AccessToken critical = sidecar->token();
  critical.header.raw("crit", R"(["exp"])");
  const std::string sent = sidecar->issuer.sign(critical);
  EXPECT_EQ(sidecar
                ->send(Sidecar::with("GET", kTarget, sent,
                                     sidecar->proof("GET", kTarget, sent).sign(sidecar->client)))
                .status,
            401);
}

TEST_F(TokenTest, TokenClaims) {
  const auto row = [&](const char* name, const char* reason, std::function<void(AccessToken&)> change) {
    return Case{name, 401, "invalid_token", reason, token_with(std::move(change))};
  };
  check({
      row("another issuer", "token_issuer",
          [](AccessToken& t) { t.payload.text("iss", "https://evil.example"); }),
      row("issuer with a slash more", "token_issuer",
          [](AccessToken& t) { t.payload.text("iss", sidecar->issuer.url() + "/"); }),
      row("issuer missing", "token_issuer", [](AccessToken& t) { t.payload.erase("iss"); }),
      row("another audience", "token_audience", [](AccessToken& t) { t.payload.text("aud", "billing-api"); }),
      row("audience missing", "token_audience", [](AccessToken& t) { t.payload.erase("aud"); }),
      row("audience list without us", "token_audience",
          [](AccessToken& t) { t.payload.raw("aud", R"(["a","b"])"); }),
      row("expired", "token_expired", [](AccessToken& t) { t.payload.number("exp", unix_now() - 30); }),
      row("not yet valid", "token_not_yet_valid",
          [](AccessToken& t) { t.payload.number("nbf", unix_now() + 60); }),
      row("unbound", "token_unbound", [](AccessToken& t) { t.payload.erase("cnf").text("typ", "Bearer"); }),
      row("cnf without jkt", "token_unbound", [](AccessToken& t) { t.payload.raw("cnf", "{}"); }),
  });
}

TEST_F(TokenTest, TokenWithoutExpiryIsRefused) {
  AccessToken token = sidecar->token();
  token.payload.erase("exp");
  const std::string sent = sidecar->issuer.sign(token);
  const Response answer = sidecar->send(
      Sidecar::with("GET", kTarget, sent, sidecar->proof("GET", kTarget, sent).sign(sidecar->client)));
  EXPECT_EQ(answer.status, 401);
  expect_challenge(answer, "invalid_token");
}

TEST_F(TokenTest, TokensThatAreGood) {
  struct Row {
    const char* name;
    std::function<void(AccessToken&)> change;
  };
  const Row rows[] = {
      {"audience in a list", [](AccessToken& t) { t.payload.raw("aud", R"(["account","orders-api"])"); }},
      {"typ at+jwt", [](AccessToken& t) { t.header.text("typ", "at+jwt").erase("kid"); }},
      {"no typ", [](AccessToken& t) { t.header.erase("typ"); }},
      {"payload without typ", [](AccessToken& t) { t.payload.erase("typ"); }},
      {"unknown member in cnf",
       [](AccessToken& t) {
         t.payload.raw("cnf", R"({"kc-jkt-type":"dpop","jkt":")" + sidecar->client.thumbprint() + "\"}");
       }},
      {"expired within the skew", [](AccessToken& t) { t.payload.number("exp", unix_now() - 3); }},
      {"scope as Keycloak has it", [](AccessToken& t) { t.payload.text("scope", "openid email profile"); }},
  };
  for (const Row& row : rows) {
    const Response answer = sidecar->send(token_with(row.change)(*sidecar));
    EXPECT_EQ(answer.status, 200) << row.name << ": " << answer.body;
  }
}

TEST_F(TokenTest, CachedTokenIsStillJudged) {
  // Facts are cached, verdicts are not: the token that just passed is refused once its time is over.
  AccessToken token = sidecar->token();
  token.payload.number("exp", unix_now() - 8);  // inside the skew of 10 s for another two seconds
  const std::string sent = sidecar->issuer.sign(token);
  const auto attempt = [&] {
    return sidecar->send(
        Sidecar::with("GET", kTarget, sent, sidecar->proof("GET", kTarget, sent).sign(sidecar->client)));
  };
  EXPECT_EQ(attempt().status, 200);
  std::this_thread::sleep_for(Milliseconds{3500});
  expect_refusal(attempt(), 401, "token_expired");
}

TEST_F(TokenTest, Scopes) {
  const auto attempt = [&](const char* scope) {
    AccessToken token = sidecar->token();
    if (scope != nullptr) token.payload.text("scope", scope);
    const std::string sent = sidecar->issuer.sign(token);
    return sidecar->send(Sidecar::with("GET", "/scoped/x", sent,
                                       sidecar->proof("GET", "/scoped/x", sent).sign(sidecar->client)));
  };
  for (const char* scope : {"orders:read", "orders:write", "orders:writer orders:read",
                            "ORDERS:WRITE ORDERS:READ", static_cast<const char*>(nullptr)}) {
    const Response answer = attempt(scope);
    expect_refusal(answer, 403, "scope_missing");
    expect_challenge(answer, "insufficient_scope");
    EXPECT_NE(answer.fields.value("WWW-Authenticate").find("scope=\"orders:write orders:read\""),
              std::string::npos);
  }
  EXPECT_EQ(sidecar->backend.seen_count(), 0U);
  EXPECT_EQ(attempt("openid orders:read orders:write").status, 200);
}

TEST_F(TokenTest, Roles) {
  const auto attempt = [&](const char* target, const char* realm, const char* client) {
    AccessToken token = sidecar->token();
    token.payload.raw("realm_access", realm).raw("resource_access", client);
    const std::string sent = sidecar->issuer.sign(token);
    return sidecar->send(
        Sidecar::with("GET", target, sent, sidecar->proof("GET", target, sent).sign(sidecar->client)));
  };
  constexpr const char* kNoRealm = R"({"roles":[]})";
  constexpr const char* kClerk = R"({"roles":["clerk"]})";
  constexpr const char* kShopAdmin = R"({"shop":{"roles":["admin"]}})";
  EXPECT_EQ(attempt("/roles/any/x", kClerk, "{}").status, 200);
  EXPECT_EQ(attempt("/roles/any/x", kNoRealm, kShopAdmin).status, 200);
  EXPECT_EQ(attempt("/roles/all/x", kClerk, kShopAdmin).status, 200);
  const std::size_t passed = sidecar->backend.seen_count();
  for (const Response& answer :
       {attempt("/roles/any/x", kNoRealm, "{}"),
        attempt("/roles/any/x", R"({"roles":["Clerk","shop:admin"]})", "{}"),
        attempt("/roles/any/x", R"({"roles":["admin"]})", R"({"other":{"roles":["admin","clerk"]}})"),
        attempt("/roles/all/x", kClerk, "{}"), attempt("/roles/any/x", R"("clerk")", "[]")}) {
    expect_refusal(answer, 403, "role_missing");
    EXPECT_FALSE(answer.fields.has("WWW-Authenticate")) << answer.head;
  }
  EXPECT_EQ(sidecar->backend.seen_count(), passed);
}

}  // namespace
}  // namespace holdfast::integration
