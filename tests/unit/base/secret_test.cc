#include "base/secret.h"

#include <gtest/gtest.h>

#include <ostream>
#include <type_traits>

namespace holdfast {
namespace {

template <typename T>
concept Printable = requires(std::ostream& out, const T& value) { out << value; };

TEST(Secret, CanNeitherBePrintedNorCopiedNorCompared) {
  static_assert(!Printable<Secret>);
  static_assert(!std::is_copy_constructible_v<Secret>);
  static_assert(!std::is_copy_assignable_v<Secret>);
  static_assert(!std::equality_comparable<Secret>);
  static_assert(!std::is_convertible_v<Secret, std::string>);
}

TEST(Secret, MovesAndLeavesNothing) {
  Secret first(std::string(40, 's'));
  Secret second(std::move(first));
  EXPECT_TRUE(first.empty());
  EXPECT_EQ(second.reveal(), std::string(40, 's'));
  Secret third(std::string("other"));
  third = std::move(second);
  EXPECT_TRUE(second.empty());
  EXPECT_EQ(third.reveal(), std::string(40, 's'));
}

TEST(Secret, AShortOneLeavesNoBytesBehindEither) {
  // Short enough to lie inside of the string object itself, where a move ends it in front and leaves the
  // rest.
  Secret first(std::string("hunter2!"));
  const Secret second(std::move(first));
  const std::string_view remains(reinterpret_cast<const char*>(&first), sizeof first);
  EXPECT_EQ(remains.find("unter2!"), std::string_view::npos);
  EXPECT_EQ(second.reveal(), "hunter2!");
}

}  // namespace
}  // namespace holdfast
