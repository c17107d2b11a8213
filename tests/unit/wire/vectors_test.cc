// Public raw requests with verdicts: vectors/http1/requests.jsonl.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>

#include "base/ascii.h"
#include "decoded.h"
#include "support/places.h"

namespace holdfast::wire {
namespace {

struct Row {
  std::string id, verdict, bytes;
  bool both_refuse = false;
};

// A member of one of the file's flat objects, its value unescaped as far as the file needs.
std::string member(const std::string& line, const std::string& name) {
  const std::string key = "\"" + name + "\": ";
  std::size_t at = line.find(key);
  if (at == std::string::npos) return {};
  at += key.size();
  if (line[at] != '"') return line.substr(at, line.find_first_of(",}", at) - at);
  std::string value;
  for (++at; line[at] != '"'; ++at) {
    if (line[at] == '\\') ++at;
    value.push_back(line[at]);
  }
  return value;
}

std::string from_hex(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(hex_value(hex[i]) * 16 + hex_value(hex[i + 1])));
  }
  return bytes;
}

std::vector<Row> rows() {
  std::vector<Row> rows;
  std::ifstream file(support::vectors_folder() / "http1/requests.jsonl");
  for (std::string line; std::getline(file, line);) {
    rows.push_back({member(line, "id"), member(line, "verdict"), from_hex(member(line, "hex")),
                    member(line, "both_refuse") == "true"});
  }
  return rows;
}

// What a server does with one connection: requests in order until one that asks to close, or a fault.
struct Outcome {
  std::size_t complete = 0;
  bool fault = false;
  unsigned status = 0;
};

Outcome serve(const std::string& bytes, std::size_t piece) {
  const DecodedRequests got = decode_requests(bytes, piece);
  Outcome outcome{0, got.fault.has_value(), got.fault ? got.fault->status : 0U};
  for (const DecodedRequest& request : got.requests) {
    if (request.ended) ++outcome.complete;
    if (request.wants_close && request.ended) {
      outcome.fault = false;  // what follows is never read
      break;
    }
  }
  return outcome;
}

class Http1Vectors : public testing::Test {
 protected:
  void SetUp() override {
    rows_ = rows();
    if (rows_.empty()) GTEST_SKIP() << "no vectors at " << support::vectors_folder();
  }
  std::vector<Row> rows_;
};

TEST_F(Http1Vectors, WhatBothRefuseNeverBecomesARequest) {
  std::size_t refused = 0;
  for (const Row& row : rows_) {
    if (!row.both_refuse) continue;
    for (const std::size_t piece : {std::size_t{1} << 20, std::size_t{1}}) {
      EXPECT_EQ(serve(row.bytes, piece).complete, 0U) << row.id;
    }
    ++refused;
  }
  EXPECT_GT(refused, 70U);
}

// Rows with the verdict must-reject that are taken all the same, each with its reason.
const std::map<std::string, std::string>& explained() {
  static const std::map<std::string, std::string> rows = {
      {"invalid/006.http", "a target of 4 KiB; our limit is 64 KiB"},
      {"invalid/007.http", "a field name as long as the tested library's own limit; ours is 64 KiB a head"},
      {"invalid/008.http", "a field as long as the tested library's own limit; ours is 64 KiB a head"},
      {"invalid/041.http", "two Content-Types: nothing here is decided by them"},
      {"invalid/rfc9110_field_value_ctl_bel_01.http",
       "the bytes hold a backslash and digits, not the control byte"},
      {"invalid/rfc9110_field_value_ctl_del_01.http",
       "the bytes hold a backslash and digits, not the control byte"},
      {"invalid/rfc9112_target_non_ascii_01.http",
       "the bytes hold a backslash and digits, not the 8-bit byte"},
      {"invalid/rfc9112_target_nul_01.http", "the bytes hold a backslash and digits, not NUL"},
      {"request/connection.md#`close` / CRLF between requests, explicit `close`",
       "the first request closes; what follows is not read"},
      {"request/connection.md#`close` / CRLF between requests, explicit `close` followed by tab",
       "the first request closes; what follows is not read"},
      {"request/connection.md#`keep-alive` / No restart when keep-alive is off (1.0)",
       "the first request closes; what follows is not read"},
      {"request/invalid.md#ICE protocol and GET method / HTTP protocol and ANNOUNCE method",
       "any token is a method (RFC 9110 9.1)"},
  };
  return rows;
}

TEST_F(Http1Vectors, WhatMustBeRejectedIsOrIsExplained) {
  std::set<std::string> taken;
  for (const Row& row : rows_) {
    if (row.verdict != "must-reject" || row.both_refuse) continue;
    if (serve(row.bytes, 1 << 20).complete != 0) taken.insert(row.id);
  }
  std::set<std::string> expected;
  for (const auto& [id, why] : explained()) expected.insert(id);
  EXPECT_EQ(taken, expected);
}

// Two feedings of the same bytes never differ.
TEST_F(Http1Vectors, PiecesMakeNoDifference) {
  for (const Row& row : rows_) {
    const Outcome whole = serve(row.bytes, 1 << 20);
    for (const std::size_t piece : {std::size_t{1}, std::size_t{2}, std::size_t{13}}) {
      const Outcome pieces = serve(row.bytes, piece);
      EXPECT_EQ(whole.complete, pieces.complete) << row.id;
      EXPECT_EQ(whole.fault, pieces.fault) << row.id;
      EXPECT_EQ(whole.status, pieces.status) << row.id;
    }
  }
}

}  // namespace
}  // namespace holdfast::wire
