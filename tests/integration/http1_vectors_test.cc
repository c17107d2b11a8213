// The public HTTP/1 request vectors, sent raw: what both HAProxy and nginx refuse must never reach a backend,
// and what is forwarded of the rest must be one whole message of one reading.
#include <fstream>

#include "sidecar.h"
#include "support/places.h"

namespace holdfast::integration {
namespace {

struct Vector {
  std::string id;
  std::string bytes;
  std::string verdict;
  bool both_refuse = false;
};

std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

std::vector<Vector> load() {
  std::vector<Vector> vectors;
  std::ifstream file(support::vectors_folder() / "http1/requests.jsonl");
  for (std::string line; std::getline(file, line);) {
    const auto row = boost::json::parse(line).as_object();
    vectors.push_back(
        {std::string(row.at("source").as_string()) + "/" + std::string(row.at("id").as_string()),
         from_hex(std::string(row.at("hex").as_string())), std::string(row.at("verdict").as_string()),
         row.at("both_refuse").as_bool()});
  }
  return vectors;
}

// Every path is forwarded here, so that nothing but the parser can refuse.
Settings open_to_all() {
  Settings settings;
  settings.routes = "  - {name: all, match: {path: /**}, access: public, upstream: backend}\n";
  settings.listener = "timeouts: {headers: 1s, body_idle: 1s, idle: 1s}, ";
  return settings;
}

// Sends the bytes, half-closes and reads whatever comes until the end.
std::string send_and_read(const Sidecar& sidecar, const std::string& bytes) {
  Stream stream = sidecar.dial_plain();
  stream.send(bytes);
  stream.shutdown_send();
  return MessageReader(stream).rest();
}

class Http1VectorsTest : public testing::Test {
 protected:
  void SetUp() override {
    vectors_ = load();
    if (vectors_.empty()) GTEST_SKIP() << "no vectors at " << support::vectors_folder();
    sidecar_ = std::make_unique<Sidecar>(open_to_all());
  }

  std::vector<Vector> vectors_;
  std::unique_ptr<Sidecar> sidecar_;
};

TEST_F(Http1VectorsTest, WhatBothRefuseReachesNoBackend) {
  for (const Vector& vector : vectors_) {
    if (!vector.both_refuse) continue;
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
  EXPECT_EQ(sidecar_->holdfast->probe("/livez"), 200);
}

TEST_F(Http1VectorsTest, NothingIsForwardedInTwoReadings) {
  for (const Vector& vector : vectors_) {
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
