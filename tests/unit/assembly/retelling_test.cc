// What the admin listener says of remembered requests.
#include "retelling.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "cli/explanation_json.h"
#include "support/settings_with.h"

namespace holdfast {
namespace {

using namespace std::chrono_literals;

telemetry::Recollection some_recollection() {
  telemetry::Recollection found;
  found.newest = pipeline::Account{.time = UnixTime(1'800'000'000s),
                                   .request_id = "abc",
                                   .client_ip = "192.0.2.7",
                                   .method = "GET",
                                   .path = "/orders/1",
                                   .host = "api.example.com",
                                   .route = 0,
                                   .decision = pipeline::Decision::kDeny,
                                   .status = 401,
                                   .reason = Reason::scope_missing,
                                   .detail = "the reason's own words"};
  found.same_id = 1;
  return found;
}

TEST(Retelling, EveryReasonIsToldAsItWasAnswered) {
  const settings::Settings settings = support::settings_with("dpop_or_bearer");
  for (const Reason reason : kAllReasons) {
    SCOPED_TRACE(reason_name(reason));
    telemetry::Recollection found = some_recollection();
    found.newest->reason = reason;
    const admin::PlainAnswer answer = retell(found, &settings);
    EXPECT_EQ(answer.status, 200U);
    EXPECT_EQ(answer.content_type, "application/json");
    const auto told = cli::read_explanation(answer.body);
    ASSERT_TRUE(told) << told.error();
    EXPECT_FALSE(told->allowed);
    EXPECT_EQ(told->verdict, "denied: 401 " + std::string(reason_name(reason)) + " (listener l, route r)");
    EXPECT_EQ(told->about, "request abc of 2027-01-15T08:00:00.000Z, from 192.0.2.7");
    const auto failed = [](const cli::Rung& rung) { return rung.state == cli::Rung::State::kFailed; };
    EXPECT_EQ(std::ranges::count_if(told->rungs, failed), 1);
    EXPECT_EQ(std::ranges::find_if(told->rungs, failed)->words, "the reason's own words");
  }
}

TEST(Retelling, SaysWhoseRequestItWas) {
  telemetry::Recollection found = some_recollection();
  found.newest->claims = pipeline::Account::Claims{.sub = "al\"ice\n", .client_id = "shop"};
  found.same_id = 3;
  const settings::Settings settings = support::settings_with("dpop_or_bearer");
  const auto told = cli::read_explanation(retell(found, &settings).body);
  ASSERT_TRUE(told);
  EXPECT_EQ(
      told->about,
      "request abc of 2027-01-15T08:00:00.000Z, from 192.0.2.7, sub al'ice?, client_id shop, the newest of "
      "3 with this id");
}

TEST(Retelling, SaysWhyNothingCanBeSaid) {
  telemetry::Recollection none;
  none.known = {.kept = 2, .since = std::nullopt};
  none.strangers = {.kept = 512, .since = UnixTime(1'800'000'000s)};
  const admin::PlainAnswer unknown = retell(none, nullptr);
  EXPECT_EQ(unknown.status, 404U);
  EXPECT_EQ(
      unknown.body,
      "no request with this id is remembered. Refused requests are: with a good token 2 (all since this "
      "process began), others 512 (all since 2027-01-15T08:00:00.000Z)\n");
  EXPECT_EQ(retell(some_recollection(), nullptr).status, 410U);
}

}  // namespace
}  // namespace holdfast
