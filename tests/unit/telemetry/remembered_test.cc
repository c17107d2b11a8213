// What is remembered, for how long, and how much it can take.
#include "telemetry/remembered.h"

#include <gtest/gtest.h>

#include <string>

#include "pipeline/rules.h"

namespace holdfast::telemetry {
namespace {

using namespace std::chrono_literals;

constexpr UnixTime kStart{std::chrono::seconds(1'800'000'000)};

struct CountingLog final : pipeline::AccessLog {
  int records = 0;
  void record(const pipeline::AccessRecord&) override { ++records; }
};

class RememberedTest : public ::testing::Test {
 protected:
  void end(std::string_view id, std::optional<Reason> reason = Reason::htu_mismatch, bool known = false) {
    pipeline::Evidence evidence;
    if (known) evidence.token = std::make_shared<const token::AccessToken>();
    const pipeline::Subject subject{.rules = &rules};
    const pipeline::Grounds grounds{.subject = subject,
                                    .evidence = evidence,
                                    .listener = 0,
                                    .detail = "why",
                                    .tried = policy::AuthScheme::dpop,
                                    .asked = false,
                                    .answered = false,
                                    .admitted = false,
                                    .forwarded = false};
    pipeline::AccessRecord record;
    record.time = now += 1s;
    record.request_id = id;
    record.decision = reason ? "deny" : "allow";
    record.reason = reason;
    record.grounds = &grounds;
    remembered.record(record);
  }

  pipeline::Rules rules{.routes = policy::RouteTable({}), .headers = identity::HeaderPlan({})};
  CountingLog log;
  Remembered remembered{log, 3};
  UnixTime now = kStart;
};

TEST_F(RememberedTest, WhatWasRefusedAndNothingElse) {
  end("one");
  end("two", std::nullopt);
  EXPECT_EQ(log.records, 2) << "the log gets all";
  const Recollection one = remembered.find("one");
  ASSERT_TRUE(one.newest);
  EXPECT_EQ(one.newest->request_id, "one");
  EXPECT_EQ(one.newest->reason, Reason::htu_mismatch);
  EXPECT_EQ(one.newest->detail, "why");
  EXPECT_EQ(one.strangers.kept, 1U);
  EXPECT_FALSE(one.strangers.since) << "nothing had to give way";
  EXPECT_FALSE(remembered.find("two").newest);
  EXPECT_FALSE(remembered.find("on").newest);
  EXPECT_FALSE(remembered.find("").newest);
}

TEST_F(RememberedTest, TheOldestGivesWay) {
  for (const char* id : {"1", "2", "3", "4", "5"}) end(id);
  EXPECT_FALSE(remembered.find("1").newest);
  EXPECT_FALSE(remembered.find("2").newest);
  for (const char* id : {"3", "4", "5"}) EXPECT_TRUE(remembered.find(id).newest) << id;
  EXPECT_EQ(remembered.find("x").strangers.kept, 3U);
  EXPECT_EQ(remembered.find("x").strangers.since, kStart + 3s);
}

// Else whoever can reach the proxy could wipe out what it knows of its real clients.
TEST_F(RememberedTest, StrangersPushOutStrangersOnly) {
  end("mine", Reason::scope_missing, true);
  for (int i = 0; i < 100; ++i) end("stranger");
  const Recollection found = remembered.find("mine");
  EXPECT_TRUE(found.newest);
  EXPECT_EQ(found.known.kept, 1U);
  EXPECT_FALSE(found.known.since);
  EXPECT_EQ(found.strangers.kept, 3U);
}

// A proxy in front may send an id again.
TEST_F(RememberedTest, OfOneIdTheNewest) {
  end("same", Reason::scope_missing, true);
  end("same", Reason::ath_mismatch);
  EXPECT_EQ(remembered.find("same").newest->reason, Reason::ath_mismatch);
  end("same", Reason::key_mismatch, true);
  const Recollection here = remembered.find("same");
  EXPECT_EQ(here.newest->reason, Reason::key_mismatch);
  EXPECT_EQ(here.same_id, 3U);

  Remembered other(log, 3);
  Recollection all = other.find("same");
  EXPECT_FALSE(all.newest);
  all.add(here);
  all.add(other.find("same"));
  EXPECT_EQ(all.newest->reason, Reason::key_mismatch);
  EXPECT_EQ(all.same_id, 3U);
  EXPECT_EQ(all.known.kept, 2U);
}

// Complete since: what the forgetful one of several still has from the beginning.
TEST_F(RememberedTest, SeveralWorkersAreCompleteSinceTheLatest) {
  Recollection all;
  Recollection one;
  one.strangers = {.kept = 3, .since = kStart};
  Recollection two;
  two.strangers = {.kept = 3, .since = kStart + 9s};
  Recollection three;
  three.strangers.kept = 1;
  for (const Recollection& each : {one, two, three}) all.add(each);
  EXPECT_EQ(all.strangers.kept, 7U);
  EXPECT_EQ(all.strangers.since, kStart + 9s);
}

}  // namespace
}  // namespace holdfast::telemetry
