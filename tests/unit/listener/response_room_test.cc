#include "listener/response_room.h"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

namespace holdfast::listener {
namespace {

std::size_t sum(const std::vector<std::size_t>& rooms) {
  return std::accumulate(rooms.begin(), rooms.end(), std::size_t{0});
}

TEST(ResponseRoom, OneStreamComesToHaveAllThatAStreamMayHave) {
  ResponseRoom room;
  for (int i = 0; i < 10; ++i) {
    std::size_t mine = room.begin();
    EXPECT_GE(mine, ResponseRoom::kAll / 4);
    for (int turn = 0; turn < 3; ++turn) mine = room.resize(mine, mine / 4);
    EXPECT_EQ(mine, ResponseRoom::kMost);
    room.end(mine);
  }
}

TEST(ResponseRoom, ABurstIsBoundedAndNobodyGoesWithout) {
  ResponseRoom room;
  std::vector<std::size_t> rooms;
  for (int i = 0; i < 100; ++i) rooms.push_back(room.begin());
  for (const std::size_t each : rooms) EXPECT_GE(each, ResponseRoom::kLeast);
  EXPECT_LE(sum(rooms), ResponseRoom::kAll + 100 * ResponseRoom::kLeast);
  EXPECT_GE(rooms[3], 4 * ResponseRoom::kLeast);
}

TEST(ResponseRoom, StreamsThatMoveComeToShareFairly) {
  ResponseRoom room;
  std::vector<std::size_t> rooms;
  for (int i = 0; i < 16; ++i) rooms.push_back(room.begin());
  for (int turn = 0; turn < 50; ++turn) {
    for (std::size_t& each : rooms) each = room.resize(each, each / 4);
  }
  for (const std::size_t each : rooms)
    EXPECT_NEAR(static_cast<double>(each), static_cast<double>(ResponseRoom::kAll) / 16, 1024);
  // Those that stay grow into what the others leave.
  for (int i = 0; i < 14; ++i) {
    room.end(rooms.back());
    rooms.pop_back();
  }
  for (int turn = 0; turn < 50; ++turn) {
    for (std::size_t& each : rooms) each = room.resize(each, each / 4);
  }
  for (const std::size_t each : rooms)
    EXPECT_NEAR(static_cast<double>(each), static_cast<double>(ResponseRoom::kAll) / 2, 16);
}

TEST(ResponseRoom, TakesNothingBackThatIsUsed) {
  ResponseRoom room;
  const std::size_t first = room.begin();
  for (int i = 0; i < 99; ++i) (void)room.begin();
  EXPECT_EQ(room.resize(first, 0), first);
  EXPECT_EQ(room.resize(first, 100), first - 100);
}

}  // namespace
}  // namespace holdfast::listener
