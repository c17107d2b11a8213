#include "wire/http2_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "support/http2_frames_by_hand.h"

namespace holdfast::wire {
namespace {

using namespace support::by_hand;
using testing::HasSubstr;
using testing::Not;

struct Owner final : Http2ClientOwner {
  std::string log;
  std::map<StreamId, std::string> bodies;
  std::map<StreamId, std::size_t> sent;

  void on_response_interim(StreamId stream, http::ResponseHead head) override {
    log += "interim " + std::to_string(stream) + " " + std::to_string(head.status) + "\n";
  }
  void on_response_head(StreamId stream, http::ResponseHead head) override {
    log += "head " + std::to_string(stream) + " " + std::to_string(head.status) + "{";
    for (const auto& field : head.fields)
      log += std::string(field.name) + ":" + std::string(field.value) + ",";
    log += "} body " + std::to_string(static_cast<int>(head.body.kind)) + "/" +
           std::to_string(head.body.bytes) + "\n";
  }
  void on_response_data(StreamId stream, std::span<const char> bytes) override {
    bodies[stream].append(bytes.data(), bytes.size());
  }
  void on_response_trailers(StreamId stream, http::Fields trailers) override {
    log += "trailers " + std::to_string(stream);
    for (const auto& field : trailers) log += " " + std::string(field.name) + ":" + std::string(field.value);
    log += "\n";
  }
  void on_response_end(StreamId stream) override { log += "end " + std::to_string(stream) + "\n"; }
  void on_request_sent(StreamId stream, std::size_t bytes) override { sent[stream] += bytes; }
  void on_request_done(StreamId stream) override { log += "sent " + std::to_string(stream) + "\n"; }
  void on_stream_reset(StreamId stream, Http2Failure failure) override {
    log += failure == Http2Failure::kNotProcessed ? "unprocessed "
           : failure == Http2Failure::kReset      ? "reset "
                                                  : "malformed ";
    log += std::to_string(stream) + "\n";
  }
  void on_stream_end(StreamId stream) override { log += "done " + std::to_string(stream) + "\n"; }
};

http::RequestHead request(std::string_view method = "GET", http::BodyLength body = {}) {
  http::RequestHead head;
  head.method = method;
  head.target = "/a?b=1";
  head.authority = "a.example";
  head.body = body;
  return head;
}
constexpr http::BodyLength kStreamed{http::BodyLength::Kind::kUnknown, 0};

StreamId begin(Http2Client& client, const http::RequestHead& head) {
  const StreamId stream = client.send_head(head);
  EXPECT_NE(stream, 0);
  return stream;
}

// The backend's side, as far as its HPACK goes: libnghttp2's decoder.
class Decoder {
 public:
  Decoder() { nghttp2_hd_inflate_new(&inflater_); }
  ~Decoder() { nghttp2_hd_inflate_del(inflater_); }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  std::string fields(std::string_view block) {
    std::string out;
    const auto* at = reinterpret_cast<const std::uint8_t*>(block.data());
    std::size_t left = block.size();
    for (;;) {
      nghttp2_nv field;
      int flags = 0;
      const auto used = nghttp2_hd_inflate_hd2(inflater_, &field, &flags, at, left, 1);
      if (used < 0) return "broken";
      at += used;
      left -= static_cast<std::size_t>(used);
      if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
        out.append(reinterpret_cast<char*>(field.name), field.namelen).append("=");
        out.append(reinterpret_cast<char*>(field.value), field.valuelen).append("\n");
      }
      if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) {
        nghttp2_hd_inflate_end_headers(inflater_);
        return out;
      }
    }
  }

 private:
  nghttp2_hd_inflater* inflater_ = nullptr;
};

