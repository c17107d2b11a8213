// Limits and timeouts of a listener, each with its answer. Contract: `limits`, `timeouts`, and the rows 400
// to 505.
#include <thread>

#include "sidecar.h"

namespace holdfast::integration {
namespace {

Request public_request(std::string_view method = "GET") {
  Request request;
  request.method = method;
  request.target = "/public/x";
  return request;
}

class LimitsTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    Settings settings;
    settings.listener =
        "limits: {max_header_bytes: 8KiB, max_headers: 30, max_connections: 40, max_body: 64KiB}, "
        "timeouts: {handshake: 1s, headers: 1s, body_idle: 1s, idle: 1s}, ";
    sidecar_ = std::make_unique<Sidecar>(settings);
  }
  static void TearDownTestSuite() { sidecar_.reset(); }
  void SetUp() override {
    sidecar_->backend.on_request([](Exchange& exchange) { exchange.respond(200, "", "ok"); });
    sidecar_->backend.forget();
  }
  static std::unique_ptr<Sidecar> sidecar_;
};

std::unique_ptr<Sidecar> LimitsTest::sidecar_;

TEST_F(LimitsTest, HeadersTooLarge) {
  const Response bytes = sidecar_->send(public_request().add("X-Big", std::string(9000, 'x')));
  expect_refusal(bytes, 431, "headers_too_large");
  Request many = public_request();
  for (int i = 0; i < 40; ++i) many.add("X-" + std::to_string(i), "1");
  expect_refusal(sidecar_->send(many), 431, "headers_too_large");
  EXPECT_EQ(sidecar_->backend.seen_count(), 0U);
}

TEST_F(LimitsTest, TargetTooLong) {
  Request request = public_request();
  request.target += std::string(9000, 'x');
  const Response answer = sidecar_->send(request);
  EXPECT_TRUE(answer.status == 414 || answer.status == 431) << answer.head;
  EXPECT_EQ(sidecar_->backend.seen_count(), 0U);
}

TEST_F(LimitsTest, JustBelowTheLimitsPasses) {
  Request many = public_request();
  for (int i = 0; i < 20; ++i) many.add("X-" + std::to_string(i), std::string(300, 'y'));
  EXPECT_EQ(sidecar_->send(many).status, 200);
  Request body = public_request("POST");
  body.body = std::string(64 * 1024, 'b');
  EXPECT_EQ(sidecar_->send(body).status, 200);
}

TEST_F(LimitsTest, BodyTooLargeByItsLength) {
  Stream stream = sidecar_->dial();
  stream.send(public_request("POST").add("Content-Length", "65537").raw());
  const Response answer = MessageReader(stream).response();
  expect_refusal(answer, 413, "request_too_large");
  EXPECT_EQ(sidecar_->backend.seen_count(), 0U);
}

TEST_F(LimitsTest, BodyTooLargeInChunks) {
  std::atomic<bool> whole{false};
  const Script script(sidecar_->backend, [&](Exchange& exchange) {
    exchange.read_body();
    whole = true;
    exchange.respond(200, "", "ok");
  });
  Stream stream = sidecar_->dial();
  stream.send(public_request("POST").add("Transfer-Encoding", "chunked").raw());
  for (int i = 0; i < 70; ++i) stream.send("400\r\n" + std::string(1024, 'b') + "\r\n");
  stream.send("0\r\n\r\n");
  EXPECT_EQ(MessageReader(stream).response().status, 413);
  EXPECT_FALSE(whole);
}

TEST_F(LimitsTest, HugeLengthIsRefusedAtOnce) {
  Stream stream = sidecar_->dial();
  stream.send(public_request("POST").add("Content-Length", "9223372036854775807").raw());
  EXPECT_EQ(MessageReader(stream).response().status, 413);
}

