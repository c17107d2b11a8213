// Bodies flow through and are never held whole: large ones in both directions with bounded memory,
// back-pressure towards a fast sender, and chunks that arrive when they are sent. HOLDFAST_TEST_STREAM_MIB
// sets the size (4096 for 4 GiB).
#include <algorithm>
#include <thread>

#include "sidecar.h"
#include "support/http2_client.h"

namespace holdfast::integration {
namespace {

constexpr std::uint64_t kMiB = 1024 * 1024;

// Watches the resident memory of the process while it lives.
class Watch {
 public:
  explicit Watch(const support::HoldfastProcess& process)
      : thread_([this, &process] {
          while (!done_) {
            peak_ = std::max(peak_, process.resident_kib());
            std::this_thread::sleep_for(Milliseconds{20});
          }
        }) {}
  std::size_t peak_kib() {
    done_ = true;
    if (thread_.joinable()) thread_.join();
    return peak_;
  }
  ~Watch() { peak_kib(); }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

 private:
  std::atomic<bool> done_{false};
  std::size_t peak_ = 0;
  std::thread thread_;
};

class StreamingTest : public SharedSidecar {
 protected:
  static std::uint64_t size() { return tunable("STREAM_MIB", 256) * kMiB; }
};

TEST_F(StreamingTest, LargeUpload) {
  std::atomic<std::uint64_t> arrived{0};
  const Script script(sidecar->backend, [&](Exchange& exchange) {
    arrived = exchange.drain_body();
    exchange.respond(200, "", "ok");
  });
  Watch watch(*sidecar->holdfast);
  Stream stream = sidecar->dial();
  Request request = sidecar->with_proof("POST", "/orders/1");
  stream.send(request.add("Content-Length", std::to_string(size())).raw());
  const std::string block(kMiB, 'u');
  for (std::uint64_t sent = 0; sent < size(); sent += kMiB) ASSERT_TRUE(stream.send(block));
  EXPECT_EQ(MessageReader(stream).response(false, Milliseconds{60000}).status, 200);
  EXPECT_EQ(arrived, size());
  if (memory_counts()) {
    EXPECT_LT(watch.peak_kib(), 64U * 1024);
  }
}

TEST_F(StreamingTest, LargeDownload) {
  const Script script(sidecar->backend, [&](Exchange& exchange) {
    exchange.read_body();
    exchange.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(size()) + "\r\n\r\n");
    const std::string block(kMiB, 'd');
    for (std::uint64_t sent = 0; sent < size() && exchange.send(block); sent += kMiB) {
    }
  });
  Watch watch(*sidecar->holdfast);
  Stream stream = sidecar->dial();
  stream.send(sidecar->with_proof("GET", "/orders/1").raw());
  MessageReader reader(stream);
  ASSERT_TRUE(reader.head().has_value());
  std::uint64_t got = 0;
  while (got < size()) got += reader.some().size();
  EXPECT_EQ(got, size());
  if (memory_counts()) {
    EXPECT_LT(watch.peak_kib(), 64U * 1024);
  }
}

TEST_F(StreamingTest, ChunkedBothWaysAtOnce) {
  constexpr int kRounds = 200;
  sidecar->backend.on_request([](Exchange& exchange) {
    exchange.read_body();
    exchange.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    const std::string& body = exchange.request.body;
    for (std::size_t at = 0; at < body.size(); at += 1000)
      exchange.send("3e8\r\n" + body.substr(at, 1000) + "\r\n");
    exchange.send("0\r\n\r\n");
  });
  Request request;
  request.method = "POST";
  request.target = "/public/x";
  Stream stream = sidecar->dial();
  stream.send(request.add("Transfer-Encoding", "chunked").raw());
  std::string expected;
  for (int i = 0; i < kRounds; ++i) {
    const std::string piece(1000, static_cast<char>('a' + i % 26));
    expected += piece;
    stream.send("3E8;note=x\r\n" + piece + "\r\n");
  }
  stream.send("0\r\n\r\n");
  EXPECT_EQ(MessageReader(stream).response().body, expected);
}

TEST_F(StreamingTest, ASlowReaderHoldsTheBackendBack) {
  std::atomic<std::uint64_t> sent{0};
  const Script script(sidecar->backend, [&](Exchange& exchange) {
    exchange.read_body();
    exchange.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(512 * kMiB) + "\r\n\r\n");
    const std::string block(kMiB, 'd');
    while (sent < 512 * kMiB && exchange.send(block)) sent += kMiB;
    exchange.close();
  });
  Request request;
  request.target = "/public/x";
  Stream stream = sidecar->dial();
  stream.send(request.raw());
  MessageReader reader(stream);
  ASSERT_TRUE(reader.head().has_value());
  std::this_thread::sleep_for(Milliseconds{1500});  // reads nothing
  EXPECT_LT(sent, 64 * kMiB) << "what the client does not read must not pile up in between";
  if (memory_counts()) {
    EXPECT_LT(sidecar->holdfast->resident_kib(), 64U * 1024);
  }
}