class Http2ClientTest : public testing::Test {
 protected:
  void feed(std::string_view bytes) { client.receive({bytes.data(), bytes.size()}, now); }
  std::string take(std::size_t limit = 1 << 20) {
    std::string out;
    client.take_output(out, limit);
    if (out.starts_with(kPreface)) out.erase(0, kPreface.size());
    return out;
  }
  std::vector<Frame> taken(int type) {
    std::vector<Frame> found;
    for (Frame& one : frames(take())) {
      if (one.type == type) found.push_back(std::move(one));
    }
    return found;
  }
  // A connection that is up.
  void connect(std::string_view settings = {}) {
    feed(frame(kSettings, kNone, 0, settings) + frame(kSettings, kAck, 0));
    take();
  }
  // One whose backend has not read our SETTINGS yet, and sends as RFC 9113 6.9.2 lets it until then.
  void connect_early() {
    feed(frame(kSettings, kNone, 0));
    take();
  }
  // What the stream's window was opened by since the last look, and the connection's.
  std::uint32_t opened(std::uint32_t stream) {
    std::uint32_t bytes = 0;
    for (const Frame& one : taken(kWindow)) bytes += one.stream == stream ? one.word(0) : 0;
    return bytes;
  }
  static std::string response(std::uint32_t stream, bool end, const List& more = {}) {
    return headers(stream, with({{":status", "200"}}, more), end);
  }

  Owner owner;
  SteadyTime now{std::chrono::hours(1)};
  Http2Client client{{}, true, owner};
  Decoder decoder;
};

TEST_F(Http2ClientTest, BeginsWithThePrefaceAndForbidsPush) {
  std::string out;
  client.take_output(out, 1 << 20);
  ASSERT_TRUE(out.starts_with(kPreface));
  const auto sent = frames(std::string_view(out).substr(kPreface.size()));
  ASSERT_FALSE(sent.empty());
  EXPECT_EQ(sent[0].type, kSettings);
  EXPECT_THAT(sent[0].payload, HasSubstr(number(NGHTTP2_SETTINGS_ENABLE_PUSH, 2) + number(0, 4)));
}

TEST_F(Http2ClientTest, AHeadAsTheBackendSeesIt) {
  connect();
  http::RequestHead head = request();
  head.accepts_trailers = true;
  head.fields.add("Host", "Orders.Example:8443");
  head.fields.add("X-One", " padded ");
  head.fields.add("Connection", "close");
  head.fields.add("TE", "gzip");
  head.fields.add("Expect", "100-continue");
  head.fields.add("Content-Length", "7");
  EXPECT_EQ(client.send_head(head), 1);
  const auto sent = taken(kHeaders);
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].flags, kEnd | kEndHeaders);
  EXPECT_EQ(decoder.fields(sent[0].payload),
            ":method=GET\n:scheme=https\n:path=/"
            "a?b=1\n:authority=Orders.Example:8443\nx-one=padded\nte=trailers\n");
  EXPECT_EQ(owner.log, "sent 1\n");
}

TEST_F(Http2ClientTest, WhatMayNotBeSentIsNot) {
  connect();
  struct Bad {
    std::string_view method, target, authority, name, value;
  };
  const Bad bad[] = {{"GET", "/", "a", "x", "a\r\nb: c"}, {"GET", "/", "a", "x y", "z"},
                     {"GET", "/", "a", "x", {"\0", 1}},   {"GET", "/a b", "a", "x", "z"},
                     {"GE T", "/", "a", "x", "z"},        {"GET", "/", "a b", "x", "z"},
                     {"GET", "", "a", "x", "z"}};
  for (const Bad& one : bad) {
    http::RequestHead head;
    head.method = one.method;
    head.target = one.target;
    head.authority = one.authority;
    head.fields.add(one.name, one.value);
    EXPECT_EQ(client.send_head(head), 0);
  }
  EXPECT_TRUE(taken(kHeaders).empty());
  EXPECT_EQ(client.open_streams(), 0U);
}

