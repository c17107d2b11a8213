#include "takeover_messages.h"

#include <gtest/gtest.h>

#include <string>

namespace holdfast::takeover {
namespace {

using std::chrono::milliseconds;

TEST(TakeoverMessages, SayWhatTheyWereTold) {
  EXPECT_EQ(parse_hello(hello()), kVersion);

  const auto estate =
      parse_inherit(inherit({milliseconds(1234), Secret("nonce secret"), Secret("ring"), milliseconds(70),
                             milliseconds(10), milliseconds(20), "demands", UnixTime(milliseconds(-7))}));
  ASSERT_TRUE(estate);
  EXPECT_EQ(estate->store_age, milliseconds(1234));
  EXPECT_EQ(estate->nonce_secret.reveal(), "nonce secret");
  EXPECT_EQ(estate->ticket_keys.reveal(), "ring");
  EXPECT_EQ(estate->reach, milliseconds(70));
  EXPECT_EQ(estate->clock_skew, milliseconds(10));
  EXPECT_EQ(estate->drain, milliseconds(20));
  EXPECT_EQ(estate->nonce_demands, "demands");
  EXPECT_EQ(estate->nonces_since, UnixTime(milliseconds(-7)));
  EXPECT_FALSE(
      parse_inherit(inherit({milliseconds(1), Secret("s"), Secret("t"), milliseconds(9), milliseconds(10)})))
      << "no window is narrower than its skew";

  const auto named = parse_socket(socket({"public", true}));
  ASSERT_TRUE(named);
  EXPECT_EQ(named->name, "public");
  EXPECT_TRUE(named->kept);

  const std::vector<replay::LiveEntry> two{{{1, 2}, {3, 4}, milliseconds(5)},
                                           {{6, 7}, {8, 9}, milliseconds(10)}};
  const auto read = parse_entries(entries(two));
  ASSERT_TRUE(read);
  ASSERT_EQ(read->size(), 2U);
  EXPECT_EQ((*read)[1].id, two[1].id);
  EXPECT_EQ((*read)[1].key, two[1].key);
  EXPECT_EQ((*read)[1].keep, two[1].keep);

  Claim asked{.number = 42};
  asked.claim.id[31] = 7;
  asked.claim.key[0] = 8;
  asked.claim.issued = UnixTime(milliseconds(-9));
  asked.claim.keep = milliseconds(11);
  const auto heard = parse_claim(claim(asked));
  ASSERT_TRUE(heard);
  EXPECT_EQ(heard->number, 42U);
  EXPECT_EQ(heard->claim.id, asked.claim.id);
  EXPECT_EQ(heard->claim.key, asked.claim.key);
  EXPECT_EQ(heard->claim.issued, asked.claim.issued);
  EXPECT_EQ(heard->claim.keep, asked.claim.keep);

  const auto word = parse_result(result({43, pipeline::ReplayResult::kKeyQuota}));
  ASSERT_TRUE(word);
  EXPECT_EQ(word->number, 43U);
  EXPECT_EQ(word->result, pipeline::ReplayResult::kKeyQuota);
}

TEST(TakeoverMessages, AMessageCutShortOrTooLongIsNone) {
  const std::vector<replay::LiveEntry> one{{{1, 2}, {3, 4}, milliseconds(5)}};
  const std::string whole[] = {hello(), inherit({milliseconds(1), Secret("s"), Secret("t")}),
                               socket({"n", false}), claim({}), result({})};
  const auto parses = [](std::size_t which, std::string_view bytes) {
    switch (which) {
      case 0:
        return parse_hello(bytes).has_value();
      case 1:
        return parse_inherit(bytes).has_value();
      case 2:
        return parse_socket(bytes).has_value();
      case 3:
        return parse_claim(bytes).has_value();
      default:
        return parse_result(bytes).has_value();
    }
  };
  for (std::size_t which = 0; which < std::size(whole); ++which) {
    EXPECT_TRUE(parses(which, whole[which])) << which;
    EXPECT_FALSE(parses(which, whole[which] + 'x')) << which;
    for (std::size_t size = 0; size < whole[which].size(); ++size) {
      EXPECT_FALSE(parses(which, whole[which].substr(0, size))) << which << ' ' << size;
    }
  }
  const std::string entry = entries(one);
  for (std::size_t size = 1; size < entry.size(); ++size) EXPECT_FALSE(parse_entries(entry.substr(0, size)));
  EXPECT_TRUE(parse_entries("")->empty());
}

TEST(TakeoverMessages, WhatMakesNoSenseIsRefused) {
  EXPECT_FALSE(parse_inherit(inherit({milliseconds(-1), Secret("s"), {}}))) << "a store from the future";
  EXPECT_FALSE(parse_inherit(inherit({milliseconds(1), {}, {}}))) << "nonces without a secret";
  std::string word = result({1, pipeline::ReplayResult::kUnavailable});
  ++word.back();
  EXPECT_FALSE(parse_result(word)) << "no such result";
}

}  // namespace
}  // namespace holdfast::takeover