TEST_F(StreamingTest, EachChunkArrivesWhenItIsSent) {
  std::atomic<bool> first_read{false};
  const Script script(sidecar->backend, [&](Exchange& exchange) {
    exchange.read_body();
    exchange.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
    exchange.send("9\r\ndata: 1\n\n\r\n");
    for (int i = 0; i < 1000 && !first_read; ++i) std::this_thread::sleep_for(Milliseconds{10});
    exchange.send(first_read ? "9\r\ndata: 2\n\n\r\n0\r\n\r\n" : "0\r\n\r\n");
  });
  Request request;
  request.target = "/public/events";
  Stream stream = sidecar->dial();
  stream.send(request.raw());
  MessageReader reader(stream);
  ASSERT_TRUE(reader.head().has_value());
  EXPECT_EQ(reader.line(), "9");
  EXPECT_EQ(reader.bytes(11), "data: 1\n\n\r\n");
  first_read = true;
  EXPECT_EQ(reader.line(), "9");
  EXPECT_EQ(reader.bytes(11), "data: 2\n\n\r\n");
}

TEST_F(StreamingTest, EachEventArrivesWhenItIsSentOverHttp2) {
  std::atomic<int> read{0};
  const Script script(sidecar->backend, [&](Exchange& exchange) {
    exchange.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int sent = 0; sent < 3; ++sent) {
      for (int i = 0; i < 1000 && read < sent; ++i) std::this_thread::sleep_for(Milliseconds{10});
      if (read < sent) return exchange.close();
      exchange.send("9\r\ndata: " + std::to_string(sent) + "\n\n\r\n");
    }
    exchange.send("0\r\n\r\n");
  });
  support::Http2Client client(
      Stream::tls(sidecar->tls_port, {.server_name = std::string(kHost), .alpn = support::kAlpnHttp2}));
  const auto stream = client.peer.request({{":method", "GET"},
                                           {":scheme", "https"},
                                           {":authority", std::string(kHost)},
                                           {":path", "/public/events"}});
  auto& answer = client.peer.answer(stream);
  std::string expected;
  for (int event = 0; event < 3; ++event) {
    expected += "data: " + std::to_string(event) + "\n\n";
    ASSERT_TRUE(client.run_until([&] { return answer.body_bytes == expected.size(); }));
    ++read;
  }
  EXPECT_TRUE(client.wait_for(stream).ended);
  EXPECT_EQ(answer.body, expected);
}

TEST_F(StreamingTest, AnswerBeforeTheBodyIsOver) {
  sidecar->backend.on_request([](Exchange& exchange) {
    exchange.send("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno");
    exchange.close();
  });
  Request request;
  request.method = "POST";
  request.target = "/public/x";
  Stream stream = sidecar->dial();
  stream.send(request.add("Content-Length", "1000000").raw() + "begin");
  EXPECT_EQ(MessageReader(stream).response().status, 413);
}

TEST_F(StreamingTest, ACutUploadReachesNobodyAsWhole) {
  std::atomic<int> state{0};
  const Script script(sidecar->backend, [&](Exchange& exchange) {
    try {
      exchange.read_body();
      state = 1;
    } catch (const std::runtime_error&) {
      state = 2;
      throw;
    }
  });
  Request request;
  request.method = "POST";
  request.target = "/public/x";
  for (const std::string& framing : {std::string("Content-Length"), std::string("Transfer-Encoding")}) {
    state = 0;
    Stream stream = sidecar->dial();
    Request cut = request;
    cut.add(framing, framing == "Content-Length" ? "10" : "chunked");
    stream.send(cut.raw() + (framing == "Content-Length" ? "half" : "4\r\nhalf\r\n"));
    ASSERT_TRUE(sidecar->backend.wait_for(1));
    stream.reset();
    for (int i = 0; i < 1000 && state == 0; ++i) std::this_thread::sleep_for(Milliseconds{10});
    EXPECT_EQ(state, 2) << framing;
    sidecar->backend.forget();
  }
}

TEST_F(StreamingTest, ACutAnswerIsNotPassedAsWhole) {
  for (const char* raw : {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
                          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"}) {
    const Script script(sidecar->backend, [&](Exchange& exchange) {
      exchange.read_body();
      exchange.send(raw);
      exchange.close();
    });
    Request request;
    request.target = "/public/x";
    Stream stream = sidecar->dial();
    stream.send(request.raw());
    MessageReader reader(stream);
    EXPECT_THROW(reader.response(), std::runtime_error) << raw;
  }
}

}  // namespace
}  // namespace holdfast::integration