TEST_F(Http2ClientTest, ABodyAndTrailersGoOutWithinTheWindow) {
  connect(number(4, 2) + number(3, 4));
  EXPECT_EQ(client.send_head(request("POST", kStreamed)), 1);
  client.send_data(1, std::string_view("abcdef"));
  auto sent = frames(take());
  ASSERT_EQ(sent.size(), 2U);
  EXPECT_EQ(sent[0].flags, kEndHeaders);
  EXPECT_EQ(sent[1].payload, "abc");
  EXPECT_EQ(owner.sent[1], 3U);
  http::Fields trailers;
  trailers.add("X-Sum", "9");
  client.send_trailers(1, trailers);
  feed(frame(kWindow, kNone, 1, number(9, 4)));
  sent = frames(take());
  ASSERT_EQ(sent.size(), 2U);
  EXPECT_EQ(sent[0].payload, "def");
  EXPECT_EQ(sent[0].flags, kNone);
  EXPECT_EQ(sent[1].flags, kEnd | kEndHeaders);
  EXPECT_EQ(owner.log, "sent 1\n");
}

TEST_F(Http2ClientTest, AKnownLengthIsHeldTo) {
  connect();
  const http::BodyLength four{http::BodyLength::Kind::kKnown, 4};
  for (const std::string_view body : {"abc", "abcde"}) {
    const StreamId stream = client.send_head(request("POST", four));
    take();
    client.send_data(stream, body);
    client.send_end(stream);
    const auto sent = frames(take());
    EXPECT_TRUE(std::ranges::any_of(sent, [](const Frame& f) { return f.type == kRst; }));
    EXPECT_FALSE(
        std::ranges::any_of(sent, [](const Frame& f) { return f.type == kData && f.flags == kEnd; }));
  }
}

TEST_F(Http2ClientTest, WhatIsResetBeforeItLeftIsNeverHeardOf) {
  connect();
  begin(client, request());
  const StreamId stream = begin(client, request("POST", kStreamed));
  client.send_data(stream, std::string_view("abc"));
  client.reset(stream, Http2Error::kCancel);
  for (const Frame& one : frames(take())) EXPECT_EQ(one.stream, 1U);
  EXPECT_EQ(client.open_streams(), 1U);
  EXPECT_TRUE(client.may_open());
}

TEST_F(Http2ClientTest, HeadsThatWaitToBeWrittenAreCounted) {
  connect();
  http::RequestHead large = request();
  large.fields.add("x-large", std::string(5000, 'l'));
  EXPECT_EQ(client.unsent_heads(), 0U);
  EXPECT_EQ(client.send_head(large), 1);
  const std::size_t one = client.unsent_heads();
  EXPECT_GE(one, 5000U);
  EXPECT_LT(one, 5200U);
  EXPECT_EQ(client.send_head(large), 3);
  EXPECT_EQ(client.unsent_heads(), 2 * one);
  take();
  EXPECT_EQ(client.unsent_heads(), 0U);
  EXPECT_EQ(client.send_head(large), 5);
  client.reset(5, Http2Error::kCancel);
  take();
  EXPECT_EQ(client.unsent_heads(), 0U) << "one that was never written";
  EXPECT_EQ(client.send_head(large), 7);
  client.lose_connection();
  EXPECT_EQ(client.unsent_heads(), 0U);
}

TEST_F(Http2ClientTest, AnAnswerWithInterimHeadBodyAndTrailers) {
  connect();
  begin(client, request());
  client.grant_response(1, 100);
  take();
  feed(headers(1, {{":status", "103"}, {"link", "</x>"}}, false) +
       response(1, false, {{"grpc-status", "0"}}) + frame(kData, kNone, 1, "abc") +
       headers(1, {{"x-sum", "9"}}));
  EXPECT_EQ(
      owner.log,
      "sent 1\ninterim 1 103\nhead 1 200{grpc-status:0,} body 2/0\ntrailers 1 x-sum:9\nend 1\ndone 1\n");
  EXPECT_EQ(owner.bodies[1], "abc");
  EXPECT_EQ(client.open_streams(), 0U);
}

TEST_F(Http2ClientTest, AnswersWithoutBodies) {
  connect();
  begin(client, request("HEAD"));
  begin(client, request());
  take();
  feed(response(1, true, {{"content-length", "77"}}) +
       headers(3, {{":status", "304"}, {"content-length", "7"}}));
  EXPECT_THAT(owner.log, HasSubstr("head 1 200{content-length:77,} body 0/0\nend 1\ndone 1\n"));
  EXPECT_THAT(owner.log, HasSubstr("head 3 304{content-length:7,} body 0/0\nend 3\ndone 3\n"));
}

