// Every configuration of refused.txt is answered with exactly its lines.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "settings/load.h"
#include "support/places.h"
#include "support/refused_configurations.h"
#include "world.h"

namespace holdfast::settings {
namespace {

using support::RefusedConfiguration;

Loaded load_here(const std::string& text) {
  return load(text, "f.yaml", a_machine({{"SET", "1"}}));
}

TEST(LoadRefused, Beginnings) {
  for (const char* name : {"file", "issuers", "upstreams", "routes"}) {
    EXPECT_EQ(lines_of(load_here(support::beginning_of_configurations(name)).errors), "") << name;
  }
}

TEST(LoadRefused, EachWithItsLines) {
  const std::vector<RefusedConfiguration> all = support::refused_configurations();
  ASSERT_GT(all.size(), 200U);
  for (const RefusedConfiguration& each : all) {
    const Loaded loaded = load_here(each.text());
    std::string expected;
    for (const std::string& line : each.lines) expected += line + '\n';
    EXPECT_EQ(lines_of(loaded.errors), expected) << each.beginning << ": " << each.fragment;
    EXPECT_EQ(loaded.settings.has_value(), expected.empty()) << each.fragment;
  }
}

// What is cut off anywhere, or has one byte replaced, is taken or refused with a line; it never crashes.
TEST(LoadRefused, Damaged) {
  std::ifstream in(support::source_folder() / "config/reference.yaml");
  const std::string whole((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  ASSERT_FALSE(whole.empty());
  for (std::size_t i = 0; i < whole.size(); i += 13) {
    const Loaded cut = load(std::string_view(whole).substr(0, i), "f.yaml", a_machine());
    EXPECT_NE(cut.settings.has_value(), !cut.errors.empty()) << i;
    std::string bent = whole;
    bent[i] = "\t[{&*!:\x80"[i % 8];
    const Loaded bad = load(bent, "f.yaml", a_machine());
    EXPECT_NE(bad.settings.has_value(), !bad.errors.empty()) << i;
  }
}

}  // namespace
}  // namespace holdfast::settings
