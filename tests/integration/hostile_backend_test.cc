// Backends that are not to be trusted: answers that break the rules, answers without an end, floods of
// frames. The client gets 502, or sees the answer cut where its head was passed on already; the connection to
// the backend ends after a bounded number of bytes, and the next request gets its own answer and nothing
// else.
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <list>
#include <mutex>
#include <thread>

#include "hostile.h"

namespace holdfast::integration {
namespace {

using namespace by_hand;

// Far beyond every limit, the sockets' buffers included: 4 MiB to send and 32 to receive, on Linux.
constexpr std::size_t kMostBytes = 64 * 1024 * 1024;

enum class Seen { kBadGateway, kCut, kEither };

void expect_seen(const Sidecar& sidecar, Seen expected) {
  const Request request = {.target = "/public/x"};
  Stream stream = sidecar.dial();
  stream.send(request.raw());
  MessageReader reader(stream);
  try {
    const Response answer = reader.response();
    EXPECT_NE(expected, Seen::kCut) << answer.head;
    expect_refusal(answer, 502, "upstream_unavailable");
  } catch (const std::runtime_error& cut) {
    EXPECT_NE(expected, Seen::kBadGateway) << cut.what();
  }
}

void expect_own_answers(const Sidecar& sidecar) {
  for (int i = 0; i < 3; ++i) {
    const Response answer = sidecar.send({.target = "/public/y"});
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "ok");
  }
}

// ---- HTTP/1

struct Endless {
  const char* name;
  std::string begin;
  std::string more;
  Seen seen;

