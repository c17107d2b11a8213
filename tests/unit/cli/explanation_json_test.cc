// An explanation comes out of its JSON as it went in, and nothing else passes for one.
#include "cli/explanation_json.h"

#include <gtest/gtest.h>

namespace holdfast::cli {
namespace {

TEST(ExplanationJson, ComesOutAsItWentIn) {
  using State = Rung::State;
  const Explanation told{.allowed = true,
                         .verdict = "allowed: \"so\" \\ (é)",
                         .about = "request x",
                         .rungs = {{State::kPassed, "request", "GET /", ""},
                                   {State::kFailed, "htu", "a, b", "do\nthis"},
                                   {State::kNotEvaluated, "iat", "", ""}}};
  const auto read = read_explanation(to_json(told));
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(read->allowed, told.allowed);
  EXPECT_EQ(read->verdict, told.verdict);
  EXPECT_EQ(read->about, told.about);
  ASSERT_EQ(read->rungs.size(), told.rungs.size());
  for (std::size_t i = 0; i < told.rungs.size(); ++i) {
    EXPECT_EQ(read->rungs[i].state, told.rungs[i].state);
    EXPECT_EQ(read->rungs[i].name, told.rungs[i].name);
    EXPECT_EQ(read->rungs[i].words, told.rungs[i].words);
    EXPECT_EQ(read->rungs[i].mend, told.rungs[i].mend);
  }
}

TEST(ExplanationJson, WhatIsNoneIsRefused) {
  for (const char* text : {
           "",
           "[]",
           "nonsense",
           "{}",
           R"({"allowed":true})",
           R"({"allowed":"yes","verdict":"v","checks":[]})",
           R"({"allowed":true,"verdict":7,"checks":[]})",
           R"({"allowed":true,"verdict":"v","checks":{}})",
           R"({"allowed":true,"verdict":"v","checks":[1]})",
           R"({"allowed":true,"verdict":"v","checks":[{"name":"htu"}]})",
           R"({"allowed":true,"verdict":"v","checks":[{"name":"htu","state":"maybe"}]})",
           R"({"allowed":true,"verdict":"v","checks":[{"state":"passed"}]})",
       }) {
    EXPECT_FALSE(read_explanation(text)) << text;
  }
  EXPECT_TRUE(read_explanation(R"({"allowed":true,"verdict":"v","checks":[],"more":1})"));
}

}  // namespace
}  // namespace holdfast::cli
