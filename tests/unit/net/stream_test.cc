#include "net/stream.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "loopback.h"
#include "net/tls_client.h"
#include "net/tls_server.h"

namespace holdfast::net {
namespace {

using testing::connected_pair;
using testing::TestCertificate;
using testing::turn_until;

// One end that shakes hands, sends what it was given and keeps what comes.
class Peer : public StreamOwner {
 public:
  Peer(Worker& worker, Socket socket, SslPtr ssl)
      : stream(worker, std::move(socket), std::move(ssl), *this) {}

  void begin() { on_readable(); }

  void send(std::string bytes, bool end = false) {
    to_send += bytes;
    end_after = end;
    if (ready) on_writable();
  }

  void on_readable() override {
    if (!ready) {
      const auto result = stream.handshake();
      if (result.state == Stream::State::kWouldBlock) return stream.wait_readable();
      if (result.state != Stream::State::kOk) {
        ended = result.state;
        return;
      }
      ready = true;
      on_writable();
    }
    if (paused) return;
    std::string buffer(read_size, '\0');
    for (int i = 0; i < reads_a_call; ++i) {
      const auto result = stream.read(buffer);
      if (result.state == Stream::State::kWouldBlock) break;
      if (result.state != Stream::State::kOk) {
        ended = result.state;
        return;
      }
      received.append(buffer, 0, result.bytes);
    }
    stream.wait_readable();
  }

  void on_writable() override {
    while (at < to_send.size()) {
      const auto result = stream.write(std::span(to_send).subspan(at));
      if (result.state == Stream::State::kFailed) {
        write_failed = true;
        return;
      }
      if (result.state == Stream::State::kWouldBlock) {
        ++blocked;
        return stream.wait_writable();
      }
      at += result.bytes;
    }
    if (end_after) stream.shutdown_write();
  }

  Stream stream;
  bool ready = false;
  bool paused = false;
  bool end_after = false;
  bool write_failed = false;
  int blocked = 0;
  int reads_a_call = 1 << 20;
  std::size_t read_size = 10'000;
  std::string to_send;
  std::size_t at = 0;
  std::string received;
  std::optional<Stream::State> ended;
};

std::string pattern(std::size_t size) {
  std::string bytes(size, '\0');
  std::uint32_t x = 1;
  for (char& byte : bytes) byte = static_cast<char>((x = x * 1664525 + 1013904223) >> 24);
  return bytes;
}

class StreamTest : public ::testing::TestWithParam<bool> {
 protected:
  void connect(int buffer = 0) {
    auto [server_socket, client_socket] = connected_pair(worker, buffer);
    SslPtr server_ssl;
    SslPtr client_ssl;
    if (GetParam()) {
      server_context_ =
          *TlsServerContext::create({.certificates = {{certificate_.certificate(), certificate_.key()}}});
      client_context_ = *TlsClientContext::create({.ca = certificate_.certificate()});
      server_ssl = server_context_->new_ssl();
      client_ssl = client_context_->new_ssl("localhost");
    }
    server = make_counted<Peer>(worker, std::move(server_socket), std::move(server_ssl));
    client = make_counted<Peer>(worker, std::move(client_socket), std::move(client_ssl));
    server->begin();
    client->begin();
    ASSERT_TRUE(turn_until(worker, [&] { return server->ready && client->ready; }));
  }
  void TearDown() override {
    for (const auto& peer : {server, client}) {
      if (peer) peer->stream.close();
    }
  }

