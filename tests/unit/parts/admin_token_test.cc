#include "parts/admin_token.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace holdfast::parts {
namespace {

std::expected<Secret, std::string> token_of(const std::string& contents) {
  const auto file =
      std::filesystem::temp_directory_path() / ("holdfast-admin-token-" + std::to_string(::getpid()));
  std::ofstream(file, std::ios::binary) << contents;
  auto token = read_admin_token(file);
  std::filesystem::remove(file);
  return token;
}

TEST(AdminToken, IsOneLineLongEnoughToBeNoGuess) {
  const std::string good = "0123456789abcdef";
  for (const char* end : {"", "\n", "\r\n"}) {
    const auto token = token_of(good + end);
    ASSERT_TRUE(token) << token.error();
    EXPECT_EQ(token->reveal(), good);
  }
  for (const std::string& bad : {std::string(), std::string("\n"), good.substr(1), good + "\n" + good,
                                 good + " x", good + '\0', std::string(1025, 'a'), std::string(4000, 'a')}) {
    const auto token = token_of(bad);
    ASSERT_FALSE(token) << bad;
    EXPECT_EQ(token.error().find(good.substr(1)), std::string::npos);
  }
  EXPECT_FALSE(read_admin_token("/nonexistent/token"));
}

}  // namespace
}  // namespace holdfast::parts