// Not even a backend that sends all that it may makes us hold what no client has room for.
TEST_F(Http2ClientTest, TheStreamsWindowIsWhatWasGranted) {
  connect();
  begin(client, request());
  client.grant_response(1, 100);
  const auto sent = frames(take());
  ASSERT_EQ(sent.size(), 2U);
  EXPECT_EQ(sent[0].type, kHeaders);
  EXPECT_EQ(sent[1].type, kWindow);
  EXPECT_EQ(sent[1].stream, 1U);
  EXPECT_EQ(sent[1].word(0), 100U);
  feed(response(1, false) + frame(kData, kNone, 1, std::string(60, 'a')));
  EXPECT_EQ(owner.bodies[1].size(), 60U);
  EXPECT_EQ(opened(1), 0U) << "passed on, and nobody has taken it yet";
  client.grant_response(1, 50);
  EXPECT_EQ(opened(1), 50U);
  feed(frame(kData, kNone, 1, std::string(90, 'b')));
  EXPECT_EQ(owner.bodies[1].size(), 150U);
  feed(frame(kData, kNone, 1, "c"));
  const auto resets = taken(kRst);
  ASSERT_EQ(resets.size(), 1U);
  EXPECT_EQ(resets[0].word(0), static_cast<std::uint32_t>(NGHTTP2_FLOW_CONTROL_ERROR));
  EXPECT_EQ(owner.bodies[1].size(), 150U);
  EXPECT_THAT(owner.log, HasSubstr("malformed 1\n"));
}

// It counts against the window and reaches nobody: what is not returned would in time be all of it.
TEST_F(Http2ClientTest, PaddingGivesTheWindowBackOnce) {
  connect();
  begin(client, request());
  client.grant_response(1, 2048);
  take();
  feed(response(1, false));
  std::uint32_t returned = 0;
  for (int i = 0; i < 500; ++i) {
    feed(frame(kData, kPadded, 1, std::string(1, '\xff') + "ab" + std::string(255, '\0')));
    client.grant_response(1, 2);
    returned += opened(1);
  }
  EXPECT_EQ(returned, 500U * 258U);
  EXPECT_EQ(owner.bodies[1].size(), 1000U);
  EXPECT_TRUE(taken(kRst).empty());
}

TEST_F(Http2ClientTest, ASlowReaderGetsAllOfAnAnswerThatEndedLongAgo) {
  connect_early();
  begin(client, request());
  begin(client, request());
  client.grant_response(1, 2);
  take();
  feed(response(1, false) + frame(kData, kEnd, 1, "abcdef") + response(3, false) +
       frame(kData, kNone, 3, "x"));
  EXPECT_EQ(owner.bodies[1], "ab");
  EXPECT_THAT(owner.log, Not(HasSubstr("end 1")));
  // The connection may even be gone meanwhile; what was not whole is broken.
  client.lose_connection();
  EXPECT_THAT(owner.log, HasSubstr("reset 3\n"));
  EXPECT_TRUE(client.finished());
  client.grant_response(1, 3);
  client.deliver();
  EXPECT_EQ(owner.bodies[1], "abcde");
  client.grant_response(1, 3);
  client.deliver();
  EXPECT_EQ(owner.bodies[1], "abcdef");
  EXPECT_TRUE(owner.log.ends_with("end 1\ndone 1\n"));
  EXPECT_EQ(client.open_streams(), 0U);
}

TEST_F(Http2ClientTest, OneThatLetsGoOfWhatIsHeldIsForgotten) {
  connect_early();
  begin(client, request());
  take();
  feed(response(1, false) + frame(kData, kEnd, 1, "abcdef"));
  client.reset(1, Http2Error::kCancel);
  EXPECT_EQ(client.open_streams(), 0U);
  EXPECT_TRUE(taken(kRst).empty()) << "both sides had ended it";
  EXPECT_THAT(owner.log, Not(HasSubstr("end 1")));
}

