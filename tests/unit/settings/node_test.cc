#include "settings/node.h"

#include <gtest/gtest.h>

#include <string>

namespace holdfast::settings {
namespace {

std::string refused(std::string_view text) {
  const auto node = parse_yaml(text);
  return node ? "taken" : to_string(node.error(), "f");
}

TEST(Node, KnowsEveryPosition) {
  const auto root = parse_yaml("a: 1\nlist:\n  - x\n  - {b: 'two'}\n");
  ASSERT_TRUE(root);
  ASSERT_EQ(root->entries.size(), 2U);
  EXPECT_EQ(root->entries[1].mark, (Mark{2, 1}));
  const Node& list = root->entries[1].value;
  ASSERT_EQ(list.items.size(), 2U);
  EXPECT_EQ(list.items[0].mark, (Mark{3, 5}));
  const Node* two = list.items[1].find("b");
  ASSERT_NE(two, nullptr);
  EXPECT_EQ(two->mark, (Mark{4, 9}));
  EXPECT_TRUE(two->quoted);
  EXPECT_FALSE(root->entries[0].value.quoted);
}

TEST(Node, RecordsRepeatedKeys) {
  const auto root = parse_yaml("a: 1\nb: 2\na: 3\n");
  ASSERT_TRUE(root);
  EXPECT_FALSE(root->entries[0].repeated);
  EXPECT_EQ(root->entries[2].repeated, (Mark{1, 1}));
}

TEST(Node, TakesEveryFormOfNull) {
  const auto root = parse_yaml("a:\nb: ~\nc: null\nd: 'null'\n");
  ASSERT_TRUE(root);
  EXPECT_EQ(root->entries[0].value.kind, Node::Kind::kNull);
  EXPECT_EQ(root->entries[1].value.kind, Node::Kind::kNull);
  EXPECT_EQ(root->entries[2].value.kind, Node::Kind::kNull);
  EXPECT_EQ(root->entries[3].value.kind, Node::Kind::kScalar);
}

TEST(Node, RefusesWhatHidesOrExplodes) {
  EXPECT_EQ(refused(""), "f:1:1: the file is empty");
  EXPECT_EQ(refused("# nothing\n"), "f:1:1: the file is empty");
  EXPECT_EQ(refused("a: &x 1\nb: *x\n"), "f:1:4: a YAML anchor (`&name`) is not accepted");
  EXPECT_EQ(refused("a: &x [1]\n"), "f:1:4: a YAML anchor (`&name`) is not accepted");
  EXPECT_EQ(refused("a: *x\n"),
            "f:1:4: not valid YAML: the referenced anchor is not defined; a value that begins with * stands "
            "in quotes");
  EXPECT_EQ(refused("a: !!str 1\n"), "f:1:4: a YAML tag (`!name`) is not accepted");
  EXPECT_EQ(refused("a: !env X\n"), "f:1:4: a YAML tag (`!name`) is not accepted");
  EXPECT_EQ(refused("a: 1\n---\nb: 2\n"), "f:3:1: a second YAML document is not accepted");
  EXPECT_EQ(refused("[a, b]: 1\n"),
            "f:1:1: a key must be a plain word, not a list or a map; or is a { or [ never closed?");
  EXPECT_EQ(refused("? {a: b}\n: 1\n"),
            "f:1:3: a key must be a plain word, not a list or a map; or is a { or [ never closed?");
  EXPECT_EQ(refused("~: 1\n"), "f:1:1: a key must be a plain word");
  EXPECT_EQ(refused(std::string("a: \0", 4)), "f:1:4: a control byte is not accepted");
  EXPECT_EQ(refused("a: 1\nb: \x1b[0m\n"), "f:2:4: a control byte is not accepted");
  EXPECT_EQ(refused("\xFF\xFE"), "f:1:1: the file is UTF-16; write it as UTF-8");
  EXPECT_EQ(refused("a:\n\t- b\n").substr(0, 6), "f:2:2:");
  EXPECT_EQ(refused("a: [1, 2\n").substr(0, 6), "f:2:1:");
  EXPECT_EQ(refused("a: 'x\n"), "f:1:4: not valid YAML: the quote is never closed");
  EXPECT_EQ(refused("a: 'x''\n"), "f:1:4: not valid YAML: the quote is never closed");
  EXPECT_EQ(refused("a: \"x\\\"\n"), "f:1:4: not valid YAML: the quote is never closed");
  EXPECT_EQ(refused("a: 'x'''\nb: \"\\\"\""), "taken");
  EXPECT_EQ(refused("a: b: c\n").substr(0, 4), "f:1:");
  EXPECT_EQ(refused("%YAML 1.2\n---\na: 1\n"), "f:1:1: a YAML directive (`%name`) is not accepted");
  EXPECT_EQ(refused("a: 1\n%b: 2\n"), "f:2:1: a YAML directive (`%name`) is not accepted");
  EXPECT_EQ(refused("a: 50%\n"), "taken");
  EXPECT_EQ(refused("a: 1\n\xEF\xBB\xBF"), "f:2:1: a byte order mark is accepted at the beginning only");
}

// What people do, and YAML's words for it alone would not tell them.
TEST(Node, SaysWhatASyntaxErrorComesFrom) {
  const std::string tab = "; a tab indents this line, and YAML takes spaces only";
  EXPECT_EQ(refused("a: 1\n\tb: 2\n"),
            "f:2:1: not valid YAML: illegal tab when looking for indentation" + tab);
  EXPECT_EQ(refused("a:\n\t- b\n"), "f:2:2: not valid YAML: illegal block entry" + tab);
  EXPECT_EQ(refused("a:\n  b: 1\n \xC2\xA0 c: 2\n"),
            "f:3:2: a no-break space indents this line, and YAML takes spaces only");
  EXPECT_EQ(refused("a: b\xC2\xA0 # c\n"), "taken");
  EXPECT_EQ(refused("host: [*.example.com]\n"),
            "f:1:8: not valid YAML: the referenced anchor is not defined; a value that begins with * stands "
            "in quotes");
  EXPECT_EQ(refused("a: @b\n"),
            "f:1:4: not valid YAML: unknown token; a value that begins with @ stands in quotes");
  EXPECT_EQ(refused("a: `b`\n"),
            "f:1:4: not valid YAML: unknown token; a value that begins with ` stands in quotes");
  const std::string column = "; the keys of one map, and the items of one list, begin in one column";
  const std::string space =
      ": not valid YAML: illegal map value; a key's colon needs a space behind it, on line ";
  EXPECT_EQ(refused("issuer:https://id\naudience: a\n"), "f:2:9" + space + "1");
  EXPECT_EQ(refused("a: 1\nissuer:https://id\n\n# b\naudience: a\n"),
            "f:2:1: not valid YAML: end of map not found; a key's colon needs a space behind it, on line 2");
  EXPECT_EQ(refused("a: 10:30\n b: c\n"), "f:2:3: not valid YAML: illegal map value" + column);
  EXPECT_EQ(
      refused("a: b: c\n"),
      "f:1:5: not valid YAML: illegal map value; a value that holds a colon and a space stands in quotes");
  EXPECT_EQ(refused("a: http://b\n c: d\n"), "f:2:3: not valid YAML: illegal map value" + column);
  EXPECT_EQ(refused("a:\n  b: 1\n c: d\n"), "f:3:2: not valid YAML: end of map not found" + column);
  EXPECT_EQ(refused("a:\n  - b\n - c\n"), "f:3:2: not valid YAML: end of map not found" + column);
  EXPECT_EQ(refused("a: [1, {b: 2]\n"),
            "f:1:13: not valid YAML: illegal flow end; is each { and [ closed by its own kind?");
  EXPECT_EQ(refused("a: 1\nb: [1, 2\n"),
            "f:3:1: not valid YAML: end of sequence flow not found; is each { and [ closed by its own kind?");
}

// What stands below an empty value is not where to look for it.
TEST(Node, KnowsWhereNothingIs) {
  const auto root = parse_yaml("a:\n\n\nb: 1\nc: {d: , e: ~}\nf:\n");
  ASSERT_TRUE(root);
  EXPECT_EQ(root->entries[0].value.mark, (Mark{1, 1}));
  EXPECT_EQ(root->entries[2].value.entries[0].value.mark, (Mark{5, 8}));
  EXPECT_EQ(root->entries[2].value.entries[1].value.mark, (Mark{5, 13}));
  EXPECT_EQ(root->entries[3].value.mark, (Mark{6, 1}));
}

TEST(Node, TakesUtf8Only) {
  for (const char* good : {"a: \xC3\xA4", "a: \xE0\xA0\x80", "a: \xED\x9F\xBF", "a: \xEF\xBF\xBD",
                           "a: \xF0\x90\x80\x80", "a: \xF4\x8F\xBF\xBF",
                           "\xEF\xBB\xBF"
                           "a: b",
                           "a: b\r\nc: d\r\n"}) {
    EXPECT_EQ(refused(good), "taken") << good;
  }
  for (const char* bad :
       {"\x80", "\xBF", "\xC0\xAF", "\xC1\xBF", "\xC3", "\xC3\x28", "\xE0\x9F\xBF", "\xE1\x80",
        "\xED\xA0\x80", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF"}) {
    EXPECT_EQ(refused("a: 1\nb: '" + std::string(bad)), "f:2:5: the file is not valid UTF-8");
    EXPECT_EQ(refused("a: 1\n# " + std::string(bad) + "\n"), "f:2:3: the file is not valid UTF-8");
  }
  EXPECT_EQ(refused("\xEF\xBB\xBF"
                    "a: 'x\n"),
            "f:1:4: not valid YAML: the quote is never closed");
}

TEST(Node, Limits) {
  std::string deep(kMaxDepth, '[');
  EXPECT_EQ(refused(deep + std::string(kMaxDepth, ']')), "taken");
  EXPECT_EQ(refused('[' + deep + std::string(kMaxDepth + 1, ']')), "f:1:65: nested more than 64 levels deep");
  EXPECT_EQ(refused("a: 1\n" + std::string(kMaxFileBytes - 5, '[')), "f:2:1: the line is longer than 64 KiB");
  EXPECT_NE(refused(std::string(kMaxLineBytes, '[')), "taken");
  EXPECT_NE(refused(std::string(kMaxLineBytes, '{')), "taken");
  EXPECT_EQ(refused(std::string(kMaxLineBytes, 'x') + "\n"), "taken");
  EXPECT_EQ(refused(std::string(kMaxLineBytes + 1, 'x') + "\n"), "f:1:1: the line is longer than 64 KiB");
  EXPECT_EQ(refused(std::string(kMaxFileBytes + 1, '#')), "f:1:1: the file is larger than 4 MiB");
  std::string many = "[";
  for (std::size_t i = 0; i <= kMaxNodes; ++i) many += "1,\n";
  EXPECT_EQ(refused(many + ']'), "f:250001:1: more than 250000 values");
}

TEST(Node, Describes) {
  const auto root = parse_yaml("- []\n- {}\n-\n- \"a\\u0007b\"\n- " + std::string(80, 'x'));
  ASSERT_TRUE(root);
  EXPECT_EQ(describe(root->items[0]), "a list");
  EXPECT_EQ(describe(root->items[1]), "a map");
  EXPECT_EQ(describe(root->items[2]), "empty");
  EXPECT_EQ(describe(root->items[3]), "\"a?b\"");
  EXPECT_EQ(describe(root->items[4]), '"' + std::string(64, 'x') + "...\"");
  EXPECT_EQ(quotable(std::string(63, 'x') + "\xC3\xA4z"), std::string(63, 'x') + "...")
      << "between characters";
  EXPECT_EQ(quotable(std::string(62, 'x') + "\xC3\xA4z"), std::string(62, 'x') + "\xC3\xA4...");
  EXPECT_EQ(quotable(std::string(62, 'x') + "\xC3\xA4"), std::string(62, 'x') + "\xC3\xA4");
}

}  // namespace
}  // namespace holdfast::settings
