// Rule 13: stateless nonces.
#include "dpop/nonce.h"

#include <gtest/gtest.h>

namespace holdfast::dpop {
namespace {

using std::chrono::seconds;

const std::string kSecret(32, 'a');
const std::string kOtherSecret(32, 'b');
constexpr Millis kLifetime{300'000};
constexpr Millis kSlot{30'000};
// The start of a slot.
constexpr UnixTime kStart{Millis{1'700'000'010'000}};
static_assert(kStart.time_since_epoch().count() % kSlot.count() == 0);

NonceIssuer issuer(const std::string& current, std::optional<std::string> previous = {},
                   Millis lifetime = kLifetime) {
  std::optional<Secret> old;
  if (previous) old.emplace(*previous);
  return NonceIssuer(Secret(current), std::move(old), lifetime);
}

TEST(Nonce, IsAcceptedForItsLifetimeAndOneSlotEitherSide) {
  const NonceIssuer nonces = issuer(kSecret);
  const std::string nonce = nonces.issue(kStart + seconds(12));
  const struct {
    Millis at;
    bool accepted;
  } cases[] = {{-kSlot - Millis(1), false},
               {-kSlot, true},
               {Millis(0), true},
               {seconds(12), true},
               {kLifetime, true},
               {kLifetime + kSlot, true},
               {kLifetime + kSlot + Millis(1), false},
               {kLifetime * 100, false}};
  for (const auto& c : cases) {
    const auto times = nonces.judge(nonce, kStart + c.at);
    EXPECT_EQ(times.has_value(), c.accepted) << c.at.count();
    if (!times) {
      EXPECT_EQ(times.error(), NonceFlaw::kStale) << c.at.count();
    } else {
      EXPECT_EQ(times->issued_at, kStart);
      EXPECT_EQ(times->last_accepted, kStart + kLifetime + kSlot);
    }
  }
}

TEST(Nonce, EvenTheLastOfASlotLivesItsWholeLifetime) {
  const NonceIssuer nonces = issuer(kSecret);
  const UnixTime last = kStart + kSlot - Millis(1);
  EXPECT_TRUE(nonces.judge(nonces.issue(last), last + kLifetime).has_value());
}

TEST(Nonce, IsTheSameWithinASlotAndOnEveryReplica) {
  const NonceIssuer one = issuer(kSecret);
  const NonceIssuer other = issuer(kSecret, kOtherSecret);
  EXPECT_EQ(one.issue(kStart), one.issue(kStart + kSlot - Millis(1)));
  EXPECT_EQ(one.issue(kStart), other.issue(kStart));
  EXPECT_NE(one.issue(kStart), one.issue(kStart + kSlot));
  EXPECT_NE(one.issue(kStart), issuer(kOtherSecret).issue(kStart));
}

TEST(Nonce, TellsItsOwnFromThoseOfOthersWithTheSameSecret) {
  const auto of = [](const std::string& process) {
    return NonceIssuer(Secret(kSecret), std::nullopt, kLifetime, nonce_mark_of(Secret(process)));
  };
  const NonceIssuer one = of("one process");
  const NonceIssuer other = of("another one");
  const NonceIssuer reloaded = of("one process");
  EXPECT_TRUE(one.judge(one.issue(kStart), kStart).value().issued_here);
  EXPECT_TRUE(reloaded.judge(one.issue(kStart), kStart).value().issued_here);
  EXPECT_FALSE(other.judge(one.issue(kStart), kStart).value().issued_here);
  EXPECT_NE(one.issue(kStart), other.issue(kStart));
}

TEST(Nonce, TellsWhenHalfItsLifeIsOver) {
  const NonceIssuer nonces = issuer(kSecret);
  const std::string nonce = nonces.issue(kStart);
  EXPECT_FALSE(nonces.judge(nonce, kStart + kLifetime / 2 - Millis(1))->past_half_life);
  EXPECT_TRUE(nonces.judge(nonce, kStart + kLifetime / 2)->past_half_life);
}

TEST(Nonce, RotationLosesNobody) {
  const NonceIssuer before = issuer(kOtherSecret);
  const NonceIssuer after = issuer(kSecret, kOtherSecret);
  EXPECT_TRUE(after.judge(before.issue(kStart), kStart).has_value());
  EXPECT_TRUE(after.judge(after.issue(kStart), kStart).has_value());
  EXPECT_EQ(after.issue(kStart), issuer(kSecret).issue(kStart)) << "issued under the current secret";
  const auto gone = issuer(kSecret).judge(before.issue(kStart), kStart);
  ASSERT_FALSE(gone.has_value());
  EXPECT_EQ(gone.error(), NonceFlaw::kForged);
}

TEST(Nonce, EveryChangedCharacterIsAForgery) {
  const NonceIssuer nonces = issuer(kSecret, kOtherSecret);
  const std::string good = nonces.issue(kStart);
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (const char c : {'A', 'Q', '_', '=', '\0'}) {
      if (good[i] == c) continue;
      std::string bad = good;
      bad[i] = c;
      const auto times = nonces.judge(bad, kStart);
      ASSERT_FALSE(times.has_value()) << i;
      EXPECT_EQ(times.error(), NonceFlaw::kForged) << i;
    }
  }
  for (const std::string& bad :
       {std::string(), good.substr(1), good + "A", std::string("eyJ7S_zG.eyJH0-Z.HX4w-7v"),
        std::string(10'000, 'A'), std::string(38, 'A')}) {
    const auto times = nonces.judge(bad, kStart);
    ASSERT_FALSE(times.has_value()) << bad.size();
    EXPECT_EQ(times.error(), NonceFlaw::kForged) << bad.size();
  }
}

TEST(Nonce, AnotherLifetimeMakesAnotherNonce) {
  // Slot numbers mean other times then: the old nonce is refused as not ours rather than read wrongly.
  const auto times = issuer(kSecret, {}, Millis(600'000)).judge(issuer(kSecret).issue(kStart), kStart);
  ASSERT_FALSE(times.has_value());
  EXPECT_EQ(times.error(), NonceFlaw::kForged);
}

TEST(Nonce, WorksBefore1970AndWithTheShortestLifetime) {
  const NonceIssuer nonces = issuer(kSecret, {}, Millis(10));
  for (const UnixTime now : {UnixTime(Millis(-5)), UnixTime(Millis(0)), UnixTime(Millis(5))}) {
    EXPECT_TRUE(nonces.judge(nonces.issue(now), now).has_value());
  }
}

}  // namespace
}  // namespace holdfast::dpop