TEST_F(Http2ClientTest, SlowAnswersDoNotHoldUpOthers) {
  connect_early();
  std::size_t opened_by = 0;
  const std::string piece(16 * 1024, 'x');
  for (std::uint32_t stream = 1; stream < 200; stream += 2) {
    ASSERT_TRUE(client.may_open());
    begin(client, request());
    take();
    feed(response(stream, false));
    for (int i = 0; i < 3; ++i) {
      feed(frame(kData, kNone, stream, piece));
      for (const Frame& one : taken(kWindow)) {
        EXPECT_EQ(one.stream, 0U);
        opened_by += one.word(0);
      }
    }
  }
  EXPECT_FALSE(client.may_open()) << "100 are open";
  EXPECT_GE(opened_by + kHttp2ConnectionWindow / 2, 100 * 48 * 1024U);
}

TEST_F(Http2ClientTest, TheBackendsLimitOfStreamsIsKept) {
  connect(number(3, 2) + number(2, 4));
  EXPECT_EQ(client.send_head(request()), 1);
  EXPECT_TRUE(client.may_open());
  EXPECT_EQ(client.send_head(request()), 3);
  EXPECT_FALSE(client.may_open());
  EXPECT_FALSE(client.is_closing());
  take();
  feed(response(1, true));
  EXPECT_TRUE(client.may_open());
}

TEST_F(Http2ClientTest, GoawayTellsWhatWasNotProcessed) {
  connect();
  for (int i = 0; i < 3; ++i) begin(client, request());
  take();
  feed(frame(kGoaway, kNone, 0, number(1, 4) + number(0, 4)));
  EXPECT_THAT(owner.log, HasSubstr("unprocessed 3\n"));
  EXPECT_THAT(owner.log, HasSubstr("unprocessed 5\n"));
  EXPECT_TRUE(client.is_closing());
  EXPECT_FALSE(client.may_open());
  EXPECT_FALSE(client.finished());
  feed(response(1, true));
  EXPECT_THAT(owner.log, HasSubstr("end 1\n"));
  take();
  EXPECT_TRUE(client.finished());
}

TEST_F(Http2ClientTest, AGoawayBeforeTheRequestLeft) {
  connect();
  feed(frame(kGoaway, kNone, 0, number(0x7fffffff, 4) + number(0, 4)));
  EXPECT_FALSE(client.may_open());
  if (client.send_head(request()) == 0) return;
  take();
  EXPECT_EQ(owner.log, "unprocessed 1\n");
}

// A RST_STREAM for a stream that the backend never saw would break the connection, and with it the others.
TEST_F(Http2ClientTest, AGoawayThatCrossesARequestWhichDidNotLeave) {
  connect();
  begin(client, request());
  take();
  begin(client, request("POST", kStreamed));
  feed(frame(kGoaway, kNone, 0, number(1, 4) + number(0, 4)));
  for (const Frame& one : frames(take())) EXPECT_NE(one.stream, 3U);
  EXPECT_THAT(owner.log, HasSubstr("unprocessed 3\n"));
  feed(response(1, true));
  EXPECT_THAT(owner.log, HasSubstr("end 1\n"));
}

// What libnghttp2 still held when the connection broke was seen by nobody, so it may be sent again whatever
// it is.
TEST_F(Http2ClientTest, ARequestThatDidNotLeaveABrokenConnection) {
  connect();
  begin(client, request("POST", kStreamed));
  take();
  begin(client, request("POST", kStreamed));
  client.lose_connection();
  EXPECT_THAT(owner.log, HasSubstr("reset 1\n"));
  EXPECT_THAT(owner.log, HasSubstr("unprocessed 3\n"));
}