  friend void PrintTo(const Endless& row, std::ostream* out) { *out << row.name; }
};

class HostileBackendTest : public SharedSidecar {};
class EndlessAnswerTest : public SharedSidecar, public testing::WithParamInterface<Endless> {};

TEST_P(EndlessAnswerTest, IsGivenUpAndNobodyElseNotices) {
  const Endless& row = GetParam();
  expect_own_answers(*sidecar);
  expect_little_growth(*sidecar);
  std::atomic<std::size_t> most{0};
  {
    const Script script(sidecar->backend, [&](Exchange& exchange) {
      std::size_t sent = row.begin.size();
      for (bool taken = exchange.send(row.begin); taken && sent < kMostBytes; sent += row.more.size()) {
        taken = exchange.send(row.more);
      }
      most = std::max(most.load(), sent);
      exchange.close();
    });
    expect_seen(*sidecar, row.seen);
  }
  EXPECT_LT(most, kMostBytes);
  expect_own_answers(*sidecar);
  expect_little_growth(*sidecar);
}

std::string kib_of(std::string_view text) {
  std::string out;
  while (out.size() < 1024) out += text;
  return out;
}

constexpr const char* kOkHead = "HTTP/1.1 200 OK\r\n";
constexpr const char* kChunkedHead = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

const Endless kEndless[] = {
    {"StatusLine", "HTTP/1.1 200 ", kib_of("o"), Seen::kBadGateway},
    {"Fields", kOkHead, kib_of("X-A: 1\r\n"), Seen::kBadGateway},
    {"EmptyFields", kOkHead, kib_of("a:\r\n"), Seen::kBadGateway},
    {"FieldName", kOkHead, kib_of("x"), Seen::kBadGateway},
    {"FieldValue", std::string(kOkHead) + "X: ", kib_of("x"), Seen::kBadGateway},
    {"LeadingEmptyLines", "\r\n", kib_of("\r\n"), Seen::kBadGateway},
    {"Garbage", "\x16\x03\x01", kib_of("\x80"), Seen::kBadGateway},
    {"InterimAnswers", "", kib_of("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"), Seen::kBadGateway},
    {"Continues", "", kib_of("HTTP/1.1 100 Continue\r\n\r\n"), Seen::kBadGateway},
    {"ChunkExtension", std::string(kChunkedHead) + "2;x=", kib_of("y"), Seen::kCut},
    {"ChunkExtensions", std::string(kChunkedHead) + "2", kib_of(";x=y"), Seen::kCut},
    {"ChunkSize", std::string(kChunkedHead), kib_of("0"), Seen::kCut},
    {"Trailers", std::string(kChunkedHead) + "2\r\nok\r\n0\r\n", kib_of("X-A: 1\r\n"), Seen::kCut},
    {"TrailerValue", std::string(kChunkedHead) + "2\r\nok\r\n0\r\nX: ", kib_of("x"), Seen::kCut},
};

INSTANTIATE_TEST_SUITE_P(Endless, EndlessAnswerTest, testing::ValuesIn(kEndless),
                         [](const auto& row) { return std::string(row.param.name); });

TEST_F(HostileBackendTest, MalformedHeadsAreBadGateway) {
  for (const std::string_view raw : {
           std::string_view("HTTP/1.1 200 OK\nContent-Length: 2\n\nok"),
           std::string_view("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2, 3\r\n\r\nok"),
           std::string_view("HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok"),
           std::string_view("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nok"),
           std::string_view("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nok"),
           std::string_view("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nok"),
           std::string_view("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
           std::string_view("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
           std::string_view("HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok"),
           std::string_view("HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 2\r\n\r\nok", 46),
           std::string_view("HTTP/1.1 200 OK\r\nX: a\rb\r\nContent-Length: 2\r\n\r\nok"),
           std::string_view("HTTP/1.1 200 OK\r\n: x\r\nContent-Length: 2\r\n\r\nok"),
           std::string_view("HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\nok"),
           std::string_view("HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\nok"),
           std::string_view("HTTP/3.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
           std::string_view("ICY 200 OK\r\nContent-Length: 2\r\n\r\nok"),
       }) {
    SCOPED_TRACE(raw);
    const Script script(sidecar->backend, [&](Exchange& exchange) {
      exchange.send(raw);
      exchange.close();
    });
    expect_seen(*sidecar, Seen::kBadGateway);
  }
  expect_own_answers(*sidecar);
}

TEST_F(HostileBackendTest, BodiesThatBreakOffAreCut) {
  for (const char* raw : {
           "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\nok\r\n0\r\n\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nokay\r\n0\r\n\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\nok\r\n0\r\n\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-2\r\nok\r\n0\r\n\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nok",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX : 1\r\n\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
       }) {
    SCOPED_TRACE(raw);
    const Script script(sidecar->backend, [&](Exchange& exchange) {
      exchange.send(raw);
      exchange.close();
    });
    expect_seen(*sidecar, Seen::kCut);
  }
  expect_own_answers(*sidecar);
}

// What comes beyond an answer belongs to no request: not even to the next one on that connection.
TEST_F(HostileBackendTest, StrayAnswersReachNobody) {
  const std::string evil = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
  for (const char* good : {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
                           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
                           "HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 304 Not Modified\r\n\r\n"}) {
    SCOPED_TRACE(good);
    {
      const Script script(sidecar->backend, [&](Exchange& exchange) { exchange.send(good + evil); });
      EXPECT_LT(sidecar->send({.target = "/public/x"}).status, 400);
    }
    expect_own_answers(*sidecar);
    // Later, on the kept connection.
    {
      const Script script(sidecar->backend, [&](Exchange& exchange) {
        exchange.send(good);
        exchange.send(evil);
      });
      EXPECT_LT(sidecar->send({.target = "/public/x"}).status, 400);
    }
    expect_own_answers(*sidecar);
  }
}

// A body that an answer to HEAD must not have.
TEST_F(HostileBackendTest, ABodyForHeadReachesNobody) {
  {
    const Script script(sidecar->backend, [&](Exchange& exchange) {
      exchange.send(
          "HTTP/1.1 200 OK\r\nContent-Length: 41\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
    });
    EXPECT_EQ(sidecar->send({.method = "HEAD", .target = "/public/x"}).status, 200);
  }
  expect_own_answers(*sidecar);
}

// ---- HTTP/2

// A backend of bytes made by hand: once a request's HEADERS have come it says what it is told.
class RawBackend {
 public:
  struct Act {
    std::string begin;                  // after SETTINGS
    std::function<std::string()> more;  // again and again; none: that was all
  };

  RawBackend() : listening_(support::listen_loopback(0)), acceptor_([this] { accept_loop(); }) {}
  ~RawBackend() {
    stopping_ = true;
    acceptor_.join();
    for (Stream& each : streams_) each.shutdown_both();
    for (std::thread& each : threads_) each.join();
  }
  RawBackend(const RawBackend&) = delete;
  RawBackend& operator=(const RawBackend&) = delete;

  [[nodiscard]] std::string url() const {
    return "\"h2c://127.0.0.1:" + std::to_string(support::local_port(listening_)) + '"';
  }
  void act(Act act) {
    const std::lock_guard lock(mutex_);
    act_ = std::move(act);
    most_ = 0;
  }
  // Bytes that one connection took.
  [[nodiscard]] std::size_t most() const { return most_; }

 private:
  void accept_loop() {
    while (!stopping_) {
      pollfd entry{listening_.fd(), POLLIN, 0};
      if (::poll(&entry, 1, 50) <= 0) continue;
      const int fd = ::accept(listening_.fd(), nullptr, nullptr);
      if (fd < 0) continue;
      streams_.push_back(Stream::accepted(support::Socket(fd)));
      threads_.emplace_back([this, &stream = streams_.back()] { serve(stream); });
    }
  }

  void serve(Stream& stream) {
    std::string received;
    const auto request = [&] {
      if (received.size() < kPreface.size()) return false;
      for (const Frame& each : frames(std::string_view(received).substr(kPreface.size()))) {
        if (each.type == kHeaders) return true;
      }
      return false;
    };
    stream.send(frame(kSettings, kNone, 0) + frame(kSettings, kAck, 0));
    while (!request()) {
      if (stream.read_some(received) != support::ReadResult::kBytes) return;
    }
    Act act;
    {
      const std::lock_guard lock(mutex_);
      act = act_;
    }
    std::size_t sent = act.begin.size();
    bool taken = stream.send(act.begin);
    while (taken && act.more && sent < kMostBytes && !stopping_) {
      const std::string more = act.more();
      taken = stream.send(more);
      sent += more.size();
    }
    most_ = std::max(most_.load(), sent);
    stream.shutdown_send();  // no other request gets an answer of this one's
    while (stream.read_some(received) == support::ReadResult::kBytes) received.clear();
    stream.shutdown_both();
  }

  support::Socket listening_;
  std::mutex mutex_;
  Act act_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::size_t> most_{0};
  std::list<Stream> streams_;
  std::list<std::thread> threads_;
  std::thread acceptor_;
};

constexpr std::string_view kStatus200 = "\x88";  // of the static table

std::string ok_head(bool end = false) {
  return frame(kHeaders, kEndHeaders | (end ? kEnd : kNone), 1, kStatus200);
}
RawBackend::Act ok_answer() {
  return {ok_head() + frame(kData, kEnd, 1, "ok"), nullptr};
}

struct Frames {
  const char* name;
  Seen seen;
  std::string begin;
  std::string (*more)() = nullptr;

  friend void PrintTo(const Frames& row, std::ostream* out) { *out << row.name; }
};

class HostileFramesTest : public testing::TestWithParam<Frames> {
 protected:
  static void SetUpTestSuite() {
    backend = std::make_unique<RawBackend>();
    sidecar = std::make_unique<Sidecar>(Settings{.servers = backend->url()});
  }
  static void TearDownTestSuite() {
    sidecar.reset();
    backend.reset();
  }
  static std::unique_ptr<RawBackend> backend;
  static std::unique_ptr<Sidecar> sidecar;
};

std::unique_ptr<RawBackend> HostileFramesTest::backend;
std::unique_ptr<Sidecar> HostileFramesTest::sidecar;

TEST_P(HostileFramesTest, AreGivenUpAndNobodyElseNotices) {
  const Frames& row = GetParam();
  backend->act({row.begin, row.more != nullptr ? std::function<std::string()>(row.more) : nullptr});
  expect_little_growth(*sidecar);
  expect_seen(*sidecar, row.seen);
  EXPECT_LT(backend->most(), kMostBytes);
  backend->act(ok_answer());
  expect_own_answers(*sidecar);
  expect_little_growth(*sidecar);
}

// A few hundred at a time: what is taken is counted in bytes.
std::string hundred(const std::string& one) {
  std::string out;
  for (int i = 0; i < 100; ++i) out += one;
  return out;
}

const Frames kFrames[] = {
    // floods
    {"Pings", Seen::kBadGateway, "", [] { return hundred(frame(kPing, kNone, 0, "12345678")); }},
    {"PingAcks", Seen::kBadGateway, "", [] { return hundred(frame(kPing, kAck, 0, "12345678")); }},
    {"Settings", Seen::kBadGateway, "", [] { return hundred(frame(kSettings, kNone, 0)); }},
    {"Priorities", Seen::kBadGateway, "",
     [] { return hundred(frame(kPriority, kNone, 1, std::string(5, '\0'))); }},
    {"Unknown", Seen::kBadGateway, "", [] { return hundred(frame(0x42, kNone, 0, "x")); }},
    {"WindowUpdates", Seen::kBadGateway, "", [] { return hundred(frame(kWindow, kNone, 0, number(1, 4))); }},
    {"EmptyData", Seen::kEither, ok_head(), [] { return hundred(frame(kData, kNone, 1)); }},
    {"PaddedEmptyData", Seen::kEither, ok_head(),
     [] { return hundred(frame(kData, kPadded, 1, std::string("\2\0\0", 3))); }},
    {"InterimAnswers", Seen::kBadGateway, "",
     [] { return hundred(frame(kHeaders, kEndHeaders, 1, std::string(1, '\x08') + text("103"))); }},
    {"Continuations", Seen::kBadGateway, frame(kHeaders, kNone, 1, kStatus200),
     [] { return hundred(frame(kMore, kNone, 1, hpack({{"x", std::string(1000, 'c')}}))); }},
    {"EmptyContinuations", Seen::kBadGateway, frame(kHeaders, kNone, 1, kStatus200),
     [] { return hundred(frame(kMore, kNone, 1)); }},
    {"TrailersWithoutEnd", Seen::kCut, ok_head() + frame(kHeaders, kEnd, 1, hpack({{"x", "y"}})),
     [] { return hundred(frame(kMore, kNone, 1, hpack({{"x", std::string(1000, 'c')}}))); }},
    {"Goaways", Seen::kBadGateway, "",
     [] { return hundred(frame(kGoaway, kNone, 0, number(0x7fffffff, 4) + number(0, 4))); }},
    // what breaks the connection's rules
    {"Push", Seen::kBadGateway, frame(kPush, kEndHeaders, 1, number(2, 4))},
    {"APushedHead", Seen::kBadGateway, frame(kHeaders, kEndHeaders, 2, kStatus200)},
    {"DataOnAnIdleStream", Seen::kBadGateway, frame(kData, kNone, 3, "x")},
    {"ResetOfTheConnection", Seen::kBadGateway, frame(kRst, kNone, 0, number(8, 4))},
    {"WindowOverflow", Seen::kBadGateway, frame(kWindow, kNone, 0, number(0x7fffffff, 4))},
    {"AFrameTooLarge", Seen::kBadGateway, number(0xffffff, 3) + number(0, 1) + number(0, 5)},
    {"BrokenHpack", Seen::kBadGateway, frame(kHeaders, kEndHeaders, 1, "\xff\xff\xff")},
    {"AHeaderBomb", Seen::kBadGateway,
     frame(kHeaders, kEndHeaders, 1,
           std::string(kStatus200) + '\x40' + text("x") + text(std::string(4000, 'a')) +
               std::string(8000, '\xbe'))},
    {"AnHttp1Answer", Seen::kBadGateway, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"},
    // and the message's
    {"DataBeforeItsHead", Seen::kBadGateway, frame(kData, kEnd, 1, "ok")},
    {"NoStatus", Seen::kBadGateway, frame(kHeaders, kEndHeaders | kEnd, 1, hpack({{"a", "b"}}))},
    {"TwoStatuses", Seen::kBadGateway,
     frame(kHeaders, kEndHeaders | kEnd, 1, std::string(kStatus200) + std::string(kStatus200))},
    {"AnOddStatus", Seen::kBadGateway, frame(kHeaders, kEndHeaders | kEnd, 1, hpack({{":status", "2e2"}}))},
    {"ARequestsField", Seen::kBadGateway,
     frame(kHeaders, kEndHeaders | kEnd, 1, std::string(kStatus200) + hpack({{":path", "/"}}))},
    {"UpperCase", Seen::kBadGateway,
     frame(kHeaders, kEndHeaders | kEnd, 1, std::string(kStatus200) + hpack({{"X-A", "b"}}))},
    {"Connection", Seen::kBadGateway,
     frame(kHeaders, kEndHeaders | kEnd, 1, std::string(kStatus200) + hpack({{"connection", "close"}}))},
    {"TransferEncoding", Seen::kBadGateway,
     frame(kHeaders, kEndHeaders | kEnd, 1,
           std::string(kStatus200) + hpack({{"transfer-encoding", "chunked"}}))},
    {"ALineBreak", Seen::kBadGateway,
     frame(kHeaders, kEndHeaders | kEnd, 1, std::string(kStatus200) + hpack({{"a", "b\r\nc: d"}}))},
    {"Switching", Seen::kBadGateway, frame(kHeaders, kEndHeaders, 1, hpack({{":status", "101"}}))},
    {"TwoLengths", Seen::kBadGateway,
     frame(kHeaders, kEndHeaders, 1,
           std::string(kStatus200) + hpack({{"content-length", "2"}, {"content-length", "3"}})) +
         frame(kData, kEnd, 1, "ok")},
    {"MoreThanAnnounced", Seen::kCut,
     frame(kHeaders, kEndHeaders, 1, std::string(kStatus200) + hpack({{"content-length", "2"}})) +
         frame(kData, kEnd, 1, "okay")},
    {"LessThanAnnounced", Seen::kCut,
     frame(kHeaders, kEndHeaders, 1, std::string(kStatus200) + hpack({{"content-length", "3"}})) +
         frame(kData, kEnd, 1, "ok")},
    {"BeyondItsWindow", Seen::kCut, ok_head(),
     [] { return frame(kData, kNone, 1, std::string(16 * 1024, 'x')); }},
    {"TrailersThatDoNotEnd", Seen::kCut, ok_head() + frame(kHeaders, kEndHeaders, 1, hpack({{"x", "y"}}))},
    {"APseudoFieldInTrailers", Seen::kCut, ok_head() + frame(kHeaders, kEndHeaders | kEnd, 1, kStatus200)},
};

INSTANTIATE_TEST_SUITE_P(Frames, HostileFramesTest, testing::ValuesIn(kFrames),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace holdfast::integration
