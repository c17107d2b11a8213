#include "admin/probe_answer.h"

#include <gtest/gtest.h>

namespace holdfast::admin {
namespace {

struct FakeState final : ProbeState {
  bool is_started = true, is_alive = true, is_draining = false, measures = false, is_settled = true;
  std::vector<IssuerReadiness> readiness{{"keycloak", true}, {"other", true}};

  [[nodiscard]] bool started() const override { return is_started; }
  [[nodiscard]] bool alive() const override { return is_alive; }
  [[nodiscard]] bool draining() const override { return is_draining; }
  [[nodiscard]] std::vector<IssuerReadiness> issuers() const override { return readiness; }
  [[nodiscard]] bool takes_proofs() const override { return is_settled; }
  [[nodiscard]] bool has_metrics() const override { return measures; }
  [[nodiscard]] std::string metrics() const override { return "up 1\n"; }
  [[nodiscard]] std::string assertion_keys() const override { return keys; }
  std::string keys;
};

TEST(PlainAnswer, EachProbeSaysItsOwnThing) {
  struct Case {
    std::string_view what;
    void (*change)(FakeState&);
    unsigned livez, readyz, startupz;
  };
  for (const Case& c : {
           Case{"all is well", [](FakeState&) {}, 200, 200, 200},
           Case{"starting", [](FakeState& s) { s.is_started = false; }, 200, 503, 503},
           Case{"a worker hangs", [](FakeState& s) { s.is_alive = false; }, 503, 200, 200},
           Case{"draining", [](FakeState& s) { s.is_draining = true; }, 200, 503, 200},
           Case{"one issuer's keys never came", [](FakeState& s) { s.readiness[1].loaded = false; }, 200, 503,
                200},
           Case{"no issuer is configured", [](FakeState& s) { s.readiness.clear(); }, 200, 200, 200},
       }) {
    FakeState state;
    c.change(state);
    EXPECT_EQ(answer_probe("GET", "/livez", state).status, c.livez) << c.what;
    EXPECT_EQ(answer_probe("GET", "/readyz", state).status, c.readyz) << c.what;
    EXPECT_EQ(answer_probe("HEAD", "/readyz?verbose", state).status, c.readyz) << c.what;
    EXPECT_EQ(answer_probe("GET", "/startupz", state).status, c.startupz) << c.what;
  }
}

TEST(PlainAnswer, VerboseNamesEachIssuer) {
  FakeState state;
  state.readiness[1].loaded = false;
  for (const std::string_view target : {"/readyz?verbose", "/readyz?verbose=1", "/readyz?a=b&verbose"}) {
    EXPECT_EQ(answer_probe("GET", target, state).body,
              "[+] started ok\n[+] not draining ok\n[+] replay store takes proofs ok\n[+] keys of issuer "
              "keycloak ok\n"
              "[-] keys of issuer other failed\nnot ok\n");
  }
  for (const std::string_view target : {"/readyz", "/readyz?", "/readyz?verbosely", "/readyz?a=verbose"}) {
    EXPECT_EQ(answer_probe("GET", target, state).body, "not ok\n") << target;
  }
}

TEST(PlainAnswer, NotReadyWhileTheReplayStoreIsTooYoung) {
  FakeState state;
  state.is_settled = false;
  EXPECT_EQ(answer_probe("GET", "/readyz", state).status, 503);
  EXPECT_EQ(answer_probe("GET", "/livez", state).status, 200);
  EXPECT_EQ(answer_probe("GET", "/startupz", state).status, 200);
}

TEST(PlainAnswer, ReadsOnlyAndKnowsOnlyItsPaths) {
  FakeState state;
  for (const std::string_view method : {"POST", "PUT", "DELETE", "OPTIONS", "get"}) {
    const PlainAnswer answer = answer_probe(method, "/livez", state);
    EXPECT_EQ(answer.status, 405u) << method;
    EXPECT_EQ(answer.allow, "GET, HEAD");
  }
  for (const std::string_view target : {"/", "*", "", "/livez/", "/LIVEZ", "//livez", "/healthz", "/drain",
                                        "/config", "/metrics", "/.well-known/jwks.json", "?verbose"}) {
    EXPECT_EQ(answer_probe("GET", target, state).status, 404u) << target;
    EXPECT_EQ(answer_probe("POST", target, state).status, 404u) << target;
  }
}

TEST(PlainAnswer, ServesMetricsWhereThereAreAny) {
  FakeState state;
  state.measures = true;
  const PlainAnswer answer = answer_probe("GET", "/metrics", state);
  EXPECT_EQ(answer.status, 200u);
  EXPECT_EQ(answer.body, "up 1\n");
  EXPECT_TRUE(answer.content_type.starts_with("text/plain; version=0.0.4"));
}

TEST(PlainAnswer, PublishesTheKeysOfSignedIdentitiesWhereThereAreAny) {
  FakeState state;
  state.keys = R"({"keys":[]})";
  const PlainAnswer answer = answer_probe("GET", "/.well-known/jwks.json", state);
  EXPECT_EQ(answer.status, 200u);
  EXPECT_EQ(answer.body, state.keys);
  EXPECT_EQ(answer.content_type, "application/json");
  EXPECT_EQ(answer_probe("POST", "/.well-known/jwks.json", state).status, 405u);
}

}  // namespace
}  // namespace holdfast::admin
