// Holds every file to including, itself or through the house's own headers, what it uses of the headers that
// are precompiled in some builds (HOLDFAST_PCH). There they are in sight of every file, and a missing include
// would be found only by who builds without. It reads names after `std::` as text.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/places.h"

namespace {

namespace fs = std::filesystem;

// The precompiled headers, with the names that the house uses of each. Names that several headers declare
// (size_t, begin, swap) are not listed.
const std::map<std::string, std::vector<std::string_view>>& precompiled() {
  static const std::map<std::string, std::vector<std::string_view>> kHeaders{
      {"algorithm",
       {"sort",        "stable_sort",   "find",        "find_if",       "find_if_not", "find_first_of",
        "any_of",      "all_of",        "none_of",     "transform",     "copy",        "copy_n",
        "copy_if",     "equal",         "count",       "count_if",      "contains",    "max_element",
        "min_element", "reverse",       "fill",        "search",        "min",         "max",
        "clamp",       "lower_bound",   "upper_bound", "binary_search", "unique",      "shuffle",
        "is_sorted",   "adjacent_find", "replace",     "generate",      "partition",   "equal_range",
        "starts_with", "ends_with",     "mismatch",    "rotate",        "for_each",    "nth_element"}},
      {"array", {"array", "to_array"}},
      {"atomic", {"atomic", "atomic_bool", "atomic_int", "atomic_ref", "memory_order_relaxed"}},
      {"charconv", {"from_chars", "to_chars", "chars_format"}},
      {"chrono", {"chrono", "chrono_literals"}},
      {"cstdint", {"int8_t", "int16_t", "int32_t", "int64_t", "uint8_t", "uint16_t", "uint32_t", "uint64_t"}},
      {"expected", {"expected", "unexpected"}},
      {"filesystem", {"filesystem"}},
      {"fstream", {"ifstream", "ofstream", "fstream"}},
      {"functional", {"function", "move_only_function", "invoke", "bind_front", "reference_wrapper"}},
      {"map", {"map", "multimap"}},
      {"memory",
       {"unique_ptr", "shared_ptr", "weak_ptr", "make_unique", "make_shared", "enable_shared_from_this"}},
      {"mutex", {"mutex", "lock_guard", "unique_lock", "scoped_lock", "once_flag", "call_once"}},
      {"optional", {"optional", "nullopt", "make_optional"}},
      {"set", {"set", "multiset"}},
      {"span", {"span", "as_bytes", "as_writable_bytes"}},
      {"string", {"string", "to_string", "stoi", "stol", "stoul", "stoull", "getline"}},
      {"string_view", {"string_view"}},
      {"thread", {"thread", "jthread", "this_thread"}},
      {"unordered_map", {"unordered_map", "unordered_multimap"}},
      {"utility",
       {"move", "pair", "make_pair", "exchange", "forward", "as_const", "to_underlying", "unreachable",
        "cmp_less", "cmp_greater", "in_range"}},
      {"vector", {"vector"}}};
  return kHeaders;
}

std::string text_of(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// Where `#include "NAME"` of `from` leads.
std::optional<fs::path> resolve(const std::string& name, const fs::path& from) {
  const fs::path& source = holdfast::support::source_folder();
  for (const fs::path& folder :
       {from.parent_path(), source / "proxy", source / "tests", source / "tests/integration"}) {
    if (fs::exists(folder / name)) return fs::canonical(folder / name);
  }
  return std::nullopt;
}

using Headers = std::set<std::string>;

// The headers that a text names, and those that the house's own headers name which it includes; not what
// other libraries' headers include in their turn. `known`: what was found of each of the house's headers.
Headers headers_seen(const std::string& text, const fs::path& file, std::map<fs::path, Headers>& known) {
  Headers seen;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("#include ")) continue;
    const std::string name = line.substr(10, line.find_first_of(">\"", 10) - 10);
    if (line[9] == '<') seen.insert(name);
    const auto own = line[9] == '"' ? resolve(name, file) : std::nullopt;
    if (!own) continue;
    const auto [entry, fresh] = known.try_emplace(*own);
    if (fresh) {
      Headers found = headers_seen(text_of(*own), *own, known);
      known[*own] = std::move(found);
    }
    seen.insert(known[*own].begin(), known[*own].end());
  }
  return seen;
}

