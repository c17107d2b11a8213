#include "wire/http2_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "support/http2_frames_by_hand.h"

namespace holdfast::wire {
namespace {

using namespace support::by_hand;
using testing::HasSubstr;

http::ResponseHead ok(http::BodyLength body = {}, std::uint16_t status = 200) {
  http::ResponseHead head;
  head.status = status;
  head.body = body;
  return head;
}
constexpr http::BodyLength kStreamed{http::BodyLength::Kind::kUnknown, 0};

// Writes down what it is told, and does what a test wants at a head.
struct Owner final : Http2ServerOwner {
  std::string log;
  std::map<StreamId, std::string> bodies;
  std::map<StreamId, std::size_t> sent;
  std::function<void(StreamId)> at_head, at_data;
  std::vector<http::RequestHead>* keep_heads = nullptr;

  void on_request_head(StreamId stream, http::RequestHead head) override {
    log += "head " + std::to_string(stream) + " " + std::string(head.method) + " " +
           std::string(head.target) + " " + std::string(head.authority) + " " + std::string(head.protocol) +
           "{";
    for (const auto& field : head.fields)
      log += std::string(field.name) + ":" + std::string(field.value) + ",";
    log += "} body " + std::to_string(static_cast<int>(head.body.kind)) + "/" +
           std::to_string(head.body.bytes) + "\n";
    EXPECT_EQ(head.version_major, 2);
    if (keep_heads != nullptr) keep_heads->push_back(std::move(head));
    if (at_head) at_head(stream);
  }
  void on_request_refused(StreamId stream, Fault fault, http::RequestHead head) override {
    log += "refused " + std::to_string(stream) + " " + std::to_string(fault.status) + " " +
           std::string(head.method) + " " + fault.refusal.detail + "\n";
  }
  void on_request_data(StreamId stream, std::span<const char> bytes) override {
    bodies[stream].append(bytes.data(), bytes.size());
    if (at_data) at_data(stream);
  }
  void on_request_trailers(StreamId stream, http::Fields trailers) override {
    log += "trailers " + std::to_string(stream);
    for (const auto& field : trailers) log += " " + std::string(field.name) + ":" + std::string(field.value);
    log += "\n";
  }
  void on_request_end(StreamId stream) override { log += "end " + std::to_string(stream) + "\n"; }
  void on_request_fault(StreamId stream, Fault fault) override {
    log += "fault " + std::to_string(stream) + " " + std::to_string(fault.status) + "\n";
  }
  void on_response_sent(StreamId stream, std::size_t bytes) override { sent[stream] += bytes; }
  void on_stream_reset(StreamId stream, bool malformed) override {
    log += (malformed ? "malformed " : "reset ") + std::to_string(stream) + "\n";
  }
  void on_stream_end(StreamId stream) override { log += "done " + std::to_string(stream) + "\n"; }
};

class Http2ServerTest : public testing::Test {
 protected:
  explicit Http2ServerTest(Http2Limits limits = {}) : server(limits, owner) {}

  void feed(std::string_view bytes) { server.receive({bytes.data(), bytes.size()}, now); }
  std::string take(std::size_t limit = 1 << 20) {
    std::string out;
    server.take_output(out, limit);
    return out;
  }
  // Frames of one type that the server has to send now.
  std::vector<Frame> taken(int type) {
    std::vector<Frame> found;
    for (Frame& one : frames(take())) {
      if (one.type == type) found.push_back(std::move(one));
    }
    return found;
  }
  // Error code of the GOAWAY that is to be sent, or -1.
  long goaway() {
    const auto found = taken(kGoaway);
    return found.empty() ? -1 : static_cast<long>(found.back().word(4));
  }
  void answer(StreamId stream) {
    ASSERT_TRUE(server.send_head(stream, ok(kStreamed)));
    server.send_data(stream, std::string_view("hi"));
    server.send_end(stream);
  }

