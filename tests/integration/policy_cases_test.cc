// `holdfast test`: what is shipped comes out as it says, what differs is told with its place, and a file that
// is none is refused with all its mistakes. That the decisions are the proxy's own is held by its running the
// proxy's own story (explain_test.cc compares that with the proxy).
#include <gtest/gtest.h>

#include "support/holdfast_process.h"
#include "support/places.h"

namespace holdfast::integration {
namespace {

using support::Finished;

constexpr const char* kConfiguration = R"(
listeners:
  - {name: plain, address: ":8080", tls: off}
  - {name: l, address: ":8443", tls: {certificate: none.crt, key: none.key}}
issuers:
  - {name: one, url: "https://one.example.com", audiences: [api], token_type: at+jwt}
  - {name: two, url: "https://two.example.com", audiences: any, algorithms: [PS256], introspection: {mode: always, client_id: c, client_secret_file: none.secret}}
dpop: {algorithms: [EdDSA], nonce: {mode: required, secret_file: none.key}}
upstreams: [{name: u, servers: "http://127.0.0.1"}]
routes:
  - {name: open, match: {path: /open}, access: public}
  - {name: tried, match: {path: /tried}, issuers: [one], enforce: false, require: {scopes: [a]}}
  - {name: fresh, match: {path: /fresh}, issuers: [one], require: {max_auth_age: 15m, acr: [gold]}}
  - {name: tenants, match: {path: /tenants}, issuers: [one], require: {claims: {tenant: [a, b], level: 2, vip: true}}}
  - {name: both, match: {path: /both}, issuers: [two, one], access: dpop_or_bearer}
)";

class PolicyCasesTest : public testing::Test {
 protected:
  Finished run(const std::string& cases) {
    folder_.write("holdfast.yaml", kConfiguration);
    folder_.write("cases.yaml", cases);
    return support::run_holdfast({"test", "-c", file("holdfast.yaml"), file("cases.yaml")});
  }
  [[nodiscard]] std::string file(const std::string& name) const { return (folder_.path() / name).string(); }

