#include "admin/admin_answer.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace holdfast::admin {
namespace {

struct FakeState final : AdminState {
  int reloads = 0;
  int drains = 0;
  std::string level;
  std::string asked;

  [[nodiscard]] std::string status_page() const override { return "status\n"; }
  [[nodiscard]] std::string shown_configuration() const override { return "config\n"; }
  void reload(Done done) override {
    ++reloads;
    PlainAnswer answer;
    answer.body = "reloaded\n";
    done(std::move(answer));
  }
  void tell_of(std::string_view request_id, Done done) override {
    asked = request_id;
    PlainAnswer answer;
    answer.body = "told\n";
    done(std::move(answer));
  }
  bool drain() override { return ++drains == 1; }
  bool set_log_level(std::string_view word) override {
    if (word != "debug") return false;
    level = word;
    return true;
  }
  [[nodiscard]] bool untouched() const {
    return reloads == 0 && drains == 0 && level.empty() && asked.empty();
  }
};

const std::string kToken = "a-token-of-an-operator";

struct Sent {
  std::string method = "POST";
  std::string target = "/reload";
  std::string host = "localhost:9081";
  std::vector<std::pair<std::string, std::string>> fields{};
};

PlainAnswer ask(const Sent& sent, FakeState& state, std::string token = kToken) {
  http::RequestHead head;
  head.method = sent.method;
  head.target = sent.target;
  head.authority = sent.host;
  for (const auto& [name, value] : sent.fields) head.fields.add(name, value);
  PlainAnswer got;
  answer_admin(head, {.token = Secret(std::move(token)), .hosts = {"admin.internal"}}, state,
               [&](PlainAnswer answer) { got = std::move(answer); });
  return got;
}

const std::pair<std::string, std::string> kAuthorization{"Authorization", "Bearer " + kToken};

TEST(AdminAnswer, PagesNeedNoToken) {
  FakeState state;
  EXPECT_EQ(ask({"GET", "/"}, state).body, "status\n");
  EXPECT_EQ(ask({"GET", "/config?x"}, state).body, "config\n");
  EXPECT_EQ(ask({"POST", "/config", "localhost", {kAuthorization}}, state).status, 405U);
  EXPECT_EQ(ask({"GET", "/other"}, state).status, 404U);
}

TEST(AdminAnswer, HostsThatAreNeitherLoopbackNorListedAreRefused) {
  FakeState state;
  for (const char* host : {"localhost", "127.0.0.1:9081", "127.1.2.3", "[::1]:9081", "admin.internal:80"}) {
    EXPECT_EQ(ask({"GET", "/", host}, state).status, 200U) << host;
  }
  for (const char* host : {"", "evil.example.com", "127.0.0.1.evil.example.com", "10.0.0.1", "0.0.0.0",
                           "localhost.evil.example.com", "admin.internal.evil"}) {
    EXPECT_EQ(ask({"GET", "/", host}, state).status, 403U) << host;
    EXPECT_EQ(ask({"POST", "/reload", host, {kAuthorization}}, state).status, 403U) << host;
  }
  EXPECT_TRUE(state.untouched());
}

TEST(AdminAnswer, ActionsNeedTheToken) {
  FakeState state;
  const std::vector<std::vector<std::pair<std::string, std::string>>> wrong{
      {},
      {{"Authorization", "Bearer"}},
      {{"Authorization", "Bearer "}},
      {{"Authorization", "Bearer " + kToken + "x"}},
      {{"Authorization", "Bearer " + kToken.substr(1)}},
      {{"Authorization", "Basic " + kToken}},
      {{"Authorization", kToken}},
      {kAuthorization, {"Authorization", "Bearer x"}},
  };
  for (const auto& fields : wrong) {
    for (const char* target : {"/reload", "/drain", "/log-level?level=debug"}) {
      const PlainAnswer answer = ask({"POST", target, "localhost", fields}, state);
      EXPECT_EQ(answer.status, 401U);
      EXPECT_EQ(answer.authenticate, "Bearer");
      EXPECT_EQ(answer.body.find(kToken), std::string::npos);
    }
  }
  EXPECT_TRUE(state.untouched());
  EXPECT_EQ(ask({"POST", "/reload", "localhost", {{"Authorization", "bearer " + kToken}}}, state).status,
            200U);
  EXPECT_EQ(state.reloads, 1);
  EXPECT_EQ(ask({"GET", "/reload", "localhost", {kAuthorization}}, state).status, 405U);
  EXPECT_EQ(state.reloads, 1);
}

// Who calls, and what for, is told to the operator alone.
TEST(AdminAnswer, RequestsAreToldForTheTokenOnly) {
  FakeState state;
  const std::string target = "/requests/a/b:c@d+e=~";
  EXPECT_EQ(ask({"GET", target}, state).status, 401U);
  EXPECT_EQ(ask({"GET", target, "localhost", {{"Authorization", "Bearer " + kToken + "x"}}}, state).status,
            401U);
  EXPECT_EQ(ask({"GET", target, "localhost", {kAuthorization}}, state, "").status, 403U);
  EXPECT_EQ(ask({"GET", target, "evil.example.com", {kAuthorization}}, state).status, 403U);
  EXPECT_EQ(ask({"GET", target, "localhost", {kAuthorization, {"Sec-Fetch-Site", "none"}}}, state).status,
            403U);
  EXPECT_EQ(ask({"POST", target, "localhost", {kAuthorization}}, state).status, 405U);
  EXPECT_EQ(ask({"GET", "/requests/", "localhost", {kAuthorization}}, state).status, 404U);
  EXPECT_TRUE(state.untouched());
  EXPECT_EQ(ask({"GET", target + "?x", "localhost", {kAuthorization}}, state).body, "told\n");
  EXPECT_EQ(state.asked, "a/b:c@d+e=~");
}

TEST(AdminAnswer, WithoutATokenFileNoActionIsTaken) {
  FakeState state;
  EXPECT_EQ(ask({}, state, "").status, 403U);
  EXPECT_EQ(ask({"POST", "/reload", "localhost", {{"Authorization", "Bearer "}}}, state, "").status, 403U);
  EXPECT_TRUE(state.untouched());
}

TEST(AdminAnswer, ABrowserIsRefusedWhateverItKnows) {
  FakeState state;
  for (const char* name : {"Origin", "Sec-Fetch-Site"}) {
    EXPECT_EQ(ask({"POST", "/drain", "localhost", {kAuthorization, {name, "same-origin"}}}, state).status,
              403U);
  }
  EXPECT_TRUE(state.untouched());
}

TEST(AdminAnswer, DrainAndLogLevel) {
  FakeState state;
  EXPECT_EQ(ask({"POST", "/drain", "localhost", {kAuthorization}}, state).status, 202U);
  EXPECT_EQ(state.drains, 1);
  EXPECT_EQ(ask({"POST", "/log-level?level=debug", "localhost", {kAuthorization}}, state).status, 200U);
  EXPECT_EQ(state.level, "debug");
  for (const char* target :
       {"/log-level", "/log-level?level=", "/log-level?level=loud", "/log-level?x=debug"}) {
    EXPECT_EQ(ask({"POST", target, "localhost", {kAuthorization}}, state).status, 400U) << target;
  }
}

}  // namespace
}  // namespace holdfast::admin
