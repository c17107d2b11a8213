// Holds the order of proxy/'s folders: a folder includes only folders above it, the six of the outer ring
// never include each other, only the command line and what assembles the parts read settings, and the inner
// rings know no socket, clock or environment. It reads #include lines and words as text, which is enough
// because the house writes every include from the root.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "support/places.h"

namespace {

namespace fs = std::filesystem;

// Folders of one rank never include each other.
const std::map<std::string, int>& ranks() {
  static const std::map<std::string, int> kRanks{
      {"base", 0},      {"crypto", 1},     {"http", 2},       {"jose", 3},      {"dpop", 4},
      {"token", 5},     {"policy", 6},     {"identity", 7},   {"answer", 8},    {"settings", 9},
      {"pipeline", 10}, {"net", 11},       {"wire", 12},      {"listener", 13}, {"upstream", 13},
      {"issuer", 13},   {"replay", 13},    {"telemetry", 13}, {"admin", 13},    {"cli", 14},
      {"parts", 15},    {"rehearsal", 16}, {"", 17}};  // "": main.cc and assembly
  return kRanks;
}

constexpr int kLastInnerRank = 9;
constexpr const char* kNotForInnerRings[] = {
    "boost/asio",        "boost/beast",   "nghttp2/",     "sys/socket.h", "netinet/",  "system_clock::now",
    "steady_clock::now", "clock_gettime", "gettimeofday", "getenv",       "std::time("};

struct Line {
  std::string file;  // from proxy/
  int number = 0;
  std::string text;
};

std::string folder_of(const std::string& file) {
  const std::size_t slash = file.find('/');
  return slash == std::string::npos ? "" : file.substr(0, slash);
}

std::optional<std::string> quoted_include(const std::string& text) {
  static const std::regex kInclude(R"rx(^\s*#\s*include\s*"([^"]+)")rx");
  std::smatch match;
  if (!std::regex_search(text, match, kInclude)) return std::nullopt;
  return match[1].str();
}

// What is wrong with this line, or "".
std::string fault(const Line& line) {
  const std::string from = folder_of(line.file);
  const auto rank = ranks().find(from);
  if (rank == ranks().end()) return "the folder is not in the order";
  if (rank->second <= kLastInnerRank && !line.file.starts_with("base/clock")) {
    for (const char* word : kNotForInnerRings) {
      const bool comment = line.text.find("//") < line.text.find(word);
      if (line.text.find(word) != std::string::npos && !comment)
        return std::string("an inner ring knows no ") + word;
    }
  }
  const auto include = quoted_include(line.text);
  if (!include) return "";
  const std::string to = folder_of(*include);
  const auto target = ranks().find(to);
  if (target == ranks().end()) return "includes a folder that is not in the order";
  if (to == from) return "";
  if (target->second >= rank->second)
    return from + " stands above or beside " + to + " and must not include it";
  if (to == "settings" && rank->second < ranks().at("cli")) return "only assembly and cli read settings";
  return "";
}

std::vector<Line> lines_of(const fs::path& path, const std::string& name) {
  std::vector<Line> lines;
  std::ifstream file(path);
  int number = 0;
  for (std::string text; std::getline(file, text);) lines.push_back({name, ++number, text});
  return lines;
}

std::vector<Line> lines_under(const fs::path& root) {
  std::vector<Line> lines;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    const std::string extension = entry.path().extension();
    if (extension != ".h" && extension != ".cc") continue;
    const auto more = lines_of(entry.path(), fs::relative(entry.path(), root).string());
    lines.insert(lines.end(), more.begin(), more.end());
  }
  return lines;
}

TEST(IncludeOrderTest, HoldsInTheProgram) {
  const auto lines = lines_under(holdfast::support::source_folder() / "proxy");
  ASSERT_GT(lines.size(), 1000U) << "the scan found next to nothing";
  for (const Line& line : lines) {
    EXPECT_EQ(fault(line), "") << line.file << ':' << line.number << ": " << line.text;
  }
}

TEST(IncludeOrderTest, EveryQuotedIncludeExistsFromTheRoot) {
  for (const Line& line : lines_under(holdfast::support::source_folder() / "proxy")) {
    const auto include = quoted_include(line.text);
    if (include) {
      EXPECT_TRUE(fs::exists(holdfast::support::source_folder() / "proxy" / *include))
          << line.file << ':' << line.number << ": " << line.text;
    }
  }
}

TEST(IncludeOrderTest, EveryFolderIsInTheOrder) {
  for (const auto& entry : fs::directory_iterator(holdfast::support::source_folder() / "proxy")) {
    if (entry.is_directory()) {
      EXPECT_TRUE(ranks().contains(entry.path().filename())) << entry.path();
    }
  }
}

// Every file that a black-box test or the load generator is made of: what they include from tests/support,
// and the sources beside those headers.
std::set<std::string> black_box_files() {
  std::set<std::string> files;
  std::vector<std::string> open;
  for (const char* folder : {"tests/integration", "bench"}) {
    for (const auto& entry : fs::directory_iterator(holdfast::support::source_folder() / folder))
      open.push_back(fs::relative(entry.path(), holdfast::support::source_folder()));
  }
  while (!open.empty()) {
    const std::string file = open.back();
    open.pop_back();
    const bool code = file.ends_with(".h") || file.ends_with(".cc");
    if (!code || !fs::exists(holdfast::support::source_folder() / file) || !files.insert(file).second)
      continue;
    for (const Line& line : lines_of(holdfast::support::source_folder() / file, file)) {
      const auto include = quoted_include(line.text);
      if (!include || folder_of(*include) != "support") continue;
      open.push_back("tests/" + *include);
      open.push_back("tests/" + include->substr(0, include->rfind('.')) + ".cc");
    }
  }
  return files;
}

TEST(IncludeOrderTest, BlackBoxTestsShareNoCodeWithTheProgram) {
  const auto files = black_box_files();
  ASSERT_TRUE(files.contains("tests/support/jose_signer.cc")) << "the scan did not follow the includes";
  for (const std::string& file : files) {
    for (const Line& line : lines_of(holdfast::support::source_folder() / file, file)) {
      const auto include = quoted_include(line.text);
      if (!include) continue;
      const std::string to = folder_of(*include);
      EXPECT_TRUE(to.empty() || !ranks().contains(to)) << file << ": " << line.text;
    }
  }
}

// The folders of tests/unit that ThreadSanitizer gets to see.
std::set<std::string> threaded_folders() {
  static const std::regex kList(R"rx(^set\(threaded ([a-z ]+)\)$)rx");
  std::smatch match;
  for (const Line& line : lines_of(holdfast::support::source_folder() / "tests/CMakeLists.txt", "")) {
    if (!std::regex_search(line.text, match, kList)) continue;
    std::istringstream words(match[1].str());
    return {std::istream_iterator<std::string>(words), {}};
  }
  return {};
}

TEST(ThreadSanitizerTest, SeesEveryUnitTestThatStartsThreads) {
  const auto seen = threaded_folders();
  ASSERT_FALSE(seen.empty()) << "tests/CMakeLists.txt has no list of them";
  static const std::regex kStarts(R"rx(std::(thread|jthread|async)\b)rx");
  for (const Line& line : lines_under(holdfast::support::source_folder() / "tests/unit")) {
    if (!std::regex_search(line.text, kStarts)) continue;
    EXPECT_TRUE(seen.contains(folder_of(line.file))) << line.file << ':' << line.number << ": " << line.text;
  }
}

TEST(IncludeOrderTest, TheScannerSeesWhatItIsFor) {
  const std::pair<Line, bool> rows[] = {
      {{"dpop/proof.cc", 1, R"(#include "jose/jws.h")"}, true},
      {{"dpop/proof.cc", 1, R"(#include "dpop/proof.h")"}, true},
      {{"jose/jws.cc", 1, R"(#include "dpop/proof.h")"}, false},
      {{"listener/http1_session.cc", 1, R"(#include "upstream/pool.h")"}, false},
      {{"listener/http1_session.cc", 1, R"(#include "settings/model.h")"}, false},
      {{"assembly.cc", 1, R"(#include "settings/model.h")"}, true},
      {{"cli/check.cc", 1, R"(#include "settings/model.h")"}, true},
      {{"rehearsal/ladder.h", 1, R"(#include "settings/model.h")"}, true},
      {{"rehearsal/rehearsal.cc", 1, R"(#include "parts/compile_rules.h")"}, true},
      {{"parts/part_configs.cc", 1, R"(#include "rehearsal/rehearsal.h")"}, false},
      {{"cli/explain.cc", 1, R"(#include "rehearsal/explanation.h")"}, false},
      {{"rehearsal/explanation.cc", 1, R"(#include "server.h")"}, false},
      {{"base/result.h", 1, "#include <boost/asio.hpp>"}, false},
      {{"token/claims.cc", 1, "  const auto now = std::chrono::system_clock::now();"}, false},
      {{"token/claims.cc", 1, "// never system_clock::now(): the time is an argument"}, true},
      {{"net/worker.h", 1, "#include <boost/asio.hpp>"}, true},
      {{"misc/odd.h", 1, "int x;"}, false},
  };
  for (const auto& [line, good] : rows)
    EXPECT_EQ(fault(line).empty(), good) << line.file << ": " << line.text;
}

}  // namespace