 private:
  support::TemporaryFolder folder_;
};

TEST_F(PolicyCasesTest, WhatIsShippedComesOutAsItSays) {
  const auto config = support::source_folder() / "config";
  const Finished done = support::run_holdfast(
      {"test", "-c", (config / "gateway.yaml").string(), (config / "cases/gateway.yaml").string()});
  EXPECT_EQ(done.exit_code, 0) << done.out << done.err;
  EXPECT_EQ(done.out.find("DIFFERS"), std::string::npos) << done.out;
}

TEST_F(PolicyCasesTest, EveryKindOfDecision) {
  const Finished done = run(R"(
cases:
- {name: open, request: GET https://a/open, expect: allow}
- {name: good but for the scope, request: GET https://a/tried, claims: {}, expect: report}
- {name: so is it called, request: GET https://a/tried, claims: {scope: b}, expect: {decision: report, reason: scope_missing}}
- {name: good, request: GET https://a/tried, claims: {scope: a}, expect: {decision: allow}}
- {name: fresh, request: GET https://a/fresh, claims: {auth_time: now-10m, acr: gold}, expect: allow}
- {name: not fresh, request: GET https://a/fresh, claims: {auth_time: now-16m, acr: gold}, expect: step_up_required}
- {name: weak, request: GET https://a/fresh, claims: {auth_time: now, acr: silver}, expect: {status: 401, reason: step_up_required}}
- {name: claims, request: GET https://a/tenants, claims: {tenant: b, level: 2, vip: true}, expect: allow}
- {name: capitals, request: GET https://a/tenants, claims: {tenant: b, level: 2, vip: True}, expect: allow}
- {name: other types, request: GET https://a/tenants, claims: {tenant: b, level: "2", vip: true}, expect: claim_mismatch}
- {name: a list, request: GET https://a/tenants, claims: {tenant: [x, a], level: 2.0, vip: true}, expect: allow}
- {name: bearer, request: POST https://a/both, scheme: bearer, claims: {}, expect: allow}
- {name: bound bearer, request: POST https://a/both, scheme: bearer, claims: {cnf: {jkt: x}}, expect: bearer_for_bound_token}
- {name: the other issuer, request: POST https://a/both, issuer: one, claims: {}, expect: allow}
- {name: no route, request: GET https://a/nowhere, expect: {decision: deny, status: 404, reason: no_route}}
- {name: in capitals, request: GET HTTPS://A/fresh, claims: {auth_time: now, acr: gold}, expect: allow}
- {name: two hosts, request: GET https://a/open, headers: {Host: b}, expect: request_malformed}
)");
  EXPECT_EQ(done.exit_code, 0) << done.out << done.err;
  EXPECT_NE(done.out.find("17 of 17 as expected\n"), std::string::npos) << done.out;
}

TEST_F(PolicyCasesTest, WhatDiffersIsToldWithItsPlace) {
  const Finished done = run(R"(cases:
- {name: open, request: GET https://a/open, expect: allow}
- {name: shut, request: GET https://a/open, expect: {decision: deny, status: 403}}
- name: fresh
  request: GET https://a/fresh
  claims: {acr: gold}
  expect: allow
- {name: stranger, request: GET https://a/fresh, issuer: nobody, claims: {}, expect: deny}
)");
  EXPECT_EQ(done.exit_code, 5);
  EXPECT_EQ(done.out,
            "ok      open\n"
            "DIFFERS shut\n        " +
                file("cases.yaml") +
                ":3:3: expected deny, 403; decided allow, route open\n"
                "DIFFERS fresh\n        " +
                file("cases.yaml") +
                ":4:3: expected allow; decided deny, 401, step_up_required, route fresh: this route requires "
                "a login of the "
                "last 900 s, and the token has no auth_time\n"
                "DIFFERS stranger\n        " +
                file("cases.yaml") +
                ":8:3: expected deny; no issuer is named \"nobody\"\n"
                "1 of 4 as expected\n");
}

TEST_F(PolicyCasesTest, AFileThatIsNone) {
  const auto refused = [this](const std::string& cases) {
    const Finished done = run(cases);
    EXPECT_EQ(done.exit_code, 3) << done.out;
    EXPECT_EQ(done.out, "");
    std::string err = done.err;
    for (const std::string prefix = file("cases.yaml") + ':'; err.find(prefix) != std::string::npos;)
      err.erase(err.find(prefix), prefix.size());
    return err;
  };
  EXPECT_EQ(refused("cases: [}"),
            "1:9: not valid YAML: illegal flow end; is each { and [ closed by its own kind?\n");
  EXPECT_EQ(refused("- a"), "1:1: a file of cases is a map with the key cases, not a list\n");
  EXPECT_EQ(refused("cases: []"), "1:8: cases: must not be empty\n");
  EXPECT_EQ(refused(R"(cases:
- {name: a, request: https://a/, expects: allow}
- {name: a, name: b, request: GET /a, expect: alow, claims: {exp: soon, exp: 1}, scheme: dpop2}
- {name: c, request: GET https://a/, expect: {status: 4, reason: nope, decision: x}, headers: {"a b": c, d: [e]}, claims: 7}
- {name: c, request: GET https://a/, expect: {}}
- {name: d, request: GET https://a/, expect: allow, claims: {exp: 0x10, nbf: .inf, level: 007, deep: [+1]}}
)"),
            R"(2:3: cases[0].expect: is required
2:22: cases[0].request: must be a method and a URL, such as GET https://api.example.com/v1/orders, not "https://a/"
2:34: cases[0].expects: unknown key; did you mean "expect"?
3:13: cases[1].name: duplicate key; it stands on line 3 already
3:31: cases[1].request: must be a method and a URL, such as GET https://api.example.com/v1/orders, not "GET /a"
3:47: cases[1].expect: must be allow, deny, report, a reason such as scope_missing, or a map of decision, reason, status and route, not "alow"
3:67: cases[1].claims.exp: must be seconds since 1970, or now and a time, such as now-15m, not "soon"
3:73: cases[1].claims.exp: duplicate key; it stands on line 3 already
3:90: cases[1].scheme: must be dpop or bearer, not "dpop2"
4:55: cases[2].expect.status: must be a status, such as 403, not "4"
4:66: cases[2].expect.reason: must be a reason, such as scope_missing, not "nope"
4:82: cases[2].expect.decision: must be allow, deny or report, not "x"
4:96: cases[2].headers.a b: is no name of a header
4:109: cases[2].headers.d: must be a header's value, not a list
4:123: cases[2].claims: must be a map of the token's claims; {} for a token that has no more than it must, not "7"
5:10: cases[3].name: is the name of another case
5:46: cases[3].expect: must not be empty
6:67: cases[4].claims.exp: must be seconds since 1970, or now and a time, such as now-15m, not "0x10"
6:78: cases[4].claims.nbf: must be seconds since 1970, or now and a time, such as now-15m, not ".inf"
6:91: cases[4].claims.level: must be a number as JSON writes it, or text in quotes, not "007"
6:103: cases[4].claims.deep[0]: must be a number as JSON writes it, or text in quotes, not "+1"
)");
}

TEST(PolicyCasesUsage, NeedsBothFiles) {
  EXPECT_EQ(support::run_holdfast({"test", "-c", "x.yaml"}).exit_code, 2);
  EXPECT_EQ(support::run_holdfast({"test", "x.yaml"}).exit_code, 2);
  EXPECT_EQ(support::run_holdfast({"test", "-c", "/nowhere.yaml", "x.yaml"}).exit_code, 3);
  const std::string good = (support::source_folder() / "config/gateway.yaml").string();
  const Finished done = support::run_holdfast({"test", "-c", good, "/nowhere.yaml"});
  EXPECT_EQ(done.exit_code, 2);
  EXPECT_EQ(done.err, "holdfast test: /nowhere.yaml: No such file or directory\n");
}

}  // namespace
}  // namespace holdfast::integration