TEST_F(LimitsTest, SlowHeadTimesOut) {
  Stream stream = sidecar_->dial();
  stream.send("GET /public/x HTTP/1.1\r\nHost: api.exa");
  MessageReader reader(stream);
  const Response answer = reader.response();
  expect_refusal(answer, 408, "request_timeout");
  EXPECT_TRUE(reader.closed());
}

TEST_F(LimitsTest, DrippingHeadTimesOutAllTheSame) {
  // A byte now and then must not renew the deadline of the head.
  Stream stream = sidecar_->dial();
  const auto began = std::chrono::steady_clock::now();
  bool open = stream.send("GET /public/x HTTP/1.1\r\nX-Slow: ");
  for (int i = 0; i < 60 && open; ++i) {
    std::this_thread::sleep_for(Milliseconds{100});
    std::string received;
    open = stream.send("x") && stream.read_some(received, Milliseconds{0}) == support::ReadResult::kTimeout;
  }
  EXPECT_FALSE(open);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(4));
}

TEST_F(LimitsTest, StalledBodyTimesOut) {
  Stream stream = sidecar_->dial();
  stream.send(public_request("POST").add("Content-Length", "100").raw() + "part");
  MessageReader reader(stream);
  const auto began = std::chrono::steady_clock::now();
  const Response answer = reader.response();
  EXPECT_EQ(answer.status, 408) << answer.head;
  EXPECT_TRUE(reader.closed());
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(8));
}

TEST_F(LimitsTest, IdleConnectionIsClosed) {
  Stream stream = sidecar_->dial();
  stream.send(public_request().raw());
  MessageReader reader(stream);
  EXPECT_EQ(reader.response().status, 200);
  EXPECT_TRUE(reader.closed(Milliseconds{8000})) << "and without a word: nothing was asked";
}

TEST_F(LimitsTest, SilentHandshakeIsClosed) {
  Stream stream = Stream::plain(sidecar_->tls_port);
  std::string received;
  const auto result = stream.read_some(received, Milliseconds{8000});
  EXPECT_TRUE(result == support::ReadResult::kEnd || result == support::ReadResult::kReset);
  EXPECT_TRUE(received.empty());
}

TEST_F(LimitsTest, PlainHttpOnTheTlsListenerHarmsNothing) {
  Stream stream = Stream::plain(sidecar_->tls_port);
  stream.send("GET /public/x HTTP/1.1\r\nHost: api.example.com\r\n\r\n");
  MessageReader reader(stream);
  const std::string said = reader.rest();
  EXPECT_FALSE(said.starts_with("HTTP/1.1 2"));
  EXPECT_EQ(sidecar_->backend.seen_count(), 0U);
  EXPECT_EQ(sidecar_->send(public_request()).status, 200);
}

TEST_F(LimitsTest, ConnectionsAreBounded) {
  std::this_thread::sleep_for(Milliseconds{1500});  // those of the other tests are gone
  std::vector<Stream> held;
  int refused = 0;
  for (int i = 0; i < 60; ++i) {
    try {
      held.push_back(sidecar_->dial_plain());
      held.back().send(public_request().raw());
      MessageReader reader(held.back());
      const Response answer = reader.response(false, Milliseconds{500});
      refused += answer.status == 503 ? 1 : 0;
    } catch (const std::exception&) {
      ++refused;
    }
    if (refused > 0) break;
  }
  EXPECT_GT(refused, 0) << "60 connections were served at once where 40 are allowed";
  held.clear();
  std::this_thread::sleep_for(Milliseconds{300});
  EXPECT_EQ(sidecar_->send(public_request()).status, 200) << "room is made when they leave";
}

// The last one: the head may have gone to the backend before the trailers came, which a test behind it would
// count.
TEST_F(LimitsTest, TrailersTooLarge) {
  const std::string head = "POST /public/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  expect_refusal(sidecar_->send_raw(head + "0\r\nX-Big: " + std::string(9000, 'x') + "\r\n\r\n"), 431,
                 "headers_too_large");
}

}  // namespace
}  // namespace holdfast::integration
