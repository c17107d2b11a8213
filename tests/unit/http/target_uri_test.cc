#include "http/target_uri.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

namespace holdfast::http {
namespace {

struct Case {
  std::string_view sent;
  std::string_view path;
  std::string_view query = {};
};

TEST(NormalizeTarget, BringsPathsToOneForm) {
  for (const Case& c : std::initializer_list<Case>{
           {"/", "/"},
           {"", "/"},
           {"?a=1", "/", "?a=1"},
           {"/a/b", "/a/b"},
           {"/a?x=/../%zz", "/a", "?x=/../%zz"},
           {"/a?", "/a", "?"},
           {"/a??b", "/a", "??b"},
           {"/%7euser/%41", "/~user/A"},
           {"/%7Euser", "/~user"},
           {"/a%2fb%2F", "/a%2Fb%2F"},
           {"/%c3%a9", "/%C3%A9"},
           {"/%25%32%65", "/%252e"},
           {"/./a", "/a"},
           {"/a/./b", "/a/b"},
           {"/a/.", "/a/"},
           {"/a/..", "/"},
           {"/a/b/..", "/a/"},
           {"/a/b/../c", "/a/c"},
           {"/a/b/../../c", "/c"},
           {"/a/%2e%2e/c", "/c"},
           {"/a/.%2E/c?q", "/c", "?q"},
           {"/a/%2e", "/a/"},
           {"/a/...", "/a/..."},
           {"/a/..b/.c", "/a/..b/.c"},
           {"//", "//"},
           {"//..", "/"},
           {"//a//..", "//a/"},
           {"/a//../b", "/a/b"},
           {"/A/b/", "/A/b/"},
           {"/a;v=1/b:c@d!$&'()*+,=", "/a;v=1/b:c@d!$&'()*+,="},
           {R"(/a\..\b)", R"(/a\..\b)"},
           {"/a/..%2fb", "/a/..%2Fb"},
       }) {
    Arena arena;
    const auto target = normalize_target(c.sent, arena);
    ASSERT_TRUE(target) << c.sent << ": " << target.error().detail;
    EXPECT_EQ(target->path, c.path) << c.sent;
    EXPECT_EQ(target->query, c.query) << c.sent;
    const auto again = normalize_target(target->path, arena);
    ASSERT_TRUE(again) << c.sent;
    EXPECT_EQ(again->path, target->path) << "twice is once: " << c.sent;
    if (c.sent.substr(0, c.sent.find('?')) == c.path) {
      EXPECT_EQ(target->path.data(), c.sent.data()) << "a normal path is not copied: " << c.sent;
    }
  }
}

TEST(NormalizeTarget, RefusesWhatHasNoOneForm) {
  for (const std::string_view sent :
       {"*",       "a",          "http://a/", "/..",         "/../a", "/a/../..", "/a/../../b",
        "/%2e%2e", "/a/%2E./..", "/%",        "/%4",         "/%zz",  "/a%2",     "/%g0",
        "/%00",    "/a%00b",     "/a#b",      "/a?b#c",      "#",     "/a b",     "/a?b c",
        "/\t",     "/\x7f",      "/\x80",     "/a?\xc3\xa9", "/\r\n", "/a?\n",    "\\a"}) {
    Arena arena;
    const auto target = normalize_target(sent, arena);
    ASSERT_FALSE(target) << sent;
    EXPECT_EQ(target.error().reason, Reason::request_malformed) << sent;
    EXPECT_FALSE(target.error().detail.empty()) << sent;
  }
  Arena arena;
  EXPECT_FALSE(normalize_target(std::string_view("/a\0b", 4), arena));
  EXPECT_FALSE(normalize_target(std::string_view("/a?\0", 4), arena));
}

TEST(NormalizeTarget, RefusesEveryControlAndEightBitByte) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string path = std::string("/a") + static_cast<char>(byte);
    Arena arena;
    const bool allowed = byte > 0x20 && byte < 0x7F && byte != '#' && byte != '%';
    EXPECT_EQ(normalize_target(path, arena).has_value(), allowed) << byte;
  }
}