  Owner owner;
  SteadyTime now{std::chrono::hours(1)};
  Http2Server server;
};

TEST_F(Http2ServerTest, ARequestWithoutBody) {
  feed(hello() + headers(1, with(get("/x?y=1"), {{"accept", "*/*"}})));
  EXPECT_EQ(owner.log, "head 1 GET /x?y=1 a.example {accept:*/*,host:a.example,} body 0/0\nend 1\n");
  EXPECT_TRUE(server.established());
  EXPECT_EQ(server.open_streams(), 1U);
  owner.log.clear();
  answer(1);
  const auto out = frames(take());
  ASSERT_EQ(out.back().type, kData);
  EXPECT_EQ(out.back().payload, "hi");
  EXPECT_EQ(out.back().flags, kEnd);
  EXPECT_EQ(owner.log, "done 1\n");
  EXPECT_EQ(server.open_streams(), 0U);
}

TEST_F(Http2ServerTest, ABodyPassesOnlyAsFarAsItWasGranted) {
  feed(hello() + headers(1, post(), false) + frame(kData, kNone, 1, "abcdef"));
  EXPECT_EQ(owner.bodies[1], "");
  server.grant_request(1, 4);
  EXPECT_EQ(owner.bodies[1], "") << "not from inside the grant";
  EXPECT_TRUE(server.wants_deliver());
  server.deliver();
  EXPECT_EQ(owner.bodies[1], "abcd");
  feed(frame(kData, kEnd, 1, "gh"));
  EXPECT_THAT(owner.log, testing::Not(HasSubstr("end 1")));
  server.grant_request(1, 100);
  server.deliver();
  EXPECT_EQ(owner.bodies[1], "abcdefgh");
  EXPECT_THAT(owner.log, HasSubstr("end 1"));
}

TEST_F(Http2ServerTest, TheStreamsWindowOpensByWhatWasPassedOn) {
  feed(hello() + headers(1, post(), false) + frame(kSettings, kAck, 0));
  take();
  const std::string piece(16 * 1024, 'x');
  for (int i = 0; i < 4; ++i) feed(frame(kData, kNone, 1, piece));
  for (const Frame& one : taken(kWindow)) EXPECT_EQ(one.stream, 0U) << "nothing was granted";
  server.grant_request(1, 40 * 1024);
  server.deliver();
  std::uint32_t opened = 0;
  for (const Frame& one : taken(kWindow)) opened += one.stream == 1 ? one.word(0) : 0;
  EXPECT_EQ(opened, 40 * 1024U);
  EXPECT_EQ(owner.bodies[1].size(), 40 * 1024U);
}

TEST_F(Http2ServerTest, MoreThanTheStreamsWindowIsNotHeld) {
  feed(hello() + headers(1, post(), false));
  const std::string piece(16 * 1024, 'x');
  feed(frame(kSettings, kAck, 0));
  for (int i = 0; i < 5; ++i) feed(frame(kData, kNone, 1, piece));
  take();
  EXPECT_THAT(owner.log, testing::AnyOf(HasSubstr("malformed 1"), HasSubstr("reset 1")));
}

TEST_F(Http2ServerTest, SlowStreamsHoldWhatTheyMayAndNoMore) {
  feed(hello() + frame(kSettings, kAck, 0));
  take();
  const std::string piece(16 * 1024, 'x');
  // 8 streams fill kHttp2Held; the connection's window is given back for these only.
  std::size_t opened = 0;
  for (std::uint32_t stream = 1; stream <= 21; stream += 2) {
    feed(headers(stream, post(), false));
    for (int i = 0; i < 4; ++i) {
      feed(frame(kData, kNone, stream, piece));
      for (const Frame& one : taken(kWindow)) opened += one.stream == 0 ? one.word(0) : 0;
    }
  }
  EXPECT_LE(opened, kHttp2Held);
  EXPECT_GE(opened, kHttp2Held - kHttp2ConnectionWindow / 2);
  // Streams that are let go give their share back: without it five more would not open the window again.
  for (StreamId stream = 1; stream <= 21; stream += 2) server.reset(stream, Http2Error::kCancel);
  take();
  opened = 0;
  for (std::uint32_t stream = 23; stream <= 31; stream += 2) {
    feed(headers(stream, post(), false));
    for (int i = 0; i < 4; ++i) feed(frame(kData, kNone, stream, piece));
    for (const Frame& one : taken(kWindow)) opened += one.stream == 0 ? one.word(0) : 0;
  }
  EXPECT_GE(opened, kHttp2ConnectionWindow / 2);
}

TEST_F(Http2ServerTest, TrailersOfTheRequest) {
  feed(hello() + headers(1, post(), false) + frame(kData, kNone, 1, "ab") + headers(1, {{"x-sum", "9"}}));
  server.grant_request(1, 100);
  server.deliver();
  EXPECT_THAT(owner.log, HasSubstr("trailers 1 x-sum:9\nend 1\n"));
}

TEST_F(Http2ServerTest, CookiesStayInPiecesAndHostIsMadeOnce) {
  feed(hello() + headers(1, with(get(), {{"cookie", "a=1"}, {"host", "A.example:443"}, {"cookie", "b=2"}})));
  EXPECT_THAT(owner.log, HasSubstr("{cookie:a=1,host:A.example:443,cookie:b=2,}"));
}

TEST_F(Http2ServerTest, HeadAndNotModifiedKeepTheirLength) {
  feed(hello() +
       headers(1, {{":method", "HEAD"}, {":scheme", "https"}, {":path", "/"}, {":authority", "a"}}));
  http::ResponseHead head = ok({http::BodyLength::Kind::kNone, 0});
  head.fields.add("Content-Length", "77");
  head.fields.add("Connection", "close");
  ASSERT_TRUE(server.send_head(1, head));
  server.send_data(1, std::string_view("dropped"));
  server.send_end(1);
  const auto out = frames(take());
  EXPECT_EQ(out.back().type, kHeaders);
  EXPECT_EQ(out.back().flags, kEnd | kEndHeaders);
  EXPECT_THAT(owner.log, HasSubstr("done 1"));
}

TEST_F(Http2ServerTest, InterimHeadsAndTrailersGoOut) {
  feed(hello() + headers(1, get()));
  take();
  ASSERT_TRUE(server.send_interim(1, ok({}, 103)));
  EXPECT_FALSE(server.send_interim(1, ok({}, 101)));
  ASSERT_TRUE(server.send_head(1, ok(kStreamed)));
  server.send_data(1, std::string_view("x"));
  http::Fields trailers;
  trailers.add("Grpc-Status", "0");
  trailers.add("Set-Cookie", "dropped=1");
  server.send_trailers(1, trailers);
  const auto out = frames(take());
  ASSERT_EQ(out.size(), 4U);
  EXPECT_EQ(out[0].flags, kEndHeaders);
  EXPECT_EQ(out[1].flags, kEndHeaders);
  EXPECT_EQ(out[2].flags, kNone);
  EXPECT_EQ(out[3].flags, kEnd | kEndHeaders);
  EXPECT_THAT(owner.log, HasSubstr("done 1"));
}

TEST_F(Http2ServerTest, AHeadThatMayNotBeSentIsNotSent) {
  feed(hello() + headers(1, get()));
  take();
  http::ResponseHead head = ok();
  head.fields.add("X", "a\r\nSet-Cookie: b");
  EXPECT_FALSE(server.send_head(1, head));
  EXPECT_TRUE(frames(take()).empty());
  EXPECT_TRUE(server.send_head(1, ok()));
}

TEST_F(Http2ServerTest, AnAnswerBeforeTheRequestsEndStopsTheRequest) {
  feed(hello() + headers(1, post(), false));
  answer(1);
  const auto out = taken(kRst);
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(out[0].word(0), NGHTTP2_NO_ERROR);
  EXPECT_THAT(owner.log, HasSubstr("done 1"));
  // What was under way meanwhile is nobody's, and no fault.
  feed(frame(kData, kEnd, 1, "late") + headers(3, get()));
  EXPECT_THAT(owner.log, HasSubstr("head 3"));
  EXPECT_EQ(server.counts().malformed, 0U);
}

TEST_F(Http2ServerTest, AnAnswerThatIsShorterOrLongerThanItsLengthResetsTheStream) {
  for (const std::string_view body : {"abc", "abcde"}) {
    Owner other;
    Http2Server one({}, other);
    const std::string request = hello() + headers(1, get());
    one.receive(request, now);
    ASSERT_TRUE(one.send_head(1, ok({http::BodyLength::Kind::kKnown, 4})));
    one.send_data(1, body);
    one.send_end(1);
    std::string out;
    one.take_output(out, 1 << 20);
    const auto sent = frames(out);
    EXPECT_TRUE(std::ranges::any_of(sent, [](const Frame& f) { return f.type == kRst && f.word(0) == 2; }));
    EXPECT_FALSE(
        std::ranges::any_of(sent, [](const Frame& f) { return f.type == kData && f.flags == kEnd; }));
  }
}

TEST_F(Http2ServerTest, BytesLeaveOnlyAsTheClientsWindowAllows) {
  // SETTINGS_INITIAL_WINDOW_SIZE of 5.
  feed(std::string(kPreface) + frame(kSettings, kNone, 0, number(4, 2) + number(5, 4)) + headers(1, get()));
  ASSERT_TRUE(server.send_head(1, ok(kStreamed)));
  server.send_data(1, std::string_view("abcdefgh"));
  take();
  EXPECT_EQ(owner.sent[1], 5U);
  EXPECT_FALSE(server.wants_output());
  feed(frame(kWindow, kNone, 1, number(100, 4)));
  EXPECT_TRUE(server.wants_output());
  take();
  EXPECT_EQ(owner.sent[1], 8U);
}

TEST_F(Http2ServerTest, OutputStopsAtTheLimitAndGoesOn) {
  feed(hello() + frame(kWindow, kNone, 0, number(1 << 20, 4)) + headers(1, get()) + headers(3, get()));
  for (const StreamId stream : {1, 3}) {
    ASSERT_TRUE(server.send_head(stream, ok(kStreamed)));
    server.send_data(stream, std::string(60'000, 'x'));
    server.send_end(stream);
  }
  std::size_t data = 0;
  int turns = 0;
  while (server.wants_output()) {
    const std::string out = take(20'000);
    EXPECT_LE(out.size(), 20'000U + 16'384 + 9);
    for (const Frame& one : frames(out)) data += one.type == kData ? one.payload.size() : 0;
    ASSERT_LT(++turns, 20);
  }
  EXPECT_EQ(data, 120'000U);
  EXPECT_THAT(owner.log, HasSubstr("done 1"));
  EXPECT_THAT(owner.log, HasSubstr("done 3"));
}

TEST_F(Http2ServerTest, AnAnswerInsideTheCallThatBringsTheRequest) {
  owner.at_head = [this](StreamId stream) { answer(stream); };
  feed(hello() + headers(1, get()) + headers(3, get()));
  take();
  EXPECT_THAT(owner.log, HasSubstr("done 1"));
  EXPECT_THAT(owner.log, HasSubstr("done 3"));
}

TEST_F(Http2ServerTest, AResetInsideACallEndsTheStreamForTheOwner) {
  owner.at_data = [this](StreamId stream) { server.reset(stream, Http2Error::kCancel); };
  feed(hello() + headers(1, post(), false));
  server.grant_request(1, 1000);
  feed(frame(kData, kNone, 1, "one") + frame(kData, kEnd, 1, "two"));
  EXPECT_EQ(owner.bodies[1], "one");
  const auto out = taken(kRst);
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(out[0].word(0), NGHTTP2_CANCEL);
  EXPECT_EQ(owner.log.find("reset"), std::string::npos);
  EXPECT_EQ(server.open_streams(), 0U);
  EXPECT_EQ(server.counts().malformed, 0U) << "not the client's doing";
}

TEST_F(Http2ServerTest, TheClientsResetIsTold) {
  feed(hello() + headers(1, get()));
  feed(frame(kRst, kNone, 1, number(8, 4)));
  EXPECT_THAT(owner.log, HasSubstr("reset 1\n"));
  EXPECT_EQ(server.counts().resets, 1U);
  answer(1);
  EXPECT_TRUE(server.wants_output());  // of the SETTINGS
  for (const Frame& one : frames(take())) EXPECT_EQ(one.stream, 0U);
}

TEST_F(Http2ServerTest, ARequestThatIsOverBeforeItBeganIsNotTold) {
  feed(hello() + headers(1, get()) + frame(kRst, kNone, 1, number(8, 4)) + headers(3, get()));
  EXPECT_EQ(owner.log, "head 3 GET / a.example {host:a.example,} body 0/0\nend 3\n");
  EXPECT_EQ(server.counts().resets, 1U);
}

// What a stream brings while its request waits comes behind the head: body, trailers, end, faults.
TEST_F(Http2ServerTest, ARequestWaitsUntilItIsAskedFor) {
  owner.at_head = [this](StreamId stream) { server.grant_request(stream, 10); };
  std::size_t allowance = 100;
  const std::string bytes = hello() + headers(1, post(), false) + frame(kData, kNone, 1, "ab") +
                            headers(1, {{"x-sum", "9"}}) + headers(3, get()) +
                            headers(5, {{":method", "GET"}}) + headers(7, post(), false) +
                            headers(7, {{"connection", "x"}});
  EXPECT_EQ(server.receive(bytes, now, allowance), bytes.size());
  EXPECT_EQ(allowance, 100U - 8U);
  EXPECT_EQ(owner.log, "");
  EXPECT_EQ(server.open_streams(), 0U) << "those that were told of";
  ASSERT_TRUE(server.wants_begin());
  server.begin_request();
  server.deliver();
  EXPECT_EQ(owner.log, "head 1 POST / a.example {host:a.example,} body 2/0\ntrailers 1 x-sum:9\nend 1\n");
  EXPECT_EQ(owner.bodies[1], "ab");
  owner.log.clear();
  ASSERT_TRUE(server.wants_begin());
  server.begin_request();
  EXPECT_EQ(owner.log, "head 3 GET / a.example {host:a.example,} body 0/0\nend 3\n");
  EXPECT_EQ(server.open_streams(), 2U);
  while (server.wants_begin()) server.begin_request();
  EXPECT_FALSE(server.wants_begin());
  server.begin_request();
}

TEST_F(Http2ServerTest, AFaultWhileARequestWaitsComesBehindItsHead) {
  std::size_t allowance = 100;
  std::vector<std::pair<std::string, std::string>> too_many;
  for (int i = 0; i < 101; ++i) too_many.emplace_back("x-sum", "9");
  const std::string bytes = hello() + headers(1, post(), false) + headers(1, too_many);
  EXPECT_EQ(server.receive(bytes, now, allowance), bytes.size());
  EXPECT_EQ(owner.log, "");
  server.begin_request();
  EXPECT_EQ(owner.log, "head 1 POST / a.example {host:a.example,} body 2/0\nfault 1 431\n");
}

TEST_F(Http2ServerTest, WhatIsMalformedWhileItWaitsIsRefused) {
  std::size_t allowance = 100;
  const std::string bytes =
      hello() + headers(1, with(post(), {{"content-length", "9"}}), false) + frame(kData, kEnd, 1, "x");
  EXPECT_EQ(server.receive(bytes, now, allowance), bytes.size());
  (void)take();
  EXPECT_EQ(owner.log, "refused 1 400 POST the request breaks the rules of HTTP/2\nmalformed 1\n");
  EXPECT_FALSE(server.wants_begin());
}

// One that sends a read full of requests has its turn, and the rest waits for the next.
TEST_F(Http2ServerTest, NoMoreIsTakenThanTheAllowance) {
  feed(hello());
  const std::string one = headers(1, get());
  std::string bytes = one;
  for (std::uint32_t stream = 3; stream < 40; stream += 2) bytes += headers(stream, get());
  std::size_t allowance = 3;
  const std::size_t taken = server.receive(bytes, now, allowance);
  EXPECT_EQ(allowance, 0U);
  EXPECT_EQ(taken, 3 * one.size());
  allowance = 1;
  EXPECT_EQ(server.receive(std::string_view(bytes).substr(taken), now, allowance), one.size());
  allowance = 1000;
  EXPECT_EQ(server.receive(std::string_view(bytes).substr(4 * one.size()), now, allowance),
            bytes.size() - 4 * one.size());
  std::size_t begun = 0;
  for (; server.wants_begin(); ++begun) server.begin_request();
  EXPECT_EQ(begun, 20U);
}

TEST_F(Http2ServerTest, WhatHpackMakesOfFewOctetsUsesUpTheAllowance) {
  feed(hello());
  const std::string large = headers(1, with(get(), {{"x", std::string(10 * kHttp2DecodedPerFrame, 'a')}}));
  std::size_t allowance = 11;
  const std::string bytes = large + headers(3, get());
  EXPECT_EQ(server.receive(bytes, now, allowance), large.size());
  EXPECT_EQ(allowance, 0U);
}

TEST_F(Http2ServerTest, ExtendedConnect) {
  feed(hello() + headers(1,
                         {{":method", "CONNECT"},
                          {":protocol", "websocket"},
                          {":scheme", "https"},
                          {":path", "/chat"},
                          {":authority", "a.example"}},
                         false));
  EXPECT_EQ(owner.log, "head 1 CONNECT /chat a.example websocket{host:a.example,} body 2/0\n");
  server.grant_request(1, 100);
  ASSERT_TRUE(server.send_head(1, ok(kStreamed)));
  server.send_data(1, std::string_view("down"));
  server.send_end(1);
  EXPECT_TRUE(taken(kRst).empty()) << "a tunnel's ways end one by one";
  feed(frame(kData, kEnd, 1, "up"));
  EXPECT_EQ(owner.bodies[1], "up");
  EXPECT_THAT(owner.log, HasSubstr("end 1\ndone 1\n"));
}

TEST_F(Http2ServerTest, PlainConnectIsToldToBeRefused) {
  feed(hello() + headers(1, {{":method", "CONNECT"}, {":authority", "b.example:443"}}, false));
  EXPECT_EQ(owner.log, "head 1 CONNECT  b.example:443 {host:b.example:443,} body 2/0\n");
}

// ---- malformed requests

struct Refused {
  const char* name;
  List fields;
  std::string data = {};  // of a DATA frame with END_STREAM; none: the head ends the stream
};

List replace(List list, const std::string& name, const std::string& value) {
  for (auto& [n, v] : list) {
    if (n == name) v = value;
  }
  return list;
}
List without(List list, const std::string& name) {
  std::erase_if(list, [&](const auto& field) { return field.first == name; });
  return list;
}

class MalformedHttp2 : public testing::TestWithParam<Refused> {};

TEST_P(MalformedHttp2, IsRefusedAndItsConnectionLives) {
  Owner owner;
  Http2Server server({}, owner);
  const bool body = !GetParam().data.empty();
  std::string bytes = hello() + headers(1, GetParam().fields, !body);
  if (body) bytes += frame(kData, kEnd, 1, GetParam().data);
  server.receive(bytes, SteadyTime(std::chrono::hours(1)));
  std::string out;
  server.take_output(out, 1 << 20);
  EXPECT_THAT(owner.log, testing::AnyOf(HasSubstr("refused 1 400"), HasSubstr("malformed 1"))) << owner.log;
  for (const Frame& one : frames(out)) EXPECT_NE(one.type, kGoaway);
  // Nothing of it may pass for a request.
  if (!body) {
    EXPECT_EQ(owner.log.find("head 1"), std::string::npos) << owner.log;
  }
  EXPECT_EQ(owner.log.find("end 1"), std::string::npos) << owner.log;
  owner.log.clear();
  bytes = headers(3, get());
  server.receive(bytes, SteadyTime(std::chrono::hours(1)));
  EXPECT_THAT(owner.log, HasSubstr("head 3 GET"));
  EXPECT_EQ(server.counts().calmed, 0U);
}

INSTANTIATE_TEST_SUITE_P(
    Wire, MalformedHttp2,
    testing::Values(
        Refused{"CrInValue", with(get(), {{"x", "a\rb"}})},
        Refused{"LfInValue", with(get(), {{"x", "a\nb"}})},
        Refused{"NulInValue", with(get(), {{"x", std::string("a\0b", 3)}})},
        Refused{"ControlInValue", with(get(), {{"x", "a\x01"}})},
        Refused{"SpaceBeforeValue", with(get(), {{"x", " a"}})},
        Refused{"SpaceAfterValue", with(get(), {{"x", "a "}})},
        Refused{"TabAfterValue", with(get(), {{"x", "a\t"}})},
        Refused{"UpperCaseName", with(get(), {{"X-Y", "a"}})},
        Refused{"LfInName", with(get(), {{"x\ny", "a"}})}, Refused{"CrInName", with(get(), {{"x\ry", "a"}})},
        Refused{"NulInName", with(get(), {{std::string("x\0y", 3), "a"}})},
        Refused{"SpaceInName", with(get(), {{"x y", "a"}})},
        Refused{"ColonInName", with(get(), {{"x:y", "a"}})}, Refused{"EmptyName", with(get(), {{"", "a"}})},
        Refused{"EightBitName", with(get(), {{"x\xff", "a"}})},
        Refused{"UnknownPseudo", with(get(), {{":x", "a"}})},
        Refused{"StatusPseudo", with(get(), {{":status", "200"}})},
        Refused{"TwoMethods", with(get(), {{":method", "GET"}})},
        Refused{"TwoPaths", with(get(), {{":path", "/"}})},
        Refused{"TwoSchemes", with(get(), {{":scheme", "https"}})},
        Refused{"TwoAuthorities", with(get(), {{":authority", "a.example"}})},
        Refused{"PseudoAfterField",
                with(with({{":method", "GET"}, {":scheme", "https"}, {":path", "/"}}, {{"x", "y"}}),
                     {{":authority", "a.example"}})},
        Refused{"NoMethod", without(get(), ":method")}, Refused{"NoPath", without(get(), ":path")},
        Refused{"NoScheme", without(get(), ":scheme")}, Refused{"NoAuthority", without(get(), ":authority")},
        Refused{"EmptyPath", replace(get(), ":path", "")},
        Refused{"EmptyMethod", replace(get(), ":method", "")},
        Refused{"EmptyAuthority", replace(get(), ":authority", "")}, Refused{"PathWithoutSlash", get("x")},
        Refused{"AbsolutePath", get("https://a.example/")}, Refused{"AsteriskForGet", get("*")},
        Refused{"SpaceInPath", get("/a b")}, Refused{"FragmentInPath", get("/a#b")},
        Refused{"EightBitPath", get("/\xc3\xa4")}, Refused{"TabInPath", get("/a\tb")},
        Refused{"LfInPath", get("/a\nb: c")}, Refused{"SpaceInMethod", replace(get(), ":method", "GET /x")},
        Refused{"OddScheme", replace(get(), ":scheme", "ftp")},
        Refused{"EvilScheme", replace(get(), ":scheme", "https://b/?")},
        Refused{"Userinfo", replace(get(), ":authority", "u@a.example")},
        Refused{"OddAuthority", replace(get(), ":authority", "a.example/x")},
        Refused{"AuthorityAgainstHost", with(get(), {{"host", "b.example"}})},
        Refused{"AuthorityAgainstHostsPort", with(get(), {{"host", "a.example:8443"}})},
        Refused{"TwoHosts", with(get(), {{"host", "a.example"}, {"host", "a.example"}})},
        Refused{"OddHost", with(without(get(), ":authority"), {{"host", "a b"}})},
        Refused{"Connection", with(get(), {{"connection", "x-auth"}})},
        Refused{"KeepAlive", with(get(), {{"keep-alive", "1"}})},
        Refused{"ProxyConnection", with(get(), {{"proxy-connection", "close"}})},
        Refused{"TransferEncoding", with(get(), {{"transfer-encoding", "chunked"}})},
        Refused{"Upgrade", with(get(), {{"upgrade", "h2c"}})}, Refused{"Te", with(get(), {{"te", "gzip"}})},
        Refused{"TeList", with(get(), {{"te", "trailers, gzip"}})},
        Refused{"DisguisedLength", with(get(), {{"content_length", "1"}})},
        Refused{"DisguisedCoding", with(get(), {{"transfer_encoding", "chunked"}})},
        Refused{"LengthWithoutBody", with(get(), {{"content-length", "3"}})},
        Refused{"LengthTooLong", with(post(), {{"content-length", "9"}}), "abc"},
        Refused{"LengthTooShort", with(post(), {{"content-length", "2"}}), "abc"},
        Refused{"TwoLengths", with(get(), {{"content-length", "0"}, {"content-length", "0"}})},
        Refused{"LengthWithSign", with(get(), {{"content-length", "+0"}})},
        Refused{"LengthList", with(get(), {{"content-length", "0, 0"}})},
        Refused{"LengthOverflow", with(post(), {{"content-length", "18446744073709551616"}})},
        Refused{"ProtocolWithoutConnect", with({{":protocol", "websocket"}}, get())},
        Refused{"ConnectWithPath", {{":method", "CONNECT"}, {":authority", "a:1"}, {":path", "/"}}},
        Refused{"ConnectWithoutPort", {{":method", "CONNECT"}, {":authority", "a"}}}),
    [](const auto& row) { return std::string(row.param.name); });

TEST_F(Http2ServerTest, AsteriskForOptions) {
  feed(hello() + headers(1, replace(get("*"), ":method", "OPTIONS")));
  EXPECT_THAT(owner.log, HasSubstr("head 1 OPTIONS * "));
}

TEST_F(Http2ServerTest, MalformedTrailersResetOrFault) {
  const List bad[] = {{{":path", "/"}}, {{"x", "a\nb"}}, {{"connection", "x"}}, {{"X", "a"}}};
  std::uint32_t stream = 1;
  for (const List& trailers : bad) {
    feed((stream == 1 ? hello() : "") + headers(stream, post(), false) + headers(stream, trailers));
    take();
    EXPECT_THAT(owner.log, HasSubstr("malformed " + std::to_string(stream)));
    EXPECT_EQ(owner.log.find("end " + std::to_string(stream)), std::string::npos);
    stream += 2;
  }
  EXPECT_EQ(server.counts().malformed, 4U);
}

// A backend that merges trailers into the head must not find another length or host there.
TEST_F(Http2ServerTest, TrailersThatFrameOrRouteAreRefused) {
  std::uint32_t stream = 1;
  for (const char* name : {"host", "content_length", "transfer.encoding"}) {
    feed((stream == 1 ? hello() : "") + headers(stream, post(), false) + headers(stream, {{name, "9"}}));
    take();
    const std::string id = std::to_string(stream);
    EXPECT_THAT(owner.log, HasSubstr("fault " + id + " 400")) << name;
    EXPECT_EQ(owner.log.find("end " + id), std::string::npos) << name;
    stream += 2;
  }
}

// ---- limits

class LimitedHttp2Server : public Http2ServerTest {
 protected:
  LimitedHttp2Server()
      : Http2ServerTest({.max_head_bytes = 2000, .max_fields = 10, .max_body_bytes = 8, .max_streams = 3}) {}
};

TEST_F(LimitedHttp2Server, TooLongAndTooManyFields) {
  feed(hello() + headers(1, with(get(), {{"x", std::string(2000, 'a')}})));
  EXPECT_THAT(owner.log, HasSubstr("refused 1 431 GET"));
  List many = get();
  for (int i = 0; i < 11; ++i) many.push_back({"x", "y"});
  feed(headers(3, many));
  EXPECT_THAT(owner.log, HasSubstr("refused 3 431 GET"));
  answer(3);
  feed(headers(5, get()));
  EXPECT_THAT(owner.log, HasSubstr("head 5"));
  EXPECT_EQ(goaway(), -1);
}

// Which field a browser cuts in pieces is its own affair; how long they are together counts.
TEST_F(LimitedHttp2Server, ACookieInPiecesIsOneField) {
  List many = with(get(), {{"a", "b"}});
  for (int i = 0; i < 50; ++i) many.push_back({"cookie", "c=d"});
  feed(hello() + headers(1, many));
  EXPECT_THAT(owner.log, HasSubstr("head 1 GET"));
  for (int i = 0; i < 200; ++i) many.push_back({"cookie", "c=d"});
  feed(headers(3, many));
  EXPECT_THAT(owner.log, HasSubstr("refused 3 431 GET"));
}

TEST_F(LimitedHttp2Server, ABombOfIndexedFieldsEndsTheConnection) {
  // One field of 1.5 KB enters the table, then it is named again and again, a byte each.
  std::string bomb = entry("x", std::string(1500, 'a'));
  feed(hello() + frame(kHeaders, kEnd | kEndHeaders, 1, hpack(get()) + bomb + std::string(2000, '\xbe')));
  EXPECT_EQ(goaway(), NGHTTP2_ENHANCE_YOUR_CALM);
  EXPECT_EQ(owner.log.find("head"), std::string::npos);
  EXPECT_TRUE(server.finished());
}

TEST_F(LimitedHttp2Server, ATunnelHasNoBodyThatCouldBeTooLarge) {
  feed(hello() + headers(1,
                         {{":method", "CONNECT"},
                          {":protocol", "websocket"},
                          {":scheme", "https"},
                          {":path", "/chat"},
                          {":authority", "a.example"}},
                         false));
  server.grant_request(1, 100);
  ASSERT_TRUE(server.send_head(1, ok(kStreamed)));
  for (const std::string_view bytes : {"12345678", "9 and more", "and more"})
    feed(frame(kData, kNone, 1, std::string(bytes)));
  EXPECT_EQ(owner.bodies[1], "123456789 and moreand more");
  EXPECT_THAT(owner.log, testing::Not(HasSubstr("fault")));
}

// A hundred heads that name one entry of the table five times hold its bytes once.
TEST_F(Http2ServerTest, HeadsShareTheBytesThatTheyName) {
  std::vector<http::RequestHead> heads;
  owner.keep_heads = &heads;
  const std::string value(3900, 'a');
  feed(hello() + frame(kHeaders, kEnd | kEndHeaders, 1, hpack(get()) + entry("long-name-of-a-field", value)));
  for (std::uint32_t i = 1; i < 100; ++i) {
    feed(frame(kHeaders, kEnd | kEndHeaders, 2 * i + 1, hpack(get()) + std::string(4, '\xbe')));
  }
  ASSERT_EQ(heads.size(), 100U);
  const http::Field& first = *(heads[0].fields.begin());
  EXPECT_EQ(first.value, value);
  for (std::size_t i = 1; i < heads.size(); ++i) {
    std::size_t same = 0;
    for (const http::Field& field : heads[i].fields) {
      same += field.name.data() == first.name.data() && field.value.data() == first.value.data() ? 1U : 0U;
    }
    EXPECT_EQ(same, 4U);
  }
  // They outlive the table, the connection, and each other.
  feed(frame(kHeaders, kEnd | kEndHeaders, 201, hpack(get()) + entry("other", std::string(4000, 'b'))));
  heads.resize(1);
  EXPECT_EQ(heads[0].fields.begin()->value, value);
}

// A head of 57 KiB that is sent in 120 octets is a request like another, and a flood of it none.
TEST_F(Http2ServerTest, FewHeadsMayRepeatMuch) {
  feed(hello() + frame(kHeaders, kEnd | kEndHeaders, 1, hpack(get()) + entry("x", std::string(649, 'a'))));
  answer(1);
  std::uint32_t stream = 3;
  const auto bomb = [&] {
    feed(frame(kHeaders, kEnd | kEndHeaders, stream, hpack(get()) + std::string(90, '\xbe')));
    const bool welcome = owner.log.find("head " + std::to_string(stream) + " ") != std::string::npos;
    if (welcome) answer(static_cast<StreamId>(stream));
    stream += 2;
    return welcome;
  };
  int welcome = 0;
  for (; bomb(); take()) ++welcome;
  EXPECT_EQ(welcome, 12);  // of 41 KiB beyond what is free
  const auto resets = taken(kRst);
  ASSERT_EQ(resets.size(), 1U);
  EXPECT_EQ(resets[0].word(0), static_cast<std::uint32_t>(NGHTTP2_REFUSED_STREAM));
  EXPECT_EQ(server.counts().repeats, 13U);
  EXPECT_EQ(server.counts().refused, 1U);
  EXPECT_EQ(server.counts().malformed, 0U);

  feed(headers(stream, get()));  // nobody else is meant
  answer(static_cast<StreamId>(stream));
  stream += 2;
  now += std::chrono::milliseconds(700);
  EXPECT_TRUE(bomb());
  EXPECT_FALSE(bomb());
  take();
  now += std::chrono::hours(1);
  for (welcome = 0; bomb(); take()) ++welcome;
  EXPECT_EQ(welcome, 12);

  for (; stream < 2001 && server.counts().calmed == 0; take()) bomb();
  EXPECT_LT(stream, 2001U);
  EXPECT_EQ(server.open_streams(), 0U);
}

TEST_F(Http2ServerTest, TrailersThatRepeatTooMuchAreRefused) {
  feed(hello() + frame(kHeaders, kEnd | kEndHeaders, 1, hpack(get()) + entry("x", std::string(649, 'a'))));
  for (std::uint32_t stream = 3; stream < 33; stream += 2) {
    feed(headers(stream, post(), false) +
         frame(kHeaders, kEnd | kEndHeaders, stream, std::string(90, '\xbe')));
  }
  EXPECT_EQ(server.counts().refused, 3U);
}

// Large as sent, in each head anew or in the first one: nothing that the table spares is above what is free.
TEST_F(Http2ServerTest, LargeHeadsThatWereSentAreWelcome) {
  feed(hello());
  std::uint32_t stream = 1;
  for (; stream < 1001; stream += 2) {
    List fields = get();
    for (int i = 0; i < 15; ++i) fields.push_back({"x-" + std::to_string(i), std::string(4000, 'v')});
    feed(headers(stream, fields));
    answer(static_cast<StreamId>(stream));
    take();
  }
  const std::string cookies = entry("cookie", std::string(4000, 'c'));
  feed(frame(kHeaders, kEnd | kEndHeaders, stream, hpack(get()) + cookies));
  for (stream += 2; stream < 2001; stream += 2) {
    feed(frame(kHeaders, kEnd | kEndHeaders, stream, hpack(get()) + std::string(4, '\xbe')));
    answer(static_cast<StreamId>(stream));
    take();
  }
  EXPECT_EQ(server.counts().repeats, 0U);
  EXPECT_EQ(server.counts().calmed, 0U);
}

// However they come in: a section's own frames are counted, and none of the next one's.
TEST_F(Http2ServerTest, LargeHeadsThatCompressWellAreWelcomeInAnyPieces) {
  std::string bytes = hello();
  for (std::uint32_t stream = 1; stream < 61; stream += 2) {
    const std::string block = hpack(with(get(), {{"x", std::string(60'000, 'f')}}));
    bytes += frame(kHeaders, kEnd, stream, block.substr(0, 16'000)) +
             frame(kMore, 0, stream, block.substr(16'000, 16'000)) +
             frame(kMore, kEndHeaders, stream, block.substr(32'000));
  }
  for (std::size_t at = 0; at < bytes.size(); at += 7'001) feed(bytes.substr(at, 7'001));
  EXPECT_EQ(server.open_streams(), 30U);
  EXPECT_EQ(server.counts().repeats, 0U);
}

// What heads cost besides their bytes is bounded for all open streams together: those beyond may come again.
TEST_F(Http2ServerTest, HeadsThatCostTooMuchTogetherAreRefused) {
  const std::string fields = hpack(get()) + std::string(90, '\xbe');
  feed(hello() + frame(kHeaders, kEnd | kEndHeaders, 1, hpack(get()) + entry("x", "y")));
  std::uint32_t stream = 3;
  for (; server.counts().refused == 0 && stream < 201; stream += 2) {
    feed(frame(kHeaders, kEnd | kEndHeaders, stream, fields));
  }
  EXPECT_NEAR(static_cast<double>(server.open_streams()) * 91 * 48, kHttp2HeadCost, 10'000);
  const auto resets = taken(kRst);
  ASSERT_EQ(resets.size(), 1U);
  EXPECT_EQ(resets[0].stream, stream - 2);
  EXPECT_EQ(resets[0].word(0), static_cast<std::uint32_t>(NGHTTP2_REFUSED_STREAM));
  EXPECT_EQ(owner.log.find("head " + std::to_string(stream - 2) + " "), std::string::npos);
  EXPECT_EQ(owner.log.find("refused"), std::string::npos) << "the owner never heard of it";
  EXPECT_EQ(server.counts().malformed, 0U);
  // One ends, and another one has its place.
  answer(3);
  take();
  feed(frame(kHeaders, kEnd | kEndHeaders, stream, fields));
  EXPECT_THAT(owner.log, HasSubstr("head " + std::to_string(stream) + " "));
}

TEST_F(Http2ServerTest, LongTargetsCostAsWell) {
  List fields = get("/" + std::string(3000, 'p'));
  feed(hello());
  for (std::uint32_t stream = 1; stream < 201; stream += 2) feed(headers(stream, fields));
  EXPECT_LT(server.open_streams(), kHttp2HeadCost / 6000 + 1);
  EXPECT_GT(server.counts().refused, 40U);
}

// A browser's fields, a hundred times: never refused.
TEST_F(Http2ServerTest, AHundredOrdinaryHeadsAreWelcome) {
  List fields = get("/" + std::string(200, 'p'));
  for (int i = 0; i < 40; ++i) fields.push_back({"x-" + std::to_string(i), std::string(60, 'v')});
  feed(hello());
  for (std::uint32_t stream = 1; stream < 201; stream += 2) feed(headers(stream, fields));
  EXPECT_EQ(server.open_streams(), 100U);
  EXPECT_EQ(server.counts().refused, 0U);
}

TEST_F(LimitedHttp2Server, TooLargeABody) {
  feed(hello() + headers(1, with(post(), {{"content-length", "9"}}), false));
  EXPECT_THAT(owner.log, HasSubstr("refused 1 413"));
  feed(headers(3, post(), false));
  server.grant_request(3, 100);
  feed(frame(kData, kNone, 3, "12345678"));
  EXPECT_EQ(owner.bodies[3], "12345678");
  feed(frame(kData, kNone, 3, "9"));
  EXPECT_THAT(owner.log, HasSubstr("fault 3 413"));
  EXPECT_EQ(owner.bodies[3], "12345678");
  answer(3);
  take();
  EXPECT_THAT(owner.log, HasSubstr("done 3"));
}

TEST_F(LimitedHttp2Server, StreamsBeyondTheLimitAreRefused) {
  feed(hello() + frame(kSettings, kAck, 0));
  take();
  for (std::uint32_t stream = 1; stream <= 9; stream += 2) feed(headers(stream, get()));
  EXPECT_EQ(server.open_streams(), 3U);
  EXPECT_EQ(owner.log.find("head 7"), std::string::npos);
}

// ---- hostile peers: each of these ends the connection, and only after many

struct Flood {
  const char* name;
  std::string (*one)(std::uint32_t n);
  bool answered = false;  // the owner answers every request at once
};

class Http2Flood : public testing::TestWithParam<Flood> {};

TEST_P(Http2Flood, EndsTheConnectionCalmly) {
  Owner owner;
  Http2Server server({}, owner);
  const SteadyTime now(std::chrono::hours(1));
  std::string out, bytes = hello();
  server.receive(bytes, now);
  std::uint32_t n = 0;
  for (; n < 20'000 && !server.finished(); ++n) {
    bytes = GetParam().one(n);
    server.receive(bytes, now);
    if (n % 16 == 0) {
      out.clear();
      server.take_output(out, 1 << 20);
    }
    ASSERT_LE(server.open_streams(), 100U);
  }
  EXPECT_GT(n, 99U) << "too strict";
  EXPECT_LT(n, 2'000U) << "too lax";
  EXPECT_EQ(server.counts().calmed, 1U);
  EXPECT_EQ(server.counts().broken, 0U);
  const auto sent = frames(out);
  ASSERT_FALSE(sent.empty());
  EXPECT_EQ(sent.back().type, kGoaway);
  EXPECT_EQ(sent.back().word(4), static_cast<std::uint32_t>(NGHTTP2_ENHANCE_YOUR_CALM));
  EXPECT_EQ(server.open_streams(), 0U);
}

INSTANTIATE_TEST_SUITE_P(
    Wire, Http2Flood,
    testing::Values(
        Flood{"RapidReset",
              [](std::uint32_t n) {
                return headers(2 * n + 1, get()) + frame(kRst, kNone, 2 * n + 1, number(8, 4));
              }},
        Flood{"LengthThatLies",
              [](std::uint32_t n) {
                return headers(2 * n + 1, with(post(), {{"content-length", "1"}}), false) +
                       frame(kData, kEnd, 2 * n + 1, "ab");
              }},
        Flood{"WindowOverflow",
              [](std::uint32_t n) {
                return headers(2 * n + 1, get()) + frame(kWindow, kNone, 2 * n + 1, number(0x7fffffff, 4));
              }},
        Flood{"Malformed", [](std::uint32_t n) { return headers(2 * n + 1, {{":method", "GET"}}); }},
        Flood{"Ping", [](std::uint32_t) { return frame(kPing, kNone, 0, "12345678"); }},
        Flood{"PingAck", [](std::uint32_t) { return frame(kPing, kAck, 0, "12345678"); }},
        Flood{"Settings", [](std::uint32_t) { return frame(kSettings, kNone, 0); }},
        Flood{"Priority", [](std::uint32_t) { return frame(kPriority, kNone, 1, std::string(5, '\0')); }},
        Flood{"EmptyData",
              [](std::uint32_t n) { return n == 0 ? headers(1, post(), false) : frame(kData, kNone, 1); }},
        Flood{"PaddedEmptyData",
              [](std::uint32_t n) {
                return n == 0 ? headers(1, post(), false)
                              : frame(kData, kPadded, 1, std::string("\2\0\0", 3));
              }},
        Flood{"TinyWindowUpdates", [](std::uint32_t) { return frame(kWindow, kNone, 0, number(1, 4)); }},
        Flood{"Unknown", [](std::uint32_t) { return frame(0x42, kNone, 0, "x"); }}),
    [](const auto& row) { return std::string(row.param.name); });

// A client could have us reset what it had us begin, without a reset of its own (CVE-2025-8671). These end
// the connection at once.
TEST_F(Http2ServerTest, ProvokedResetsAreNoWayAroundTheBudget) {
  const std::string provoking[] = {
      frame(kWindow, kNone, 1, number(0, 4)),
      frame(kData, kNone, 1, "x"),
      frame(kHeaders, kEnd | kEndHeaders, 1, hpack({{"x", "y"}})),
      frame(kPriority, kNone, 1, number(1, 4) + "x"),
  };
  for (const std::string& frames_after : provoking) {
    Owner other;
    Http2Server one({}, other);
    std::uint32_t n = 0;
    std::string bytes = hello();
    one.receive(bytes, now);
    for (; n < 2000 && !one.finished(); ++n) {
      bytes = headers(2 * n + 1, get());
      std::string after = frames_after;
      for (int i = 0; i < 4; ++i) {
        after[5 + static_cast<std::size_t>(i)] = static_cast<char>((2 * n + 1) >> (24 - 8 * i) & 0xff);
      }
      one.receive(bytes + after, now);
      std::string out;
      one.take_output(out, 1 << 20);
    }
    EXPECT_LT(n, 1000U);
  }
}

// An answer that came early: what of the upload is under way is no flood.
TEST_F(Http2ServerTest, TheRestOfAnUploadThatIsNotWantedIsWelcome) {
  feed(hello());
  const std::uint64_t before = server.counts().idle_frames;
  for (std::uint32_t stream = 1; stream < 20; stream += 2) {
    feed(headers(stream, post(), false));
    answer(static_cast<StreamId>(stream));
    take();
    for (int n = 0; n < 900; ++n) feed(frame(kData, kNone, stream, "x"));
    feed(frame(kData, kEnd, stream, "x"));
    take();
  }
  EXPECT_FALSE(server.finished());
  EXPECT_EQ(server.counts().idle_frames, before);
}

TEST_F(Http2ServerTest, AContinuationFloodEndsTheConnection) {
  feed(hello() + frame(kHeaders, kEnd, 1, hpack(get())));
  EXPECT_TRUE(server.in_head());
  for (int i = 0; i < 200 && !server.finished(); ++i) {
    feed(frame(kMore, kNone, 1, ""));
    take();
  }
  EXPECT_TRUE(server.finished());
  EXPECT_EQ(server.counts().calmed, 1U);
  EXPECT_EQ(owner.log.find("head"), std::string::npos);
}

// libnghttp2 counts a CONTINUATION again for every piece that its head comes in.
TEST_F(Http2ServerTest, ContinuationsMayComeInSingleBytes) {
  const std::string block = hpack(with(get(), {{"x", "y"}}));
  std::string bytes = hello() + frame(kHeaders, kEnd, 1, "");
  for (const char byte : block.substr(0, 8)) bytes += frame(kMore, kNone, 1, std::string(1, byte));
  bytes += frame(kMore, kEndHeaders, 1, block.substr(8));
  for (const char byte : bytes) feed(std::string(1, byte));
  EXPECT_EQ(server.counts().calmed, 0U);
  EXPECT_EQ(owner.log, "head 1 GET / a.example {x:y,host:a.example,} body 0/0\nend 1\n");
}

// grpc-go's clients ping while they receive, as often as the way allows.
TEST_F(Http2ServerTest, AClientMayMeasureTheWayByPings) {
  feed(hello() + headers(1, get()));
  ASSERT_TRUE(server.send_head(1, ok(kStreamed)));
  take();
  for (int n = 0; n < 10'000; ++n) {
    server.send_data(1, std::string(100, 'b'));
    ASSERT_EQ(taken(kData).size(), 1U) << n;
    feed(frame(kPing, kNone, 0, "12345678") + frame(kWindow, kNone, 0, number(100, 4)) +
         frame(kWindow, kNone, 1, number(100, 4)));
    ASSERT_FALSE(server.finished()) << n;
  }
  EXPECT_EQ(server.counts().calmed, 0U);
}

TEST_F(Http2ServerTest, AHonestClientMayDoAsMuchInTime) {
  feed(hello());
  for (std::uint32_t n = 0; n < 5'000; ++n) {
    const std::uint32_t stream = 2 * n + 1;
    // Two requests in three are cancelled, twenty a second.
    feed(headers(stream, get()));
    if (n % 3 == 0) {
      answer(static_cast<StreamId>(stream));
    } else {
      feed(frame(kRst, kNone, stream, number(8, 4)));
    }
    feed(frame(kPing, kNone, 0, "12345678"));
    take();
    now += std::chrono::milliseconds(100);
    ASSERT_FALSE(server.finished()) << n;
  }
}

TEST_F(Http2ServerTest, ManyAnsweredRequestsNeverUseUpTheBudget) {
  feed(hello());
  for (std::uint32_t n = 0; n < 5'000; ++n) {
    feed(headers(2 * n + 1, get()));
    answer(static_cast<StreamId>(2 * n + 1));
    take();
    feed(frame(kWindow, kNone, 0, number(2, 4)));
    ASSERT_FALSE(server.finished()) << n;
  }
}

// ---- the connection

TEST_F(Http2ServerTest, WrongPrefacesAndBrokenFramesEndTheConnection) {
  const std::string bad[] = {
      "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
      std::string(kPreface) + frame(kPing, kNone, 0, "12345678"),        // SETTINGS must come first
      hello() + frame(kData, kNone, 1, "x"),                             // on an idle stream
      hello() + headers(2, get()),                                       // an even number
      hello() + frame(kSettings, kNone, 0, "12345"),                     // a size that cannot be
      hello() + number(0xffffff, 3) + number(0, 1) + number(0, 5),       // larger than allowed
      hello() + frame(kHeaders, kEnd | kEndHeaders, 1, "\xff\xff\xff"),  // broken HPACK
      hello() + frame(kHeaders, kEnd, 1, hpack(get())) + frame(kPing, kNone, 0, "12345678"),
      hello() + frame(kMore, kEndHeaders, 1, ""),
      hello() + headers(5, get()) + headers(3, get()),  // passed over
      hello() + frame(kPush, kEndHeaders, 1, number(2, 4)),
  };
  for (const std::string& bytes : bad) {
    Owner other;
    Http2Server one({}, other);
    one.receive(bytes, now);
    std::string out;
    one.take_output(out, 1 << 20);
    EXPECT_TRUE(one.finished()) << bytes;
    const auto sent = frames(out);
    ASSERT_FALSE(sent.empty());
    EXPECT_EQ(sent.back().type, kGoaway);
    EXPECT_NE(sent.back().word(4), 0U);
    EXPECT_EQ(one.counts().broken, 1U);
    EXPECT_EQ(one.counts().calmed, 0U);
  }
}

// RFC 9113 5.1.1: opening a stream closes those below that were passed over; a frame of one that was used may
// be late.
TEST_F(Http2ServerTest, AStreamThatWasPassedOverIsNeverOpened) {
  feed(hello() + headers(1, get()) + headers(9, get()));
  EXPECT_EQ(goaway(), -1);
  answer(1);
  take();
  feed(headers(11, get()));
  EXPECT_EQ(goaway(), -1);
  feed(headers(5, get()));
  EXPECT_EQ(goaway(), 1);
  EXPECT_TRUE(server.finished());
}

TEST_F(Http2ServerTest, AFaultOfTheConnectionEndsItsStreams) {
  feed(hello() + headers(1, get()) + headers(3, post(), false) + frame(kWindow, kNone, 0, number(0, 4)));
  take();
  EXPECT_THAT(owner.log, HasSubstr("reset 1\n"));
  EXPECT_THAT(owner.log, HasSubstr("reset 3\n"));
  EXPECT_EQ(server.open_streams(), 0U);
  answer(1);
  feed(headers(5, get()));
  EXPECT_EQ(owner.log.find("head 5"), std::string::npos);
}

TEST_F(Http2ServerTest, ShutdownServesWhatItNamed) {
  feed(hello() + headers(1, get()));
  take();
  server.begin_shutdown();
  auto out = taken(kGoaway);
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(out[0].word(0), 0x7fffffffU);
  feed(headers(3, get()));
  EXPECT_THAT(owner.log, HasSubstr("head 3"));
  server.end_shutdown();
  out = taken(kGoaway);
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(out[0].word(0), 3U);
  EXPECT_EQ(out[0].word(4), 0U);
  feed(headers(5, get()));
  EXPECT_EQ(owner.log.find("head 5"), std::string::npos);
  EXPECT_FALSE(server.finished());
  answer(1);
  answer(3);
  take();
  EXPECT_TRUE(server.finished());
}

TEST_F(Http2ServerTest, TerminateSaysWhyAndNothingMore) {
  feed(hello() + headers(1, get()));
  owner.log.clear();
  server.terminate(Http2Error::kEnhanceYourCalm);
  EXPECT_EQ(goaway(), static_cast<int>(Http2Error::kEnhanceYourCalm));
  EXPECT_EQ(server.counts().broken, 0U) << "it did nothing wrong";
  EXPECT_TRUE(server.finished());
  EXPECT_EQ(owner.log, "");
  EXPECT_EQ(server.open_streams(), 0U);
}

TEST_F(Http2ServerTest, PingsAreAnswered) {
  feed(hello() + frame(kPing, kNone, 0, "abcdefgh"));
  const auto out = taken(kPing);
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(out[0].flags, kAck);
  EXPECT_EQ(out[0].payload, "abcdefgh");
}

TEST_F(Http2ServerTest, TheSameComesOutOfBytesOneByOne) {
  const std::string first =
      hello() + headers(1, post(), false) + frame(kData, kNone, 1, "ab") + headers(1, {{"x-sum", "9"}});
  const std::string second = headers(3, get()) + frame(kRst, kNone, 3, number(8, 4));
  owner.at_head = [this](StreamId stream) { server.grant_request(stream, 10); };
  feed(first);
  server.deliver();
  feed(second.substr(0, second.size() - 1));
  feed(second.substr(second.size() - 1));
  Owner other;
  Http2Server one({}, other);
  other.at_head = [&](StreamId stream) { one.grant_request(stream, 10); };
  for (const char& byte : first + second) one.receive({&byte, 1}, now);
  EXPECT_EQ(other.log, owner.log);
  EXPECT_EQ(other.bodies, owner.bodies);
}

}  // namespace
}  // namespace holdfast::wire
