#include "replay/memory_store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <barrier>
#include <chrono>
#include <cstring>
#include <map>
#include <random>
#include <thread>
#include <utility>

namespace holdfast::replay {
namespace {

using pipeline::ReplayClaim;
using pipeline::ReplayResult;
using std::chrono::hours;
using std::chrono::seconds;

constexpr std::array<std::uint64_t, 2> kSeed{0x9e3779b97f4a7c15, 0xd1b54a32d192ed03};
const Now kBorn{UnixTime(seconds(1'800'000'000)), SteadyTime(seconds(1000))};

Now at(Millis since_birth) {
  return {kBorn.wall + since_birth, kBorn.steady + since_birth};
}

std::array<std::uint8_t, 32> bytes_of(std::uint64_t number) {
  // spread as a digest's bytes are; different numbers stay different
  std::array<std::uint8_t, 32> bytes{};
  const std::uint64_t mixed = number * 0x9e3779b97f4a7c15;
  std::memcpy(bytes.data(), &mixed, sizeof mixed);
  std::memcpy(bytes.data() + sizeof mixed, &number, sizeof number);
  return bytes;
}

ReplayClaim claim_of(std::uint64_t id, std::uint64_t key, const Now& now, Millis keep = seconds(90)) {
  return {bytes_of(id), bytes_of(key), now.wall, keep};
}

TEST(MemoryStore, AcceptsAnIdOnce) {
  MemoryStore store({}, kBorn, kSeed);
  const Now now = at(seconds(1));
  EXPECT_EQ(store.claim(claim_of(1, 7, now), now), ReplayResult::kFirst);
  EXPECT_EQ(store.claim(claim_of(1, 7, now), now), ReplayResult::kReplayed);
  EXPECT_EQ(store.claim(claim_of(2, 7, now), now), ReplayResult::kFirst);
  EXPECT_EQ(store.entries(), 2u);
}

// With a nonce iat may lie a day ahead: whoever dates proofs so must not fill the room for everybody.
TEST(MemoryStore, WhatIsKeptForUnusuallyLongHasAShareOfTheRoom) {
  MemoryStore store({.capacity = 8, .per_key = 8}, kBorn, kSeed);
  const Now now = at(seconds(1));
  const Millis usual = seconds(90);
  const Millis day = hours(24);
  store.expect(usual);
  EXPECT_EQ(store.claim(claim_of(1, 1, now, day), now), ReplayResult::kFirst);
  EXPECT_EQ(store.claim(claim_of(2, 2, now, usual + Millis(1)), now), ReplayResult::kFirst);
  EXPECT_EQ(store.claim(claim_of(3, 3, now, day), now), ReplayResult::kFull);
  EXPECT_EQ(store.claim(claim_of(1, 1, now, day), now), ReplayResult::kReplayed);
  for (std::uint64_t id = 10; id < 16; ++id)
    EXPECT_EQ(store.claim(claim_of(id, 4, now, usual), now), ReplayResult::kFirst) << id;
  EXPECT_EQ(store.claim(claim_of(16, 4, now, usual), now), ReplayResult::kFull);
  // The one that was kept for hardly longer has died, and made room for another.
  const Now later = at(seconds(100));
  EXPECT_EQ(store.claim(claim_of(4, 5, later, day), later), ReplayResult::kFirst);
  EXPECT_EQ(store.claim(claim_of(5, 6, later, day), later), ReplayResult::kFull);
}

TEST(MemoryStore, WhatFindsNoRoomTakesNothingOfTheShare) {
  MemoryStore store({.capacity = 8, .per_key = 8}, kBorn, kSeed);
  const Now now = at(seconds(1));
  store.expect(seconds(90));
  for (std::uint64_t id = 0; id < 8; ++id)
    EXPECT_EQ(store.claim(claim_of(id, id, now, seconds(90)), now), ReplayResult::kFirst);
  for (std::uint64_t id = 10; id < 14; ++id)
    EXPECT_EQ(store.claim(claim_of(id, id, now, hours(24)), now), ReplayResult::kFull);
  const Now later = at(seconds(100));
  for (std::uint64_t id = 20; id < 22; ++id)
    EXPECT_EQ(store.claim(claim_of(id, id, later, hours(24)), later), ReplayResult::kFirst);
  EXPECT_EQ(store.claim(claim_of(22, 22, later, hours(24)), later), ReplayResult::kFull);
}

TEST(MemoryStore, WhatIsTakenOverCountsTowardsTheShare) {
  MemoryStore store({.capacity = 8, .per_key = 8}, kBorn, kSeed);
  const Now now = at(seconds(1));
  store.expect(seconds(90));
  for (std::uint64_t id = 0; id < 3; ++id)
    store.restore(entry_of(claim_of(id, id, now, hours(24))), now.steady);
  EXPECT_EQ(store.entries(), 3u) << "what was promised is kept";
  EXPECT_EQ(store.claim(claim_of(9, 9, now, hours(24)), now), ReplayResult::kFull);
  EXPECT_EQ(store.claim(claim_of(9, 9, now, seconds(90)), now), ReplayResult::kFirst);
}

TEST(MemoryStore, ThePortAnswersBeforeItReturns) {
  MemoryStore store({}, kBorn, kSeed);
  pipeline::ReplayStore& port = store;
  const Now now = at(seconds(1));
  std::vector<ReplayResult> results;
  for (int i = 0; i < 2; ++i) {
    port.claim(claim_of(1, 7, now), now, [&](ReplayResult result) { results.push_back(result); });
  }
  EXPECT_EQ(results, (std::vector{ReplayResult::kFirst, ReplayResult::kReplayed}));
}

TEST(MemoryStore, KeepsAnEntryAtLeastAsLongAsAskedAndAtMostASlotLonger) {
  for (const Millis start : {Millis(1000), Millis(1001), Millis(1500), Millis(1999)}) {
    for (const Millis keep : {Millis(1), Millis(999), Millis(1000), Millis(1001), Millis(90'000)}) {
      for (const bool dead : {false, true}) {
        MemoryStore store({}, kBorn, kSeed);
        ASSERT_EQ(store.claim(claim_of(1, 7, at(start), keep), at(start)), ReplayResult::kFirst);
        const Now later = dead ? at(start + keep + seconds(1)) : at(start + keep - Millis(1));
        EXPECT_EQ(store.claim(claim_of(1, 7, later, keep), later),
                  dead ? ReplayResult::kFirst : ReplayResult::kReplayed)
            << start.count() << " + " << keep.count();
      }
    }
  }
}

TEST(MemoryStore, ADeadEntryBehindALongBacklogRefusesNobody) {
  MemoryStore store({}, kBorn, kSeed);
  const Now now = at(seconds(1));
  for (std::uint64_t id = 0; id < 5000; ++id) {
    ASSERT_EQ(store.claim(claim_of(id, 7, now), now), ReplayResult::kFirst);
  }
  const Now later = at(hours(1));
  for (std::uint64_t id = 0; id < 5000; ++id) {
    ASSERT_EQ(store.claim(claim_of(id, 7, later), later), ReplayResult::kFirst) << id;
  }
}

TEST(MemoryStore, RefusesWhenFullAndForgetsNobody) {
  MemoryStore store({.capacity = 1000, .per_key = 1000}, kBorn, kSeed);
  const Now now = at(seconds(1));
  for (std::uint64_t id = 0; id < 1000; ++id) {
    ASSERT_EQ(store.claim(claim_of(id, id, now), now), ReplayResult::kFirst) << id;
  }
  EXPECT_EQ(store.claim(claim_of(5000, 5000, now), now), ReplayResult::kFull);
  for (std::uint64_t id = 0; id < 1000; ++id) {
    ASSERT_EQ(store.claim(claim_of(id, id, now), now), ReplayResult::kReplayed) << id;
  }
  EXPECT_EQ(store.entries(), 1000u);
}

// One shard of 64 takes the whole capacity where one key sends everything.
TEST(MemoryStore, TheCapacityIsTheProcesssNotAShards) {
  MemoryStore store({.capacity = 20'000, .per_key = 20'000}, kBorn, kSeed);
  const Now now = at(seconds(1));
  for (std::uint64_t id = 0; id < 20'000; ++id) {
    ASSERT_EQ(store.claim(claim_of(id, 7, now), now), ReplayResult::kFirst) << id;
  }
  EXPECT_EQ(store.claim(claim_of(20'000, 8, now), now), ReplayResult::kFull);
}

TEST(MemoryStore, WhatHasExpiredInOtherShardsMakesRoom) {
  MemoryStore store({.capacity = 100, .per_key = 100}, kBorn, kSeed);
  const Now now = at(seconds(1));
  for (std::uint64_t id = 0; id < 100; ++id) {
    ASSERT_EQ(store.claim(claim_of(id, 7, now), now), ReplayResult::kFirst);
  }
  const Now later = at(hours(1));
  for (std::uint64_t id = 0; id < 100; ++id) {
    ASSERT_EQ(store.claim(claim_of(1000 + id, 1000 + id, later), later), ReplayResult::kFirst) << id;
  }
  EXPECT_EQ(store.claim(claim_of(5000, 7, later), later), ReplayResult::kFull);
}

TEST(MemoryStore, HoldsEachKeyToItsShare) {
  MemoryStore store({.capacity = 1000, .per_key = 10}, kBorn, kSeed);
  const Now now = at(seconds(1));
  for (std::uint64_t id = 0; id < 10; ++id) {
    ASSERT_EQ(store.claim(claim_of(id, 7, now), now), ReplayResult::kFirst);
  }
  EXPECT_EQ(store.claim(claim_of(10, 7, now), now), ReplayResult::kKeyQuota);
  EXPECT_EQ(store.claim(claim_of(3, 7, now), now), ReplayResult::kReplayed) << "a replay stays a replay";
  EXPECT_EQ(store.claim(claim_of(10, 8, now), now), ReplayResult::kFirst) << "others are not touched";

  const Now later = at(hours(1));
  for (std::uint64_t id = 20; id < 30; ++id) {
    ASSERT_EQ(store.claim(claim_of(id, 7, later), later), ReplayResult::kFirst) << "the share comes back";
  }
  EXPECT_EQ(store.claim(claim_of(30, 7, later), later), ReplayResult::kKeyQuota);
}

TEST(MemoryStore, AFreshStoreRefusesProofsFromBeforeItsBirth) {
  const Now now = at(seconds(5));
  struct Case {
    Millis issued_after_birth;
    bool fresh;
    ReplayResult expected;
  };
  for (const Case& c :
       {Case{Millis(-1), true, ReplayResult::kBeforeBirth},
        Case{Millis(-60'000), true, ReplayResult::kBeforeBirth}, Case{Millis(0), true, ReplayResult::kFirst},
        Case{Millis(4000), true, ReplayResult::kFirst}, Case{Millis(-60'000), false, ReplayResult::kFirst}}) {
    MemoryStore store({.cold_start_fresh = c.fresh}, kBorn, kSeed);
    ReplayClaim claim = claim_of(1, 7, now);
    claim.issued = kBorn.wall + c.issued_after_birth;
    EXPECT_EQ(store.claim(claim, now), c.expected) << c.issued_after_birth.count();
  }
}

// The machine booted with its clock an hour slow; it is put right ten seconds after the store's birth.
TEST(MemoryStore, AClockSetForwardOpensNoGapBeforeTheBirth) {
  MemoryStore store({}, kBorn, kSeed);
  const Now now{kBorn.wall + hours(1) + seconds(10), kBorn.steady + seconds(10)};
  ReplayClaim claim = claim_of(1, 7, now);
  claim.issued = now.wall - seconds(11);
  EXPECT_EQ(store.claim(claim, now), ReplayResult::kBeforeBirth);
  claim.issued = now.wall - seconds(9);
  EXPECT_EQ(store.claim(claim, now), ReplayResult::kFirst);
}

TEST(MemoryStore, AClockSetBackShutsNobodyOutAndFreesNoEntry) {
  MemoryStore store({}, kBorn, kSeed);
  const Now before = at(seconds(10));
  ASSERT_EQ(store.claim(claim_of(1, 7, before), before), ReplayResult::kFirst);
  const Now back{before.wall - hours(1), before.steady + seconds(1)};
  EXPECT_EQ(store.claim(claim_of(2, 7, back), back), ReplayResult::kFirst);
  EXPECT_EQ(store.claim(claim_of(1, 7, back), back), ReplayResult::kReplayed);
  const Now forward{before.wall + hours(5), before.steady + seconds(2)};
  EXPECT_EQ(store.claim(claim_of(1, 7, forward), forward), ReplayResult::kReplayed)
      << "only the monotonic clock ends an entry";
}

TEST(MemoryStore, ExpireFreesWhatIsDeadAndNothingElse) {
  MemoryStore store({}, kBorn, kSeed);
  const Now now = at(seconds(1));
  for (std::uint64_t id = 0; id < 3000; ++id) {
    const Millis keep = id < 2000 ? seconds(10) : seconds(60);
    ASSERT_EQ(store.claim(claim_of(id, id % 5, now, keep), now), ReplayResult::kFirst);
  }
  store.expire(at(seconds(10)).steady);
  EXPECT_EQ(store.entries(), 3000u);
  store.expire(at(seconds(11)).steady);
  EXPECT_EQ(store.entries(), 1000u);
  const Now later = at(seconds(12));
  EXPECT_EQ(store.claim(claim_of(2500, 0, later), later), ReplayResult::kReplayed);
  store.expire(at(seconds(61)).steady);
  EXPECT_EQ(store.entries(), 0u);
}

// Every answer equals that of a model too simple to be wrong, over random claims of few ids and keys, so that
// replays, shares, fullness and expiry all meet.
TEST(MemoryStore, AgreesWithASimpleModel) {
  for (unsigned run = 0; run < 20; ++run) {
    std::mt19937_64 random(run);
    const MemoryStoreSettings settings{.capacity = 50 + random() % 200, .per_key = 5 + random() % 60};
    MemoryStore store(settings, kBorn, {random(), random()});
    struct Held {
      std::uint64_t key;
      std::int64_t dead_at;  // in whole seconds since birth
    };
    std::map<std::uint64_t, Held> model;
    Millis clock{1000};
    std::map<ReplayResult, int> seen;
    for (int step = 0; step < 20'000; ++step) {
      clock += Millis(random() % 120);
      if (random() % 500 == 0) clock += seconds(random() % 40);
      std::erase_if(model, [&](const auto& entry) { return entry.second.dead_at <= clock / seconds(1); });
      const std::uint64_t id = random() % 600;
      const std::uint64_t key = id % 7;  // an id is a hash over the key: always the same one
      const Millis keep(random() % 20'000);

      ReplayResult expected = ReplayResult::kFirst;
      const auto of_key = static_cast<std::size_t>(
          std::ranges::count_if(model, [&](const auto& entry) { return entry.second.key == key; }));
      if (model.contains(id)) {
        expected = ReplayResult::kReplayed;
      } else if (of_key >= settings.per_key) {
        expected = ReplayResult::kKeyQuota;
      } else if (model.size() >= settings.capacity) {
        expected = ReplayResult::kFull;
      } else {
        const std::int64_t ends = (clock + keep + Millis(999)) / seconds(1);
        model[id] = {key, std::max<std::int64_t>(ends, clock / seconds(1) + 1)};
      }
      const ReplayResult result = store.claim(claim_of(id, key, at(clock), keep), at(clock));
      ASSERT_EQ(result, expected) << "run " << run << ", step " << step;
      ++seen[result];
      if (random() % 1000 == 0) store.expire(at(clock).steady);
    }
    EXPECT_GE(seen.size(), 2u);
  }
}

TEST(MemoryStore, OfConcurrentClaimsOfOneIdExactlyOneWins) {
  constexpr int kThreads = 8;
  constexpr std::uint64_t kRounds = 500;
  MemoryStore store({}, kBorn, kSeed);
  const Now now = at(seconds(1));
  std::vector<std::atomic<int>> winners(kRounds);
  std::barrier start(kThreads);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (std::uint64_t round = 0; round < kRounds; ++round) {
        start.arrive_and_wait();
        if (store.claim(claim_of(round, round % 3, now), now) == ReplayResult::kFirst) ++winners[round];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::uint64_t round = 0; round < kRounds; ++round) EXPECT_EQ(winners[round], 1) << round;
  EXPECT_EQ(store.entries(), kRounds);
}

// Threads that claim, fill and expire at once never pass the capacity or a share, and lose no live entry.
TEST(MemoryStore, ConcurrentFloodsPassNeitherCapacityNorShare) {
  constexpr std::uint64_t kThreads = 4;
  constexpr std::uint64_t kClaims = 20'000;
  MemoryStore store({.capacity = 5000, .per_key = 700}, kBorn, kSeed);
  std::array<std::vector<std::uint64_t>, kThreads> taken;
  std::array<std::atomic<std::uint64_t>, 10> per_key{};
  std::vector<std::thread> threads;
  const Now now = at(seconds(1));
  for (std::uint64_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (std::uint64_t i = 0; i < kClaims; ++i) {
        const std::uint64_t id = i * kThreads + t;
        if (store.claim(claim_of(id, id % 10, now), now) == ReplayResult::kFirst) {
          taken[t].push_back(id);
          ++per_key[id % 10];
        }
        if (i % 1000 == 0) store.expire(now.steady);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::size_t total = 0;
  for (const auto& ids : taken) {
    total += ids.size();
    for (const std::uint64_t id : ids) {
      ASSERT_EQ(store.claim(claim_of(id, id % 10, now), now), ReplayResult::kReplayed);
    }
  }
  EXPECT_EQ(total, 5000u) << "exactly full: 10 keys of 700 want more";
  for (const auto& held : per_key) EXPECT_LE(held, 700u);
}

// A claim among a million entries costs about what one among a thousand does. The factor is generous, because
// test machines are noisy; a table that rehashes or searches would miss it by far.
TEST(MemoryStore, TheCostOfAClaimStaysFlat) {
  const auto cost = [](std::uint64_t held) {
    MemoryStore store({.capacity = 4'000'000, .per_key = 4'000'000}, kBorn, kSeed);
    const Now now = at(seconds(1));
    std::uint64_t id = 0;
    for (; id < held; ++id) (void)store.claim(claim_of(id, id % 1000, now), now);
    auto best = std::chrono::steady_clock::duration::max();
    for (int round = 0; round < 5; ++round) {
      const auto start = std::chrono::steady_clock::now();
      for (int i = 0; i < 2000; ++i, ++id) (void)store.claim(claim_of(id, id % 1000, now), now);
      best = std::min(best, std::chrono::steady_clock::now() - start);
    }
    return best;
  };
  EXPECT_LT(cost(1'000'000), 20 * cost(1000));
}

}  // namespace
}  // namespace holdfast::replay
