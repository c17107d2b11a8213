// Every configuration of refused.txt is answered with exactly its lines.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <string>

#include "settings/load.h"
#include "support/places.h"
#include "world.h"

namespace holdfast::settings {
namespace {

const std::string kShorthand =
    "issuer: https://id.example.com\naudience: api\nupstream: http://127.0.0.1:1\n";
const std::string kListeners = "listeners:\n- name: a\n  address: :1\n  tls: off\n";
const std::string kIssuers = "issuers:\n- name: i\n  url: https://id.example.com\n  audiences: any\n";
const std::string kUpstreams = "upstreams:\n- name: u\n  servers: http://127.0.0.1:1\n";
const std::string kRoutes = "routes:\n- name: r\n";

// The beginnings that blocks of refused.txt stand behind. Each is valid alone (see Beginnings).
std::string beginning(const std::string& name) {
  const std::map<std::string, std::string> all{
      {"file", kShorthand + kListeners},
      {"listener", kShorthand + kListeners + "  "},
      {"tls", kShorthand + "listeners:\n- name: a\n  address: :1\n  tls:\n    "},
      {"issuer", kListeners + kUpstreams + kRoutes + kIssuers + "  "},
      {"issuers", kListeners + kUpstreams + kRoutes + kIssuers},
      {"upstream", kListeners + kIssuers + kRoutes + kUpstreams + "  "},
      {"upstreams", kListeners + kIssuers + kRoutes + kUpstreams},
      {"route", kListeners + kIssuers + kUpstreams + kRoutes + "  "},
      {"routes", kListeners + kIssuers + kUpstreams + kRoutes},
  };
  return all.at(name);
}

struct Block {
  std::string beginning;
  std::string fragment;
  std::string expected;
};

std::vector<Block> blocks() {
  std::ifstream in(support::source_folder() / "tests/unit/settings/refused.txt");
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
