// footprint() against what the allocator says: whoever keeps facts by it must not keep several times as much.
#include <gtest/gtest.h>
#include <malloc.h>

#include <string>
#include <vector>

#include "jose/json.h"
#include "token/claims.h"

namespace holdfast::token {
namespace {

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

std::string token_with(std::string_view member, std::string_view element, std::string_view end, int count) {
  std::string text =
      R"({"iss":"https://id.example/realms/demo","exp":1700000300,"sub":"u-1",)" + std::string(member);
  for (int i = 0; i < count; ++i) text += (i == 0 ? "" : ",") + std::string(element);
  return text + std::string(end) + "}";
}

TEST(Footprint, IsAboutWhatIsAllocated) {
  std::string members;
  for (int i = 0; i < 500; ++i)
    members += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":" + std::to_string(i);
  for (const std::string& claims :
       {token_with("\"a\":[", "1", "]", 1), token_with("\"a\":[", "1", "]", 4000),
        token_with("\"a\":[", "[1]", "]", 3000), token_with("\"a\":[", "{\"b\":1}", "]", 1000),
        token_with("\"a\":[", "\"0123456789abcdef0123456789abcdef\"", "]", 300),
        token_with("\"a\":{", members, "}", 1),
        token_with("\"realm_access\":{\"roles\":[", "\"r\"", "]}", 2000),
        token_with("\"realm_access\":{\"roles\":[", "\"a-role-with-quite-a-long-name\"", "]}", 300),
        token_with("\"resource_access\":{\"client\":{\"roles\":[", "\"role\"", "]}}", 1000),
        token_with("\"scope\":\"", "x y", "\"", 1000)}) {
    constexpr std::size_t kTokens = 20;
    std::vector<AccessToken> kept;
    kept.reserve(kTokens);
    const auto before = mallinfo2();
    for (std::size_t i = 0; i < kTokens; ++i) kept.push_back(*read_claims(*jose::parse_json_object(claims)));
    const auto after = mallinfo2();
    const double allocated =
        static_cast<double>(after.uordblks + after.hblkhd - before.uordblks - before.hblkhd) / kTokens;
    const auto estimated = static_cast<double>(footprint(kept[0]) - sizeof(AccessToken));
    EXPECT_LT(allocated, 1.25 * estimated) << claims.substr(0, 100);
    EXPECT_GT(allocated, 0.5 * estimated) << claims.substr(0, 100);
  }
}

#endif

}  // namespace
}  // namespace holdfast::token
