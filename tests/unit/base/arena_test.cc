#include "base/arena.h"

#include <gtest/gtest.h>

#include <string>

namespace holdfast {
namespace {

TEST(Arena, KeepsWhatItStoredWhileItGrows) {
  Arena arena;
  std::vector<std::string_view> views;
  for (int i = 0; i < 1000; ++i) views.push_back(arena.store("value " + std::to_string(i)));
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(views[static_cast<std::size_t>(i)], "value " + std::to_string(i));
}

TEST(Arena, TakesMoreThanOneChunkAtOnce) {
  Arena arena;
  const std::string large(100'000, 'x');
  const std::string_view before = arena.store("before");
  EXPECT_EQ(arena.store(large), large);
  EXPECT_EQ(before, "before");
}

TEST(Arena, ViewsOutliveAMove) {
  Arena first;
  const std::string_view view = first.store("kept");
  Arena second(std::move(first));
  EXPECT_EQ(view, "kept");
  Arena third;
  third = std::move(second);
  EXPECT_EQ(view, "kept");
  // The arenas that were moved from can be used again and do not write into what they gave away.
  second.store("other");
  EXPECT_EQ(view, "kept");
}

TEST(Arena, LetsGoOfWhatItKeptOnceAndWithItsEnd) {
  const Arena::Release count = [](void* shared) { ++*static_cast<int*>(shared); };
  int released = 0;
  {
    Arena first;
    first.keep(&released, count);
    first.keep(&released, count);
    Arena second(std::move(first));
    Arena third;
    third.keep(&released, count);
    third = std::move(second);
    EXPECT_EQ(released, 1) << "what was there before";
  }
  EXPECT_EQ(released, 3);
}

TEST(Arena, PutsPartsTogether) {
  Arena arena;
  EXPECT_EQ(arena.concat("https", "://", std::string("host")), "https://host");
  EXPECT_EQ(arena.concat(), "");
  EXPECT_EQ(arena.concat("", ""), "");
}

}  // namespace
}  // namespace holdfast
