#include "base/buffer.h"

#include <gtest/gtest.h>

namespace holdfast {
namespace {

TEST(Buffer, GivesItsMemoryBack) {
  std::string buffer(1000, 'x');
  release_memory(buffer);
  EXPECT_TRUE(buffer.empty());
  EXPECT_LT(buffer.capacity(), 100U);
}

TEST(Buffer, GrowsByLittleMoreThanItNeeds) {
  std::string buffer, expected;
  for (int i = 0; i < 1000; ++i) {
    const std::string piece(static_cast<std::size_t>(i % 97), static_cast<char>('a' + i % 26));
    append_tightly(buffer, piece);
    expected += piece;
    ASSERT_LE(buffer.capacity(), buffer.size() + buffer.size() / 4 + 100);
  }
  EXPECT_EQ(buffer, expected);
}

}  // namespace
}  // namespace holdfast