TEST_F(Http2ClientTest, ResetsAreToldApart) {
  connect();
  for (int i = 0; i < 3; ++i) begin(client, request("POST", kStreamed));
  take();
  feed(frame(kRst, kNone, 1, number(NGHTTP2_REFUSED_STREAM, 4)) +
       frame(kRst, kNone, 3, number(NGHTTP2_INTERNAL_ERROR, 4)) + response(5, true) +
       frame(kRst, kNone, 5, number(NGHTTP2_NO_ERROR, 4)));
  EXPECT_EQ(owner.log, "unprocessed 1\nreset 3\nhead 5 200{} body 0/0\nend 5\ndone 5\n");
  EXPECT_EQ(client.open_streams(), 0U);
}

TEST_F(Http2ClientTest, ExtendedConnectWhereTheBackendTakesIt) {
  connect();
  EXPECT_FALSE(client.takes_extended_connect());
  feed(frame(kSettings, kNone, 0, number(8, 2) + number(1, 4)));
  EXPECT_TRUE(client.takes_extended_connect());
  http::RequestHead head = request("CONNECT", kStreamed);
  head.protocol = "websocket";
  EXPECT_EQ(client.send_head(head), 1);
  const auto sent = taken(kHeaders);
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].flags, kEndHeaders);
  EXPECT_EQ(decoder.fields(sent[0].payload),
            ":method=CONNECT\n:protocol=websocket\n:scheme=https\n:path=/a?b=1\n:authority=a.example\n");
}

// ---- backends that break the rules

struct Broken {
  const char* name;
  std::string bytes;
};

class MalformedHttp2Answer : public testing::TestWithParam<Broken> {};

TEST_P(MalformedHttp2Answer, BreaksItsStreamOnly) {
  Owner owner;
  Http2Client client({.max_head_bytes = 2000, .max_fields = 10}, false, owner);
  const SteadyTime now(std::chrono::hours(1));
  std::string bytes = frame(kSettings, kNone, 0);
  client.receive(bytes, now);
  begin(client, request());
  begin(client, request());
  client.grant_response(1, 1000);
  std::string out;
  client.take_output(out, 1 << 20);
  client.receive(GetParam().bytes, now);
  out.clear();
  client.take_output(out, 1 << 20);
  EXPECT_THAT(owner.log, HasSubstr("malformed 1\n")) << owner.log;
  EXPECT_THAT(owner.log, Not(HasSubstr("end 1"))) << owner.log;
  bytes = headers(3, {{":status", "200"}});
  client.receive(bytes, now);
  EXPECT_THAT(owner.log, HasSubstr("head 3 200{} body 0/0\nend 3\n"));
  EXPECT_FALSE(client.finished());
}

std::string many_interims() {
  std::string out;
  for (int i = 0; i < 40; ++i) out += headers(1, {{":status", "103"}}, false);
  return out;
}