// The names after `std::` and `std::ranges::`, but for comments.
std::set<std::string> names_used(const std::string& text) {
  std::set<std::string> names;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    line.erase(std::min(line.find("//"), line.size()));
    for (std::size_t at = line.find("std::"); at != std::string::npos; at = line.find("std::", at)) {
      at += 5;
      if (line.compare(at, 8, "ranges::") == 0) at += 8;
      const std::size_t end = line.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_", at);
      names.insert(line.substr(at, end == std::string::npos ? end : end - at));
    }
  }
  return names;
}

// What a text uses of precompiled headers that it does not see: "<vector> for std::vector".
std::vector<std::string> missing(const std::string& text, const fs::path& file,
                                 std::map<fs::path, Headers>& known) {
  std::vector<std::string> faults;
  const Headers seen = headers_seen(text, file, known);
  const auto used = names_used(text);
  for (const auto& [header, names] : precompiled()) {
    if (seen.contains(header)) continue;
    for (const std::string_view name : names) {
      if (used.contains(std::string(name)))
        faults.push_back('<' + header + "> for std::" + std::string(name));
    }
  }
  const bool tests = text.find("\nTEST") != std::string::npos || text.find(" EXPECT_") != std::string::npos;
  if (tests && !seen.contains("gtest/gtest.h") && !seen.contains("gmock/gmock.h"))
    faults.push_back("<gtest/gtest.h>");
  return faults;
}

TEST(OwnIncludesTest, NoFileLeansOnWhatIsPrecompiled) {
  std::map<fs::path, Headers> known;
  int files = 0;
  for (const char* folder : {"proxy", "tests/unit", "tests/integration", "tests/support", "tests/fuzz",
                             "tests/structure", "bench"}) {
    for (const auto& entry : fs::recursive_directory_iterator(holdfast::support::source_folder() / folder)) {
      const std::string extension = entry.path().extension();
      if (extension != ".h" && extension != ".cc") continue;
      ++files;
      for (const std::string& fault : missing(text_of(entry.path()), entry.path(), known))
        ADD_FAILURE() << entry.path().string() << " needs " << fault;
    }
  }
  EXPECT_GT(files, 400) << "the scan found next to nothing";
}

TEST(OwnIncludesTest, KnowsEveryHeaderThatIsPrecompiled) {
  const std::string text = text_of(holdfast::support::source_folder() / "cmake/HoldfastTargets.cmake");
  const std::size_t begin = text.find("set(HOLDFAST_PRECOMPILED ");
  ASSERT_NE(begin, std::string::npos);
  std::string list = text.substr(begin, text.find(')', begin) - begin);
  std::set<std::string> named;
  for (std::size_t at = list.find('<'); at != std::string::npos; at = list.find('<', at + 1))
    named.insert(list.substr(at + 1, list.find('>', at) - at - 1));
  std::set<std::string> held;
  for (const auto& [header, names] : precompiled()) held.insert(header);
  EXPECT_EQ(named, held);
}

TEST(OwnIncludesTest, TheScannerSeesWhatItIsFor) {
  const std::pair<const char*, std::size_t> rows[] = {
      {"#include <vector>\nstd::vector<int> x;", 0},
      {"std::vector<int> x;", 1},
      {"#include <vector>\nstd::vector<std::string_view> x;", 1},
      {"#include <string>\nauto x = std::ranges::find(y, z);", 1},
      {"auto x = std::max(y, std::move(z));", 2},
      {"// std::vector, in words", 0},
      {"#include \"support/http_message.h\"\nstd::string x;", 0},
      {"\nTEST(A, B) {}", 1},
  };
  for (const auto& [text, faults] : rows) {
    std::map<fs::path, Headers> known;
    EXPECT_EQ(missing(text, holdfast::support::source_folder() / "tests/x.cc", known).size(), faults) << text;
  }
}

}  // namespace
