// Where each reason stands among the checks. That a ladder stands where the proxy stopped is held by
// tests/integration/explain_test.cc.
#include "rehearsal/ladder.h"

#include <gtest/gtest.h>

#include <set>

#include "support/settings_with.h"

namespace holdfast::rehearsal {
namespace {

using pipeline::Account;
using pipeline::Decision;

std::vector<cli::Rung> ladder(const settings::Settings& settings, const Account& account,
                              bool rehearsed = false) {
  return ladder_of({.settings = settings, .account = account, .rehearsed = rehearsed});
}

Account refused(Reason reason, bool bearer = false) {
  return {.method = "GET",
          .path = "/",
          .route = 0,
          .decision = Decision::kDeny,
          .status = 401,
          .reason = reason,
          .detail = "why",
          .bearer = bearer};
}

std::string failed_name(const Account& account) {
  for (const cli::Rung& rung : ladder(support::settings_with("dpop"), account)) {
    if (rung.state == cli::Rung::State::kFailed) return rung.name;
  }
  return "none";
}

TEST(Ladder, EveryReasonStandsOnOneRung) {
  const settings::Settings settings = support::settings_with("dpop_or_bearer");
  for (const Reason reason : kAllReasons) {
    for (const bool bearer : {false, true}) {
      for (const bool admitted : {false, true}) {
        SCOPED_TRACE(std::string(reason_name(reason)) + (bearer ? " bearer" : "") +
                     (admitted ? " admitted" : ""));
        Account account = refused(reason, bearer);
        account.admitted = admitted;
        std::set<std::string> names;
        bool reached = true;
        std::size_t failed = 0;
        for (const cli::Rung& rung : ladder(settings, account)) {
          EXPECT_TRUE(names.insert(rung.name).second) << rung.name;
          if (rung.state == cli::Rung::State::kFailed) {
            ++failed;
            reached = false;
            EXPECT_EQ(rung.words, "why");
            if (admitted) {
              EXPECT_EQ(rung.name, "exchange");
            }
          } else {
            EXPECT_EQ(rung.state == cli::Rung::State::kPassed, reached) << rung.name;
            EXPECT_EQ(rung.mend, "");
          }
        }
        EXPECT_EQ(failed, 1U);
      }
    }
  }
}

// One reason, and several moments at which it may come up.
TEST(Ladder, WhatElseIsKnownTellsChecksOfOneReasonApart) {
  Account overloaded = refused(Reason::overloaded);
  EXPECT_EQ(failed_name(overloaded), "queue");
  overloaded.route.reset();
  EXPECT_EQ(failed_name(overloaded), "request");
  Account old = refused(Reason::iat_too_old);
  EXPECT_EQ(failed_name(old), "iat");
  old.claims.emplace();
  EXPECT_EQ(failed_name(old), "replay") << "the token was judged before";
  Account typed = refused(Reason::token_type);
  EXPECT_EQ(failed_name(typed), "token");
  typed.token.emplace();
  EXPECT_EQ(failed_name(typed), "claims");
  typed.asked = true;
  EXPECT_EQ(failed_name(typed), "active");
  typed.answered = true;
  EXPECT_EQ(failed_name(typed), "claims");
  Account lacking = refused(Reason::proof_claim);
  EXPECT_EQ(failed_name(lacking), "proof");
  lacking.proof.emplace();
  EXPECT_EQ(failed_name(lacking), "ath");
  lacking.proof->has_ath = true;
  EXPECT_EQ(failed_name(lacking), "iat");
}

std::string names_of(const std::vector<cli::Rung>& rungs) {
  std::string out;
  for (const cli::Rung& rung : rungs) out += rung.name + ", ";
  return out;
}

TEST(Ladder, ShowsWhatARouteAsksFor) {
  const auto names = [&](const std::string& access, bool bearer) {
    return names_of(
        ladder(support::settings_with(access), {.route = 0, .bearer = bearer, .forwarded = true}));
  };
  EXPECT_EQ(names("public", false), "request, route, ");
  EXPECT_EQ(
      names("dpop", false),
      "request, route, origin, credentials, proof, htm, htu, iat, ath, token, iss, key, signature, claims, "
      "aud, exp, binding, proof signature, replay, ");
  EXPECT_EQ(names("dpop_or_bearer", true),
            "request, route, origin, credentials, token, iss, key, signature, claims, aud, exp, binding, ");
}

// Whoever is asked about a token is asked by nobody but its holder: what the answer says comes after.
TEST(Ladder, AnOpaqueTokensClaimsComeAfterTheAnswer) {
  Account account = refused(Reason::proof_signature);
  account.opaque = true;
  account.issuer = 0;
  const auto rungs = ladder(support::settings_with("dpop"), account);
  EXPECT_EQ(names_of(rungs),
            "request, route, origin, credentials, proof, htm, htu, iat, ath, proof signature, active, aud, "
            "exp, binding, replay, ");
  for (const cli::Rung& rung : rungs) {
    if (rung.name == "aud") {
      EXPECT_EQ(rung.state, cli::Rung::State::kNotEvaluated);
    }
  }
}

TEST(Ladder, OnlyARunningProxyKnowsWhetherAProofIsNew) {
  const settings::Settings settings = support::settings_with("dpop");
  const Account passed{.route = 0, .forwarded = true};
  EXPECT_EQ(ladder(settings, passed, true).back().state, cli::Rung::State::kNotEvaluated);
  EXPECT_EQ(ladder(settings, passed).back().state, cli::Rung::State::kPassed);
}

}  // namespace
}  // namespace holdfast::rehearsal
