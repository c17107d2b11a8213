// Who decides about a claim while a successor takes over, and what reaches the successor's store.
#include "replay/worker_store.h"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <vector>

namespace holdfast::replay {
namespace {

using pipeline::ReplayClaim;
using pipeline::ReplayResult;
using std::chrono::seconds;

constexpr std::array<std::uint64_t, 2> kSeed{1, 2};

ReplayClaim claim_of(std::uint8_t id) {
  ReplayClaim claim{};
  claim.id[0] = id;
  claim.key[0] = 7;
  claim.issued = net::Worker::now().wall;
  claim.keep = seconds(90);
  return claim;
}

struct FakeSuccessor final : Successor {
  struct Asked {
    WorkerStore* store;
    std::uint64_t number;
    ReplayClaim claim;
  };
  std::vector<Asked> asked;
  void claim(WorkerStore& store, std::uint64_t number, const ReplayClaim& claim) override {
    asked.push_back({&store, number, claim});
  }
};

class WorkerStoreTest : public testing::Test {
 protected:
  std::optional<ReplayResult>& claim(std::uint8_t id) {
    results_.push_back(std::make_unique<std::optional<ReplayResult>>());
    store_.claim(claim_of(id), net::Worker::now(),
                 [at = results_.back().get()](ReplayResult result) { *at = result; });
    return *results_.back();
  }
  // What was posted to the control thread.
  void turn() {
    worker_.io().restart();
    worker_.io().poll();
  }

  net::Worker worker_{0};
  MemoryStore memory_{{}, net::Worker::now(), kSeed};
  WorkerStore store_{memory_, worker_, worker_};
  FakeSuccessor successor_;
  std::vector<std::unique_ptr<std::optional<ReplayResult>>> results_;
};

TEST_F(WorkerStoreTest, NotesWhatIsClaimedWhileTheStoreIsCopied) {
  EXPECT_EQ(claim(1), ReplayResult::kFirst);
  store_.note_claims();
  EXPECT_EQ(claim(2), ReplayResult::kFirst);
  EXPECT_EQ(claim(2), ReplayResult::kReplayed);
  const std::vector<LiveEntry> noted = store_.send_away(successor_);
  ASSERT_EQ(noted.size(), 1U) << "only what was accepted since";
  EXPECT_EQ(noted[0].id, entry_of(claim_of(2)).id);
}

TEST_F(WorkerStoreTest, ClaimsThatAreAwayWaitForTheSuccessorsWord) {
  store_.note_claims();
  (void)store_.send_away(successor_);
  auto& first = claim(1);
  auto& second = claim(2);
  turn();
  EXPECT_FALSE(first || second);
  EXPECT_EQ(memory_.entries(), 0U) << "this store decides nothing any more";
  ASSERT_EQ(successor_.asked.size(), 2U);
  EXPECT_EQ(successor_.asked[1].claim.id, claim_of(2).id);
  store_.answer(successor_.asked[1].number, ReplayResult::kReplayed);
  EXPECT_FALSE(first);
  EXPECT_EQ(second, ReplayResult::kReplayed);
  store_.answer(successor_.asked[0].number, ReplayResult::kFirst);
  store_.answer(successor_.asked[0].number, ReplayResult::kFirst);  // a second word is nobody's
  EXPECT_EQ(first, ReplayResult::kFirst);
}

TEST_F(WorkerStoreTest, WhatWaitsIsDecidedHereWhenTheSuccessorFails) {
  EXPECT_EQ(claim(1), ReplayResult::kFirst);
  store_.note_claims();
  (void)store_.send_away(successor_);
  auto& replayed = claim(1);
  auto& fresh = claim(2);
  turn();
  store_.take_back();
  EXPECT_EQ(replayed, ReplayResult::kReplayed);
  EXPECT_EQ(fresh, ReplayResult::kFirst);
  EXPECT_EQ(claim(2), ReplayResult::kReplayed);
}

TEST_F(WorkerStoreTest, ACopiedStoreRefusesWhatTheOtherAccepted) {
  for (std::uint8_t id = 0; id < 100; ++id) EXPECT_EQ(claim(id), ReplayResult::kFirst);
  const Now now = net::Worker::now();
  // Smaller than what it inherits: what was promised is kept.
  MemoryStore heir({.capacity = 50, .per_key = 50}, now, {3, 4});
  std::vector<LiveEntry> entries;
  for (std::size_t shard = 0; shard < MemoryStore::kShards; ++shard) memory_.copy(shard, now.steady, entries);
  ASSERT_EQ(entries.size(), 100U);
  for (const LiveEntry& entry : entries) {
    EXPECT_GE(entry.keep, seconds(90) - seconds(1));
    heir.restore(entry, now.steady);
    heir.restore(entry, now.steady);
  }
  EXPECT_EQ(heir.entries(), 100U);
  for (std::uint8_t id = 0; id < 100; ++id) {
    EXPECT_EQ(heir.claim(claim_of(id), net::Worker::now()), ReplayResult::kReplayed);
  }
  EXPECT_NE(heir.claim(claim_of(200), net::Worker::now()), ReplayResult::kFirst) << "it is more than full";
  heir.expire(now.steady + seconds(95));
  EXPECT_EQ(heir.entries(), 0U);
}

}  // namespace
}  // namespace holdfast::replay