INSTANTIATE_TEST_SUITE_P(
    Wire, MalformedHttp2Answer,
    testing::Values(
        Broken{"NoStatus", headers(1, {{"x", "y"}})},
        Broken{"TwoStatuses", headers(1, {{":status", "200"}, {":status", "200"}})},
        Broken{"StatusOfLetters", headers(1, {{":status", "2x0"}})},
        Broken{"LongStatus", headers(1, {{":status", "2000"}})},
        Broken{"ZeroStatus", headers(1, {{":status", "000"}})},
        Broken{"SwitchingProtocols", headers(1, {{":status", "101"}}, false)},
        Broken{"RequestPseudo", headers(1, {{":status", "200"}, {":path", "/"}})},
        Broken{"LateStatus", headers(1, {{"x", "y"}, {":status", "200"}})},
        Broken{"CrInValue", headers(1, {{":status", "200"}, {"x", "a\rb"}})},
        Broken{"LfInValue", headers(1, {{":status", "200"}, {"x", "a\nb: c"}})},
        Broken{"NulInValue", headers(1, {{":status", "200"}, {"x", std::string("\0", 1)}})},
        Broken{"UpperCase", headers(1, {{":status", "200"}, {"X", "y"}})},
        Broken{"SpaceInName", headers(1, {{":status", "200"}, {"x y", "z"}})},
        Broken{"Connection", headers(1, {{":status", "200"}, {"connection", "close"}})},
        Broken{"TransferEncoding", headers(1, {{":status", "200"}, {"transfer-encoding", "chunked"}})},
        Broken{"TwoLengths",
               headers(1, {{":status", "200"}, {"content-length", "0"}, {"content-length", "0"}})},
        Broken{"LengthTooLong", headers(1, {{":status", "200"}, {"content-length", "5"}}, false) +
                                    frame(kData, kEnd, 1, "abc")},
        Broken{"LengthTooShort", headers(1, {{":status", "200"}, {"content-length", "2"}}, false) +
                                     frame(kData, kEnd, 1, "abc")},
        Broken{"LengthWithoutBody", headers(1, {{":status", "200"}, {"content-length", "2"}})},
        Broken{"InterimThatEnds", headers(1, {{":status", "103"}})},
        Broken{"DataAfterAnInterimHead",
               headers(1, {{":status", "103"}}, false) + frame(kData, kEnd, 1, "abc")},
        Broken{"TrailersWithPseudo",
               headers(1, {{":status", "200"}}, false) + headers(1, {{":status", "200"}})},
        Broken{"TrailersThatDoNotEnd",
               headers(1, {{":status", "200"}}, false) + headers(1, {{"x", "y"}}, false)},
        Broken{"TooLongAHead", headers(1, {{":status", "200"}, {"x", std::string(2000, 'a')}})},
        Broken{"EndlessInterims", many_interims()}),
    [](const auto& row) { return std::string(row.param.name); });

TEST_F(Http2ClientTest, AFaultOfTheConnectionBreaksItsStreams) {
  const std::string bad[] = {
      "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
      frame(kSettings, kNone, 0) + frame(kData, kNone, 1, "abc"),  // before the head
      frame(kSettings, kNone, 0) + frame(kSettings, kAck, 0) +
          frame(kPush, kEndHeaders, 1, number(2, 4) + hpack(get())),
      frame(kSettings, kNone, 0) + headers(2, {{":status", "200"}}),
      frame(kSettings, kNone, 0) + headers(5, {{":status", "200"}}),
      frame(kSettings, kNone, 0) + frame(kHeaders, kEnd | kEndHeaders, 1, "\xff\xff\xff"),
      frame(kSettings, kNone, 0) + frame(kData, kNone, 0, "x"),
  };
  for (const std::string& bytes : bad) {
    Owner other;
    Http2Client one({}, true, other);
    begin(one, request());
    std::string out;
    one.take_output(out, 1 << 20);
    one.receive(bytes, now);
    one.take_output(out, 1 << 20);
    EXPECT_THAT(other.log, HasSubstr("reset 1\n")) << bytes;
    EXPECT_TRUE(one.finished());
    EXPECT_FALSE(one.may_open());
  }
}

