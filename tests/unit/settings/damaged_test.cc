// Files that are broken in every way that files get broken: each is refused with a line that stands in it,
// and nothing else happens. How long that takes is held by tests/integration/damaged_test.cc.
#include "support/damaged_configurations.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "settings/report.h"
#include "support/places.h"
#include "world.h"

namespace holdfast::settings {
namespace {

TEST(Damaged, EachIsRefusedWhereItIsBroken) {
  std::ifstream in(support::source_folder() / "config/reference.yaml");
  const std::string whole((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  const auto all = support::damaged_configurations(whole);
  EXPECT_GE(all.size(), 200U);
  for (const support::DamagedConfiguration& damaged : all) {
    SCOPED_TRACE(damaged.name);
    const std::string text = damaged.text();
    const Loaded loaded = load(text, "/etc/holdfast/holdfast.yaml", a_machine());
    EXPECT_FALSE(loaded.settings);
    EXPECT_FALSE(loaded.errors.empty());
    if (loaded.errors.empty()) continue;
    EXPECT_LE(loaded.errors.size(), kMaxProblems + 1);
    if (damaged.line != 0) {
      EXPECT_EQ(loaded.errors.front().mark.line, damaged.line) << to_string(loaded.errors.front(), "f");
    }
    const auto lines = static_cast<unsigned>(std::count(text.begin(), text.end(), '\n')) + 1;
    for (const Problem& problem : loaded.errors) {
      const std::string line = to_string(problem, "f");
      EXPECT_LE(problem.mark.line, lines) << line;
      EXPECT_GE(problem.mark.column, 1U);
      EXPECT_FALSE(problem.message.empty());
      EXPECT_LT(line.size(), 1000U);
      EXPECT_TRUE(std::ranges::none_of(line, [](char c) { return static_cast<unsigned char>(c) < 0x20; }))
          << line;
    }
  }
}

TEST(Damaged, WhatEditorsAddIsNoDamage) {
  const std::string good =
      "issuer: https://id.example.com\r\naudience: a\r\nupstream: http://127.0.0.1:8000\r\n";
  for (const std::string& text :
       {good, "\xEF\xBB\xBF" + good, "---\r\n" + good, good + "...\r\n", good + "\r\n\r\n"}) {
    EXPECT_EQ(lines_of(load(text, "f", a_machine()).errors), "") << text;
  }
}

}  // namespace
}  // namespace holdfast::settings
