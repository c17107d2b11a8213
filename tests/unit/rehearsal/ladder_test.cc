// Where each reason stands among the checks. That a ladder stands where the proxy stopped is held by
// tests/integration/explain_test.cc.
#include "rehearsal/ladder.h"

#include <gtest/gtest.h>

#include <set>

#include "settings/load.h"

namespace holdfast::rehearsal {
namespace {

settings::Settings some_settings(const std::string& access) {
  const settings::World nothing{[](std::string_view) { return std::nullopt; },
                                [](const std::filesystem::path&) { return settings::FileState::kMissing; },
                                [](const std::filesystem::path&) { return std::nullopt; },
                                {}};
  auto loaded = settings::load(
      "listeners: [{name: l, address: 127.0.0.1:1, tls: off}]\n"
      "issuers: [{name: i, url: https://id.example.com, audiences: any}]\n"
      "upstreams: [{name: u, servers: http://127.0.0.1}]\n"
      "routes: [{name: r, access: " +
          access + "}]\n",
      "f", nothing);
  EXPECT_TRUE(loaded.settings) << (loaded.errors.empty() ? "" : loaded.errors.front().message);
  return *std::move(loaded.settings);
}

std::vector<cli::Rung> ladder(const settings::Settings& settings, Verdict verdict) {
  verdict.route = "r";
  const Judged judged{.settings = settings,
                      .verdict = verdict,
                      .method = "GET",
                      .target = "/",
                      .token = "",
                      .proof = "",
                      .keys_error = "",
                      .now = {}};
  return ladder_of(judged);
}

TEST(Ladder, EveryReasonStandsOnOneRung) {
  const settings::Settings settings = some_settings("dpop_or_bearer");
  for (const Reason reason : kAllReasons) {
    for (const char* scheme : {"dpop", "bearer", ""}) {
      SCOPED_TRACE(std::string(reason_name(reason)) + ' ' + scheme);
      Verdict verdict;
      verdict.status = 401;
      verdict.reason = reason;
      verdict.detail = "why";
      verdict.scheme = scheme;
      const auto rungs = ladder(settings, verdict);
      std::set<std::string> names;
      bool reached = true;
      std::size_t failed = 0;
      for (const cli::Rung& rung : rungs) {
        EXPECT_TRUE(names.insert(rung.name).second) << rung.name;
        if (rung.state == cli::Rung::State::kFailed) {
          ++failed;
          reached = false;
          EXPECT_EQ(rung.words, "why");
        } else {
          EXPECT_EQ(rung.state == cli::Rung::State::kPassed, reached) << rung.name;
          EXPECT_EQ(rung.mend, "");
        }
      }
      EXPECT_EQ(failed, 1U);
    }
  }
}

TEST(Ladder, ShowsWhatARouteAsksFor) {
  Verdict verdict;
  verdict.forwarded = true;
  const auto names = [&](const std::string& access, const std::string& scheme) {
    verdict.scheme = scheme;
    std::string out;
    for (const cli::Rung& rung : ladder(some_settings(access), verdict)) out += rung.name + ", ";
    return out;
  };
  EXPECT_EQ(names("public", ""), "request, route, ");
  EXPECT_EQ(
      names("dpop", "dpop"),
      "request, route, origin, credentials, proof, htm, htu, iat, ath, token, iss, key, signature, claims, "
      "aud, exp, binding, proof signature, replay, ");
  EXPECT_EQ(names("dpop_or_bearer", "bearer"),
            "request, route, origin, credentials, token, iss, key, signature, claims, aud, exp, binding, ");
}

}  // namespace
}  // namespace holdfast::rehearsal
