// The public HTTP/1 request vectors, sent raw: what somebody refuses must never reach a backend, but for what
// docs/http-strictness.md explains, and what is forwarded of the rest must be one whole message of one
// reading.
#include "sidecar.h"
#include "support/http1_rows.h"

namespace holdfast::integration {
namespace {

using holdfast::testing::Http1Row;

// Every path is forwarded here, so that nothing but the parser can refuse.
Settings open_to_all() {
  Settings settings;
  settings.routes = "  - {name: all, match: {path: /**}, access: public, upstream: backend}\n";
  settings.default_routes = false;
  settings.listener = "timeouts: {headers: 1s, body_idle: 1s, idle: 100ms}, ";
  return settings;
}

// Sends the bytes and reads whatever comes until the end. What waits for more bytes times out; ending our
// side instead would have the request given up, whatever became of it.
std::string send_and_read(const Sidecar& sidecar, const std::string& bytes) {
  Stream stream = sidecar.dial_plain();
  stream.send(bytes);
  return MessageReader(stream).rest();
}

class Http1VectorsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    vectors_ = holdfast::testing::http1_rows();
    if (vectors_.empty()) GTEST_SKIP() << "no vectors at " << support::vectors_folder();
    sidecar_ = std::make_unique<Sidecar>(open_to_all());
  }

  std::vector<Http1Row> vectors_;
  std::unique_ptr<Sidecar> sidecar_;
};

TEST_F(Http1VectorsTest, WhatSomebodyRefusesReachesNoBackend) {
  const auto taken = holdfast::testing::http1_rows_taken();
  std::size_t refused = 0;
  for (const Http1Row& vector : vectors_) {
    if (!vector.somebody_refuses || taken.contains(vector.id)) continue;
    ++refused;
    SCOPED_TRACE(vector.id);
    sidecar_->backend.forget();
    std::atomic<int> whole{0};
    const Script script(sidecar_->backend, [&](Exchange& request) {
      request.read_body();
      ++whole;
      request.respond(200, "", "ok");
    });
    const std::string answer = send_and_read(*sidecar_, vector.bytes);
    EXPECT_FALSE(answer.starts_with("HTTP/1.1 2")) << answer.substr(0, 300);
    // A request whose body turns out broken may have been begun; it must never have been completed.
    EXPECT_EQ(whole, 0) << "reached the backend: "
                        << (sidecar_->backend.seen_count() > 0 ? sidecar_->backend.last().head : "");
  }
  EXPECT_GT(refused, 120U);
  EXPECT_EQ(sidecar_->holdfast->probe("/livez"), 200);
}

// docs/http-strictness.md, from outside.
TEST_F(Http1VectorsTest, WhatIsTakenAllTheSameIsForwardedAsTheTableSays) {
  const auto taken = holdfast::testing::http1_rows_taken();
  for (const Http1Row& vector : vectors_) {
    const auto row = taken.find(vector.id);
    if (row == taken.end()) continue;
    SCOPED_TRACE(vector.id);
    EXPECT_FALSE(vector.both_refuse);
    sidecar_->backend.forget();
    {
      const Script script(sidecar_->backend, [&](Exchange& request) { request.respond(200, "", "ok"); });
      EXPECT_TRUE(send_and_read(*sidecar_, vector.bytes).starts_with("HTTP/1.1 200"));
    }
    const auto seen = sidecar_->backend.seen();
    ASSERT_EQ(seen.size(), 1U);
    std::string line = row->second.line;
    const std::size_t cut = line.find("…");
    line = cut == std::string::npos ? line + " HTTP/1.1\r\n" : line.substr(0, cut);
    EXPECT_TRUE(seen[0].head.starts_with(line)) << seen[0].head.substr(0, 200);
    EXPECT_EQ(seen[0].body.size(), row->second.body);
    const bool unexpected = row->second.body != 0 && seen[0].method == "GET";
    EXPECT_EQ(seen[0].fields.has("Connection"), unexpected) << seen[0].head;
  }
}

TEST_F(Http1VectorsTest, NothingIsForwardedInTwoReadings) {
  for (const Http1Row& vector : vectors_) {
    SCOPED_TRACE(vector.id);
    sidecar_->backend.forget();
    send_and_read(*sidecar_, vector.bytes);
    for (const auto& seen : sidecar_->backend.seen()) {
      EXPECT_EQ(seen.fields.all("Host").size(), 1U) << seen.head;
      const std::size_t lengths = seen.fields.all("Content-Length").size();
      EXPECT_LE(lengths + seen.fields.all("Transfer-Encoding").size(), 1U) << seen.head;
      EXPECT_EQ(seen.head.find('\0'), std::string::npos);
      for (std::size_t at = seen.head.find('\n'); at != std::string::npos;
           at = seen.head.find('\n', at + 1)) {
        EXPECT_TRUE(at > 0 && seen.head[at - 1] == '\r') << "bare LF: " << seen.head;
      }
      for (std::size_t at = seen.head.find('\r'); at != std::string::npos;
           at = seen.head.find('\r', at + 1)) {
        EXPECT_EQ(seen.head[at + 1], '\n') << "bare CR: " << seen.head;
      }
    }
  }
  EXPECT_EQ(sidecar_->holdfast->probe("/livez"), 200);
}

}  // namespace
}  // namespace holdfast::integration
