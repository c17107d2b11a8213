#include "http/path_readings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <initializer_list>
#include <string>

namespace holdfast::http {
namespace {

using ::testing::Contains;

TEST(PathReadings, OrdinaryPathsHaveNone) {
  for (const std::string_view path :
       {"/", "/a", "/v1/orders/123", "/a.b/c-d_e~f", "/.well-known/x", "/a:b@c!$&'()*+,="}) {
    EXPECT_FALSE(has_looser_readings(path)) << path;
    EXPECT_TRUE(looser_readings(path).paths.empty()) << path;
  }
}

struct Case {
  std::string path;
  std::string reading;
};

TEST(PathReadings, FindWhatABackendMayActOn) {
  for (const Case& c : std::initializer_list<Case>{
           {"/public/..%2Fadmin", "/admin"},
           {"/public/%2E%2E%2Fadmin", "/admin"},
           {"/public/%252E%252E%252Fadmin", "/admin"},
           {"/public/%25252e%25252e/admin", "/admin"},
           {"//admin", "/admin"},
           {"/public//..//admin", "/public/admin"},
           {"/x//..%2Fadmin", "/admin"},
           {"/x//..%2Fadmin", "/x/admin"},
           {"/a/..;/admin", "/admin"},
           {"/a/..;x=1/admin", "/admin"},
           {"/a/..%3B/admin", "/admin"},
           {"/admin;x", "/admin"},
           {"/a;%2F..%2F..%2Fadmin", "/admin"},
           {"/a;%2Fx", "/a"},
           {R"(/a\..\admin)", "/admin"},
           {"/a/..%5Cadmin", "/admin"},
           {R"(/\admin)", "/admin"},
           {"/Admin", "/admin"},
           {"/admin/", "/admin"},
           {"/admin//", "/admin"},
           {"/ADMIN%2F", "/admin"},
           {"/%41dmin", "/Admin"},
           {"/admin%3Fx", "/admin"},
           {"/admin%23x", "/admin"},
           {"/admin%2500.jpg", "/admin"},
           {"/a/..%2F..%2F..%2Fadmin", "/admin"},
           {"/public/..%2Fadmin/..;/..;/public/x", "/admin/..;/..;/public/x"},
           {"/a%2F", "/a/"},
           {"/%2Fadmin", "/admin"},
           // a reference to another host
           {"//x/admin", "/admin"},
           {"///x/admin", "/admin"},
           {R"(/\x/admin)", "/admin"},
           {"/%2Fx/admin", "/admin"},
           {"//x/public/..%2Fadmin", "/admin"},
           {"//x", "/"},
           // names on Windows
           {"/admin.", "/admin"},
           {"/admin.../x", "/admin/x"},
           {"/admin%20", "/admin"},
           {"/admin.%20.", "/admin"},
           {"/public/..%20/admin", "/admin"},
           // bytes that parsers of URLs drop
           {"/ad%0Amin", "/admin"},
           {"/public/.%09./admin", "/admin"},
           {"/public/..%0D/admin", "/admin"},
           // overlong and fullwidth
           {"/public/%C0%AE%C0%AE/admin", "/admin"},
           {"/public/..%C0%AFadmin", "/admin"},
           {"/public/%E0%80%AE%E0%80%AE/admin", "/admin"},
           {"/public/..%F0%80%80%AFadmin", "/admin"},
           {"/%C1%A1dmin", "/admin"},
           {"/public/%EF%BC%8E%EF%BC%8E/admin", "/admin"},
           {"/public/..%EF%BC%8Fadmin", "/admin"},
           {"/%EF%BC%A1dmin", "/admin"},
       }) {
    ASSERT_TRUE(has_looser_readings(c.path)) << c.path;
    const PathReadings readings = looser_readings(c.path);
    EXPECT_TRUE(readings.complete) << c.path;
    EXPECT_THAT(readings.paths, Contains(c.reading)) << c.path;
  }
}

// Other UTF-8 stays what it is, and what honest clients send has few readings.
TEST(PathReadings, OfHonestPathsAreFew) {
  for (const std::string_view path : {"/r%C3%A9sum%C3%A9", "/%E4%B8%AD%E6%96%87", "/%EF%BC",
                                      "/%EF%BD%9F%EF%BC%80", "/%C0", "/%F0%9F%8E%89"}) {
    const PathReadings readings = looser_readings(path);
    EXPECT_EQ(readings.paths.size(), 1U) << path;
  }
  const PathReadings readings = looser_readings("/Files/My%20Documents/R%C3%A9sum%C3%A9%20(2).PDF;v=1/");
  EXPECT_TRUE(readings.complete);
  EXPECT_LE(readings.paths.size(), 24U);
}

// What the router counts on: each once, never the path itself, closed under folding, and always a path.
TEST(PathReadings, AreAClosedSet) {
  for (const std::string_view path :
       {"/A/..%2f/B;c//", R"(/a\%2E%2e/B%3f;)", "/%25%25", "/%2525252F", "/;/", "/%3F"}) {
    const PathReadings readings = looser_readings(path);
    EXPECT_FALSE(readings.paths.empty()) << path;
    EXPECT_THAT(readings.paths, ::testing::Not(Contains(std::string(path))));
    for (const std::string& reading : readings.paths) {
      EXPECT_EQ(std::ranges::count(readings.paths, reading), 1) << reading;
      EXPECT_EQ(reading[0], '/') << path;
      const std::string folded = fold_path(reading);
      if (readings.complete && folded != path) {
        EXPECT_THAT(readings.paths, Contains(folded)) << path;
      }
    }
  }
}

TEST(PathReadings, StopAtTheirLimits) {
  std::string nested = "/A;b//\\%";
  for (int i = 0; i < 100; ++i) nested += "25";
  const PathReadings many = looser_readings(nested);
  EXPECT_FALSE(many.complete);
  EXPECT_LE(many.paths.size(), kMaxPathReadings);
  const PathReadings big = looser_readings("/A" + std::string(60 * 1024, 'B') + "//");
  EXPECT_FALSE(big.complete);
  EXPECT_TRUE(looser_readings("/A" + std::string(2000, 'b') + "/%20").complete);
}

TEST(FoldPath, IgnoresCaseAndTrailingSlashesOnly) {
  for (const Case& c : std::initializer_list<Case>{{"/", "/"},
                                                   {"//", "/"},
                                                   {"/A/", "/a"},
                                                   {"/a//b", "/a//b"},
                                                   {"/%2F", "/%2F"},
                                                   {"/A/**", "/a/**"},
                                                   {"/a%2FB", "/a%2Fb"}}) {
    EXPECT_EQ(fold_path(c.path), c.reading);
    EXPECT_EQ(fold_path(c.reading), c.reading);
  }
}

}  // namespace
}  // namespace holdfast::http
