// Every configuration of refused.txt is answered with exactly its lines.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

#include "settings/load.h"
#include "support/places.h"
#include "world.h"

namespace holdfast::settings {
namespace {

std::string text_of(const char* file) {
  std::ifstream in(support::source_folder() / "tests/unit/settings" / file);
  return {(std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>()};
}

// The beginnings that blocks of refused.txt stand behind: in beginnings.txt, each behind its name.
std::string beginning(const std::string& name) {
  static const std::string all = text_of("beginnings.txt");
  const std::string head = "=== " + name + '\n';
  const std::size_t at = all.find(head);
  if (at == all.npos) throw std::out_of_range(name);
  const std::size_t begin = at + head.size();
  const std::string text = all.substr(begin, all.find("=== ", begin) - begin);
  // its last line may be an indentation that the fragment goes on behind
  const std::size_t open = text.find_last_of('|');
  return open == text.npos ? text : text.substr(0, open);
}

struct Block {
  std::string beginning;
  std::string fragment;
  std::string expected;
};

std::vector<Block> blocks() {
  std::istringstream in(text_of("refused.txt"));
  std::vector<Block> out;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("--- ")) {
      out.push_back({line.substr(4), "", ""});
    } else if (line.starts_with("=> ")) {
      out.back().expected += line.substr(3) + '\n';
    } else if (!out.empty()) {
      out.back().fragment += line + '\n';
    }
  }
  return out;
}

Loaded load_block(const Block& block) {
  return load(beginning(block.beginning) + block.fragment, "f.yaml", a_machine({{"SET", "1"}}));
}

TEST(LoadRefused, Beginnings) {
  for (const char* name : {"file", "issuers", "upstreams", "routes"}) {
    EXPECT_EQ(lines_of(load_block({name, "", ""}).errors), "") << name;
  }
}

TEST(LoadRefused, EachWithItsLines) {
  const std::vector<Block> all = blocks();
  ASSERT_GT(all.size(), 200U);
  for (const Block& block : all) {
    const Loaded loaded = load_block(block);
    EXPECT_EQ(lines_of(loaded.errors), block.expected) << block.beginning << ": " << block.fragment;
    EXPECT_EQ(loaded.settings.has_value(), block.expected.empty()) << block.fragment;
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
