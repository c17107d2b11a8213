// Public raw requests with verdicts: vectors/http1/requests.jsonl.
#include <gtest/gtest.h>

#include <string>

#include "../../support/http1_rows.h"
#include "decoded.h"

namespace holdfast::wire {
namespace {

using testing::Http1Row;

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

class Http1Vectors : public ::testing::Test {
 protected:
  void SetUp() override {
    rows_ = testing::http1_rows();
    if (rows_.empty()) GTEST_SKIP() << "no vectors at " << support::vectors_folder();
  }
  std::vector<Http1Row> rows_;
};

TEST_F(Http1Vectors, WhatBothRefuseNeverBecomesARequest) {
  std::size_t refused = 0;
  for (const Http1Row& row : rows_) {
    if (!row.both_refuse) continue;
    for (const std::size_t piece : {std::size_t{1} << 20, std::size_t{1}}) {
      EXPECT_EQ(serve(row.bytes, piece).complete, 0U) << row.id;
    }
    ++refused;
  }
  EXPECT_GT(refused, 70U);
}

// What HAProxy or nginx refuse beside these is partly refused further in; integration.http1_vectors looks at
// all.
TEST_F(Http1Vectors, WhatMustBeRejectedIsOrIsExplained) {
  const auto explained = testing::http1_rows_taken();
  for (const Http1Row& row : rows_) {
    const bool taken = serve(row.bytes, 1 << 20).complete != 0;
    const bool is_explained = explained.contains(row.id);
    EXPECT_TRUE(!row.must_reject || taken == is_explained) << row.id;
    EXPECT_TRUE(!is_explained || (taken && row.somebody_refuses)) << row.id;
  }
}

// Two feedings of the same bytes never differ.
TEST_F(Http1Vectors, PiecesMakeNoDifference) {
  for (const Http1Row& row : rows_) {
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