TEST_F(Http2ClientTest, ABackendsFloodEndsTheConnection) {
  connect();
  begin(client, request());
  take();
  int n = 0;
  for (; n < 5'000 && !client.finished(); ++n) {
    feed(frame(kPing, kNone, 0, "12345678"));
    take();
  }
  EXPECT_GT(n, 100);
  EXPECT_LT(n, 2'000);
  EXPECT_EQ(client.counts().calmed, 1U);
  EXPECT_THAT(owner.log, HasSubstr("reset 1\n"));
}

// libnghttp2 drops them without a word: a backend could send them for ever while another answer is waited
// for.
TEST_F(Http2ClientTest, FramesOfAnswersThatAreOverAreAFloodToo) {
  for (const int type : {kData, kHeaders}) {
    Owner other;
    Http2Client one({}, false, other);
    const auto give = [&](std::string_view bytes) { one.receive({bytes.data(), bytes.size()}, now); };
    std::string out;
    begin(one, request());
    begin(one, request());
    one.take_output(out, 1 << 20);
    give(frame(kSettings, kNone, 0) + response(1, true));
    const std::string stray = frame(type, kEndHeaders, 1, type == kData ? "x" : hpack({{"x", "y"}}));
    int n = 0;
    for (; n < 5'000 && !one.finished(); ++n) {
      give(stray);
      one.take_output(out, 1 << 20);
    }
    EXPECT_GT(n, 100);
    EXPECT_LT(n, 2'000);
    EXPECT_EQ(one.counts().calmed, 1U);
  }
}

// What was under way when we lost interest is no flood.
TEST_F(Http2ClientTest, TheRestOfACancelledAnswerIsWelcome) {
  connect();
  const std::uint64_t before = client.counts().idle_frames;
  for (std::uint32_t stream = 1; stream < 20; stream += 2) {
    begin(client, request());
    take();
    feed(response(stream, false));
    client.reset(static_cast<StreamId>(stream), Http2Error::kCancel);
    take();
    for (int n = 0; n < 900; ++n) feed(frame(kData, kNone, stream, "x"));
    feed(frame(kHeaders, kEnd | kEndHeaders, stream, hpack({{"grpc-status", "0"}})));
    take();
    ASSERT_FALSE(client.finished());
  }
  EXPECT_EQ(client.counts().idle_frames, before);
}

TEST_F(Http2ClientTest, ABackendMayRefuseAsMuchAsItWants) {
  connect();
  for (std::uint32_t n = 0; n < 3'000; ++n) {
    const StreamId stream = client.send_head(request());
    take();
    feed(frame(kRst, kNone, static_cast<std::uint32_t>(stream), number(NGHTTP2_CANCEL, 4)));
    ASSERT_FALSE(client.finished());
  }
}

// As gRPC servers do: an error before the request was read, then the reset that spares us the rest of it (RFC
// 9113 8.1), and a ping to measure the way.
TEST_F(Http2ClientTest, ABackendMayAnswerBeforeItHasReadAsOftenAsItWants) {
  connect();
  for (std::uint32_t n = 0; n < 3'000; ++n) {
    const StreamId stream = begin(client, request("POST", kStreamed));
    client.send_data(stream, std::string_view("some of it"));
    take();
    const auto number_of = static_cast<std::uint32_t>(stream);
    feed(frame(kPing, kNone, 0, "12345678") + response(number_of, true));
    // Nobody wants the rest of the request, and the server has said so too meanwhile.
    client.reset(stream, Http2Error::kCancel);
    feed(frame(kRst, kNone, number_of, number(NGHTTP2_NO_ERROR, 4)));
    take();
    ASSERT_FALSE(client.finished()) << n;
  }
  EXPECT_EQ(client.counts().malformed, 0U);
  EXPECT_EQ(client.open_streams(), 0U);
}

// grpc-go's servers ping while they receive, as often as the way allows.
TEST_F(Http2ClientTest, ABackendMayMeasureTheWayByPings) {
  connect();
  const StreamId stream = begin(client, request("POST", kStreamed));
  for (int n = 0; n < 10'000; ++n) {
    client.send_data(stream, std::string(100, 'b'));
    ASSERT_EQ(taken(kData).size(), 1U) << n;
    feed(frame(kPing, kNone, 0, "12345678") + frame(kWindow, kNone, 0, number(100, 4)) +
         frame(kWindow, kNone, static_cast<std::uint32_t>(stream), number(100, 4)));
    ASSERT_FALSE(client.finished()) << n;
  }
  // And not more often than that.
  int n = 0;
  for (; n < 5'000 && !client.finished(); ++n) {
    feed(frame(kPing, kNone, 0, "12345678"));
    take();
  }
  EXPECT_LT(n, 2'000);
}

TEST_F(Http2ClientTest, TerminateIsTheEnd) {
  connect();
  begin(client, request());
  take();
  owner.log.clear();
  client.terminate(Http2Error::kNoError);
  EXPECT_EQ(taken(kGoaway).size(), 1U);
  EXPECT_TRUE(client.finished());
  EXPECT_EQ(owner.log, "");
  EXPECT_EQ(client.open_streams(), 0U);
}

}  // namespace
}  // namespace holdfast::wire