TEST(NormalizePath, HasNoQuery) {
  EXPECT_EQ(normalize_path("/a/../b").value(), "/b");
  EXPECT_FALSE(normalize_path("/a?b"));
}

TEST(NormalizeAbsoluteUri, BringsUrisToOneForm) {
  struct UriCase {
    std::string_view uri;
    std::string_view normal;
  };
  for (const UriCase& c : std::initializer_list<UriCase>{
           {"https://api.example.com/a", "https://api.example.com/a"},
           {"HTTPS://API.Example.COM/A", "https://api.example.com/A"},
           {"https://api.example.com", "https://api.example.com/"},
           {"https://api.example.com?x", "https://api.example.com/"},
           {"https://api.example.com#x", "https://api.example.com/"},
           {"https://api.example.com/a?x=1#y", "https://api.example.com/a"},
           {"https://api.example.com/a?x=%zz", "https://api.example.com/a"},
           {"https://api.example.com:443/", "https://api.example.com/"},
           {"https://api.example.com:/", "https://api.example.com/"},
           {"https://api.example.com:80/", "https://api.example.com:80/"},
           {"http://api.example.com:80/", "http://api.example.com/"},
           {"http://api.example.com:443/", "http://api.example.com:443/"},
           {"wss://api.example.com/s", "https://api.example.com/s"},
           {"ws://api.example.com:80/s", "http://api.example.com/s"},
           {"https://a%2Dpi.example.com/%7e", "https://a-pi.example.com/~"},
           {"https://[2001:DB8:0::1]:8443/", "https://[2001:db8::1]:8443/"},
           {"https://[::1]:443", "https://[::1]/"},
           {"http://127.0.0.1:8080/a/./b/../c", "http://127.0.0.1:8080/a/c"},
           {"https://a/%2F//", "https://a/%2F//"},
       }) {
    const auto normal = normalize_absolute_uri(c.uri);
    ASSERT_TRUE(normal) << c.uri;
    EXPECT_EQ(*normal, c.normal) << c.uri;
    EXPECT_EQ(normalize_absolute_uri(*normal), normal) << "twice is once: " << c.uri;
  }
}

TEST(NormalizeAbsoluteUri, RefusesWhatIsNoHttpUri) {
  for (const std::string_view uri : {"",
                                     "/a",
                                     "//a/b",
                                     "api.example.com/a",
                                     "https:",
                                     "https:/a",
                                     "https:a",
                                     "https://",
                                     "https:///a",
                                     "https://?a",
                                     "ftp://a/",
                                     "javascript:alert(1)",
                                     "https://u@a/",
                                     "https://u:p@a/",
                                     "https://a@b@c/",
                                     "https://a:x/",
                                     "https://a:0/",
                                     "https://a:65536/",
                                     "https://a:0443/",
                                     "https://a:-1/",
                                     "https://a:443:443/",
                                     "https://[::1/",
                                     "https://::1/",
                                     "https://[1.2.3.4]/",
                                     "https://[::1%25lo]/",
                                     "https://a..b/",
                                     "https://a./",
                                     "https://.a/",
                                     "https://a b/",
                                     "https://a/ b",
                                     "https://a/\xc3\xa9",
                                     "https://\xc3\xa9/",
                                     "https://a\\b/",
                                     "https://127.1/",
                                     "https://0x7f.0.0.1/",
                                     "https://2130706433/",
                                     "https://256.1.1.1/",
                                     "https://010.0.0.1/",
                                     "https://%00/",
                                     "https://a%2Fb/",
                                     "https://a/..",
                                     "https://a/%",
                                     "https://a/%00",
                                     " https://a/",
                                     "https://a/\n"}) {
    EXPECT_FALSE(normalize_absolute_uri(uri)) << uri;
  }
}

}  // namespace
}  // namespace holdfast::http
