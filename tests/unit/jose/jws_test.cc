// Rule 4: the compact form.
#include "jose/jws.h"

#include <gtest/gtest.h>

namespace holdfast::jose {
namespace {

TEST(Jws, SplitsIntoItsThreeSegments) {
  const std::string_view text = "aGVhZGVy.cGF5bG9hZA.c2ln";
  const auto jws = split_compact(text, kMaxProofSize);
  ASSERT_TRUE(jws.has_value());
  EXPECT_EQ(jws->header, "aGVhZGVy");
  EXPECT_EQ(jws->payload, "cGF5bG9hZA");
  EXPECT_EQ(jws->signature, "c2ln");
  EXPECT_EQ(jws->signing_input, "aGVhZGVy.cGF5bG9hZA");
}

TEST(Jws, HasThreeSegmentsAndNoneEmpty) {
  for (const char* const text :
       {"", ".", "..", "...", "a", "a.b", "a.b.", ".b.c", "a..c", "a.b.c.d", "a.b.c.", ".a.b.c", "a.b..c"}) {
    EXPECT_FALSE(split_compact(text, kMaxProofSize).has_value()) << text;
  }
}

TEST(Jws, HasALimit) {
  const std::string text = "a.b." + std::string(kMaxProofSize - 4, 'c');
  EXPECT_TRUE(split_compact(text, kMaxProofSize).has_value());
  EXPECT_FALSE(split_compact(text + "c", kMaxProofSize).has_value());
  EXPECT_TRUE(split_compact(text + "c", kMaxTokenSize).has_value());
}

}  // namespace
}  // namespace holdfast::jose
