#include "http/grpc_timeout.h"

#include <gtest/gtest.h>

namespace holdfast::http {
namespace {

using namespace std::chrono_literals;

TEST(GrpcTimeout, IsEightDigitsAndAUnit) {
  struct Row {
    std::string_view text;
    std::optional<std::chrono::milliseconds> means;
  };
  const Row rows[] = {
      {"2H", 2h},
      {"3M", 3min},
      {"10S", 10s},
      {"250m", 250ms},
      {"000000250m", std::nullopt},
      {"0000250m", 250ms},
      {"99999999H", std::chrono::hours(99'999'999)},
      // Rounded up.
      {"1000u", 1ms},
      {"1001u", 2ms},
      {"1u", 1ms},
      {"1n", 1ms},
      {"99999999n", 100ms},
      // A deadline that has passed.
      {"0n", 0ms},
      {"0H", 0ms},
      {"", std::nullopt},
      {"S", std::nullopt},
      {"10", std::nullopt},
      {"10s", std::nullopt},
      {"10 S", std::nullopt},
      {" 10S", std::nullopt},
      {"10S ", std::nullopt},
      {"10SS", std::nullopt},
      {"-1S", std::nullopt},
      {"+1S", std::nullopt},
      {"1.5S", std::nullopt},
      {"0x1S", std::nullopt},
      {"123456789S", std::nullopt},
      {"10S, 20S", std::nullopt},
      {std::string_view("1\0S", 3), std::nullopt},
      {"\xd9\xa1S", std::nullopt},
  };
  for (const Row& row : rows) EXPECT_EQ(parse_grpc_timeout(row.text), row.means) << row.text;
}

TEST(GrpcTimeout, OfTwoNoneIsMeant) {
  Fields fields;
  EXPECT_EQ(grpc_timeout(fields), std::nullopt);
  fields.add("Grpc-Timeout", "1S");
  EXPECT_EQ(grpc_timeout(fields), 1s);
  fields.add("grpc-timeout", "2S");
  EXPECT_EQ(grpc_timeout(fields), std::nullopt);
}

}  // namespace
}  // namespace holdfast::http