  TestCertificate certificate_{"DNS:localhost"};
  std::shared_ptr<const TlsServerContext> server_context_;
  std::shared_ptr<const TlsClientContext> client_context_;
  Worker worker{0};
  Ref<Peer> server;
  Ref<Peer> client;
};

INSTANTIATE_TEST_SUITE_P(PlainAndTls, StreamTest, ::testing::Bool(),
                         [](const auto& kind) { return kind.param ? "Tls" : "Plain"; });

TEST_P(StreamTest, SmallMessagesBothWays) {
  connect();
  client->send("question");
  ASSERT_TRUE(turn_until(worker, [&] { return server->received == "question"; }));
  server->send("answer");
  ASSERT_TRUE(turn_until(worker, [&] { return client->received == "answer"; }));
}

TEST_P(StreamTest, TwoPartsArriveInOrderWhateverTheirSizes) {
  connect();
  for (const std::size_t head : {0u, 1u, 300u, 16'000u, 16'384u, 16'385u, 40'000u}) {
    for (const std::size_t body : {0u, 1u, 500u, 16'384u, 30'000u, 70'000u}) {
      const std::string first = pattern(head);
      const std::string second = pattern(body + 1);
      const auto result = client->stream.write(first, second);
      ASSERT_EQ(result.state, Stream::State::kOk);
      std::string expected = first + second;
      expected.resize(result.bytes);
      if (head + body < 30'000) {
        EXPECT_EQ(result.bytes, head + body + 1);
      }
      ASSERT_TRUE(turn_until(worker, [&] { return server->received.size() >= expected.size(); }));
      EXPECT_EQ(server->received, expected) << head << " + " << body;
      server->received.clear();
    }
  }
}

TEST_P(StreamTest, ALargeTransferThroughSmallBuffersBothWays) {
  connect(8192);
  const std::string bytes = pattern(3'000'000);
  client->send(bytes);
  server->send(bytes);
  ASSERT_TRUE(turn_until(
      worker,
      [&] { return server->received.size() == bytes.size() && client->received.size() == bytes.size(); },
      std::chrono::seconds(60)));
  EXPECT_TRUE(server->received == bytes);
  EXPECT_TRUE(client->received == bytes);
  EXPECT_GT(client->blocked, 0);
}

TEST_P(StreamTest, APeerThatDoesNotReadStopsTheWriter) {
  connect(8192);
  server->paused = true;
  client->send(pattern(20'000'000));
  for (int i = 0; i < 50; ++i) testing::turn_once(worker, std::chrono::milliseconds(1));
  EXPECT_GT(client->blocked, 0);
  EXPECT_LT(client->at, 10'000'000u);
}

TEST_P(StreamTest, ReadingOneByteAtATimeLosesNothingAndNeverStalls) {
  connect();
  server->read_size = 1;
  server->reads_a_call = 1;  // waits with plaintext left inside OpenSSL
  client->send("0123456789");
  ASSERT_TRUE(turn_until(worker, [&] { return server->received == "0123456789"; }));
}

TEST_P(StreamTest, AWaitThatComesLateFindsWhatCameBefore) {
  connect();
  server->paused = true;
  client->send("early");
  for (int i = 0; i < 10; ++i) testing::turn_once(worker, std::chrono::milliseconds(5));
  server->paused = false;
  server->stream.wait_readable();
  ASSERT_TRUE(turn_until(worker, [&] { return server->received == "early"; }));
}

TEST_P(StreamTest, BytesReadBetweenTheWaitAndItsCallLoseNoLaterCall) {
  connect();
  server->stream.cancel_wait_readable();
  server->paused = true;
  client->send("first");
  for (int i = 0; i < 10; ++i) testing::turn_once(worker, std::chrono::milliseconds(5));
  server->paused = false;
  server->stream.wait_readable();
  server->on_readable();  // takes everything before the loop's next turn and waits again
  EXPECT_EQ(server->received, "first");
  for (int i = 0; i < 10; ++i) testing::turn_once(worker, std::chrono::milliseconds(5));
  client->send(" second");
  ASSERT_TRUE(turn_until(worker, [&] { return server->received == "first second"; }));
}

TEST_P(StreamTest, AnIdleStreamDoesNotSpin) {
  connect();
  client->send("half a rec");
  ASSERT_TRUE(turn_until(worker, [&] { return !server->received.empty(); }));
  for (int i = 0; i < 20; ++i) testing::turn_once(worker, std::chrono::milliseconds(1));
  const auto began = std::chrono::steady_clock::now();
  testing::turn_once(worker, std::chrono::milliseconds(100));
  EXPECT_GE(std::chrono::steady_clock::now() - began, std::chrono::milliseconds(90));
}

TEST_P(StreamTest, AShutDownSideMayStillReceive) {
  connect(8192);
  const std::string bytes = pattern(500'000);
  client->send(bytes, true);
  ASSERT_TRUE(turn_until(worker, [&] { return server->ended.has_value(); }, std::chrono::seconds(30)));
  EXPECT_EQ(*server->ended, Stream::State::kEnd);
  EXPECT_TRUE(server->received == bytes);
  server->send("still here", true);
  ASSERT_TRUE(turn_until(worker, [&] { return client->ended.has_value(); }));
  EXPECT_EQ(*client->ended, Stream::State::kEnd);
  EXPECT_EQ(client->received, "still here");
}

TEST_P(StreamTest, AResetIsAFailureOnceTheBytesBeforeItAreRead) {
  connect();
  client->stream.close(true);
  ASSERT_TRUE(turn_until(worker, [&] { return server->ended.has_value(); }));
  EXPECT_EQ(*server->ended, Stream::State::kFailed);
}

TEST_P(StreamTest, AnEndWithoutCloseNotifyIsCleanOnPlainOnly) {
  connect();
  client->stream.close();
  ASSERT_TRUE(turn_until(worker, [&] { return server->ended.has_value(); }));
  EXPECT_EQ(*server->ended, GetParam() ? Stream::State::kFailed : Stream::State::kEnd);
}

TEST_P(StreamTest, WritableComesWhenEverythingIsFlushed) {
  connect(8192);
  server->paused = true;
  client->send(pattern(400'000));
  for (int i = 0; i < 20; ++i) testing::turn_once(worker, std::chrono::milliseconds(1));
  ASSERT_GT(client->blocked, 0);
  server->paused = false;
  server->stream.wait_readable();
  ASSERT_TRUE(turn_until(worker, [&] { return server->received.size() == 400'000; }));
  EXPECT_TRUE(client->stream.flushed());
}

TEST_P(StreamTest, NoCallbackAfterCloseAndTheOwnerGoes) {
  connect();
  client->send("x");
  server->stream.close();
  server->paused = false;
  for (int i = 0; i < 10; ++i) testing::turn_once(worker, std::chrono::milliseconds(1));
  EXPECT_TRUE(server->received.empty());
  EXPECT_FALSE(server->ended.has_value());
  EXPECT_EQ(server->stream.read(server->to_send).state, Stream::State::kFailed);
}

TEST(TlsStream, GarbageInsteadOfAHandshakeFails) {
  const TestCertificate certificate("DNS:localhost");
  const auto context =
      *TlsServerContext::create({.certificates = {{certificate.certificate(), certificate.key()}}});
  Worker worker(0);
  auto [server_socket, client_socket] = connected_pair(worker);
  const Ref<Peer> server = make_counted<Peer>(worker, std::move(server_socket), context->new_ssl());
  server->begin();
  ASSERT_EQ(::send(client_socket.native_handle(), "GET / HTTP/1.1\r\n\r\n", 18, 0), 18);
  ASSERT_TRUE(turn_until(worker, [&] { return server->ended.has_value(); }));
  EXPECT_EQ(*server->ended, Stream::State::kFailed);
  server->stream.close();
}

TEST(TlsStream, AHeadAndItsBodyLeaveAsOneRecord) {
  const TestCertificate certificate("DNS:localhost");
  const auto context =
      *TlsServerContext::create({.certificates = {{certificate.certificate(), certificate.key()}}});
  const auto client_context = *TlsClientContext::create({.ca = certificate.certificate()});
  Worker worker(0);
  auto [server_socket, client_socket] = connected_pair(worker);
  const Ref<Peer> server = make_counted<Peer>(worker, std::move(server_socket), context->new_ssl());
  const Ref<Peer> client =
      make_counted<Peer>(worker, std::move(client_socket), client_context->new_ssl("localhost"));
  server->begin();
  client->begin();
  ASSERT_TRUE(turn_until(worker, [&] { return server->ready && client->ready; }));
  client->paused = true;
  client->stream.cancel_wait_readable();
  for (int i = 0; i < 10; ++i) testing::turn_once(worker, std::chrono::milliseconds(1));
  char discarded[16384];
  while (::recv(client->stream.fd(), discarded, sizeof(discarded), 0) > 0) {
  }
  const std::string head(200, 'h');
  const std::string body(700, 'b');
  ASSERT_EQ(server->stream.write(head, body).bytes, 900u);
  const ssize_t got = ::recv(client->stream.fd(), discarded, sizeof(discarded), 0);
  // RFC 8446 5.2: 5 bytes of header, the text, its type, the tag.
  EXPECT_EQ(got, 5 + 900 + 1 + 16);
  server->stream.close();
  client->stream.close();
}

}  // namespace
}  // namespace holdfast::net
