#include "answer/grpc.h"

#include <gtest/gtest.h>

#include <optional>
#include <string_view>
#include <vector>

namespace holdfast::answer {
namespace {

TEST(Grpc, IsRecognisedByVersionMethodAndType) {
  struct Row {
    std::uint8_t version;
    std::string_view method, type;
    bool grpc;
  };
  const Row rows[] = {
      {2, "POST", "application/grpc", true},
      {2, "POST", "application/grpc+proto", true},
      {2, "POST", "application/grpc+json", true},
      {2, "POST", "Application/gRPC", true},
      {2, "POST", "application/grpc;x=y", true},
      {1, "POST", "application/grpc", false},
      {2, "GET", "application/grpc", false},
      {2, "POST", "application/grpc-web", false},
      {2, "POST", "application/grpc-web+proto", false},
      {2, "POST", "application/json", false},
      {2, "POST", "application/grp", false},
      {2, "POST", "", false},
  };
  for (const Row& row : rows) {
    http::RequestHead head;
    head.version_major = row.version;
    head.method = row.method;
    if (!row.type.empty()) head.fields.add("Content-Type", row.type);
    EXPECT_EQ(is_grpc(head), row.grpc) << row.method << " " << row.type;
  }
}

TEST(Grpc, MapsStatuses) {
  struct Row {
    std::uint16_t http;
    unsigned grpc;
  };
  for (const Row& row : {Row{401, 16}, Row{403, 7}, Row{404, 12}, Row{400, 3}, Row{503, 14}, Row{504, 4},
                         Row{429, 14}, Row{502, 14}, Row{413, 8}, Row{431, 8}, Row{408, 2}, Row{421, 2}}) {
    EXPECT_EQ(grpc_status(row.http), row.grpc) << row.http;
  }
}

TEST(Grpc, KeepsTheChallengeAndSaysWhyInItsOwnWords) {
  const AnswerContext context{.request_id = "r", .nonce = "n1"};
  const Answer plain = make_answer({}, {Reason::nonce_required, "100% \xc3\xa4"}, context);
  EXPECT_EQ(plain.status, 401);
  const Answer answer = as_grpc(make_answer({}, {Reason::nonce_required, "100% \xc3\xa4"}, context), 16);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "");
  EXPECT_EQ(answer.fields.find("content-type"), "application/grpc");
  EXPECT_EQ(answer.fields.count("content-type"), 1U);
  EXPECT_EQ(answer.fields.find("grpc-status"), "16");
  EXPECT_EQ(answer.fields.find("grpc-message"), "100%25 ??");
  EXPECT_EQ(answer.fields.find("dpop-nonce"), "n1");
  EXPECT_EQ(answer.fields.find("www-authenticate"), plain.fields.find("www-authenticate"));
  EXPECT_EQ(answer.fields.find("cache-control"), "no-store");
}

TEST(Grpc, ReadsOneStatus) {
  struct Row {
    std::vector<std::string_view> values;
    std::optional<unsigned> code;
  };
  for (const Row& row : {Row{{}, std::nullopt},
                         {{"0"}, 0},
                         {{"16"}, 16},
                         {{"007"}, 7},
                         {{"999"}, 999},
                         {{"1000"}, std::nullopt},
                         {{""}, std::nullopt},
                         {{"-1"}, std::nullopt},
                         {{"1 "}, std::nullopt},
                         {{"OK"}, std::nullopt},
                         {{"0", "0"}, std::nullopt}}) {
    http::Fields fields;
    for (const std::string_view value : row.values) fields.add("Grpc-Status", value);
    EXPECT_EQ(read_grpc_status(fields), row.code) << (row.values.empty() ? "" : row.values.front());
  }
}

TEST(Grpc, EveryReasonHasAStatusOfItsOwn) {
  for (const Reason reason : kAllReasons) {
    Answer made = make_answer({}, {reason, {}}, {});
    const unsigned code = grpc_status(made.status);
    const Answer answer = as_grpc(std::move(made), code);
    EXPECT_EQ(answer.status, 200) << reason_name(reason);
    const auto status = answer.fields.find("grpc-status");
    ASSERT_TRUE(status) << reason_name(reason);
    EXPECT_NE(*status, "0") << reason_name(reason);
    EXPECT_NE(answer.fields.find("grpc-message"), "") << reason_name(reason);
  }
}

}  // namespace
}  // namespace holdfast::answer
