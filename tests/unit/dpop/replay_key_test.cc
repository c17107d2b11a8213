// Rule 16: what a proof is remembered by, and how long.
#include "dpop/replay_key.h"

#include <gtest/gtest.h>

#include <set>

namespace holdfast::dpop {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

TEST(ReplayKey, EachOfTheFourCounts) {
  const std::set<crypto::Digest256> keys{
      replay_key("jkt", "GET", "https://a/", "1"), replay_key("jkx", "GET", "https://a/", "1"),
      replay_key("jkt", "PUT", "https://a/", "1"), replay_key("jkt", "GET", "https://b/", "1"),
      replay_key("jkt", "GET", "https://a/", "2"),
      // The same bytes, cut differently.
      replay_key("jktG", "ET", "https://a/", "1"), replay_key("jkt", "GEThttps", "://a/", "1"),
      replay_key("jkt", "GET", "https://a", "/1"), replay_key("", "jktGET", "https://a/", "1")};
  EXPECT_EQ(keys.size(), 9U);
  EXPECT_EQ(replay_key("jkt", "GET", "https://a/", "1"), replay_key("jkt", "GET", "https://a/", "1"));
}

TEST(ReplayKey, OutlivesEveryMomentAtWhichTheProofIsAccepted) {
  const UnixTime now(seconds(1'700'000'000));
  const Millis max_age = seconds(60);
  const Millis skew = seconds(10);
  const auto nonce = [now](seconds last) { return NonceTimes{now, now + last, false, true}; };
  const struct {
    Millis iat;
    std::optional<NonceTimes> nonce;
    seconds kept;
    const char* why;
  } cases[] = {{seconds(0), {}, seconds(80), "iat + max_age + skew, and skew"},
               {seconds(8), {}, seconds(88), "a proof dated ahead is accepted longer"},
               {seconds(-70), {}, seconds(10), "the oldest that is accepted"},
               {seconds(-200), {}, seconds(1), "never nothing"},
               {Millis(1), {}, seconds(81), "rounded up"},
               {seconds(0), nonce(seconds(330)), seconds(340), "the nonce's last acceptance, and skew"},
               {-hours(24), nonce(seconds(330)), seconds(340), "a clock far behind, with a nonce"},
               {hours(24), nonce(seconds(330)), hours(24) + seconds(80),
                "a clock far ahead: fresh again by iat alone"}};
  for (const auto& c : cases)
    EXPECT_EQ(replay_lifetime(now + c.iat, c.nonce, {max_age, skew}, now), c.kept) << c.why;
}

}  // namespace
}  // namespace holdfast::dpop
