#include "listener/http1_session.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "fixture.h"

namespace holdfast::testing {
namespace {

using pipeline::Cause;
using State = net::Stream::State;
using Kind = http::BodyLength::Kind;

class Http1SessionTest : public ListenerTest {};
INSTANTIATE_TEST_SUITE_P(PlainAndTls, Http1SessionTest, ::testing::Bool(), mode_name);

constexpr std::string_view kGet = "GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n";

std::size_t occurrences(std::string_view text, std::string_view word) {
  std::size_t found = 0;
  for (auto at = text.find(word); at != text.npos; at = text.find(word, at + word.size())) ++found;
  return found;
}

TEST_P(Http1SessionTest, AnswersAndKeepsTheConnection) {
  story.on_start = [](StoryRequest& request) { request.answer(200, "hello"); };
  const auto client = connect();
  for (int i = 1; i <= 3; ++i) {
    client->send(kGet);
    ASSERT_TRUE(turn([&] { return client->received.ends_with("hello"); }));
    EXPECT_TRUE(client->received.starts_with("HTTP/1.1 200 OK\r\n"));
    EXPECT_TRUE(client->received.contains("\r\nContent-Length: 5\r\n"));
    EXPECT_TRUE(client->received.contains("\r\nX-Story: yes\r\n"));
    EXPECT_EQ(occurrences(client->received, "\r\nDate: "), 1u);
    EXPECT_FALSE(client->received.contains("Connection:"));
    client->received.clear();
    settle();
    EXPECT_EQ(listening->connections(), 1u);
  }
  EXPECT_EQ(story.facts->listener, 4u);
  EXPECT_EQ(story.facts->client_ip, "127.0.0.1");
  EXPECT_EQ(story.facts->tls, GetParam());
  if (GetParam()) {
    EXPECT_EQ(story.facts->certificate_names->front(), "localhost");
  }
}

// It lies in the kernel when the drain begins: the loop is turned afterwards only.
TEST_P(Http1SessionTest, WhatCameBeforeADrainIsServed) {
  story.on_start = [](StoryRequest& request) { request.answer(200, "hello"); };
  const auto kept = connect();
  kept->send(kGet);
  ASSERT_TRUE(turn([&] { return kept->received.ends_with("hello"); }));
  kept->received.clear();
  const auto fresh = connect();
  const auto silent = connect();
  settle();
  kept->send(kGet);
  fresh->send(kGet);
  listening->drain(std::chrono::seconds(10), [] {});
  for (const auto& client : {kept, fresh}) {
    ASSERT_TRUE(turn([&] { return client->end.has_value(); }));
    EXPECT_EQ(*client->end, State::kEnd);
    EXPECT_TRUE(client->received.ends_with("hello")) << client->received;
    EXPECT_TRUE(client->received.contains("\r\nConnection: close\r\n")) << client->received;
  }
  ASSERT_TRUE(turn([&] { return silent->end.has_value(); }));
  EXPECT_EQ(silent->received, "");
}

TEST_P(Http1SessionTest, AnswersLater) {
  const auto client = connect();
  client->send(kGet);
  ASSERT_TRUE(turn([&] { return !story.requests.empty() && story.last().ended; }));
  settle();
  EXPECT_TRUE(client->received.empty());
  story.last().answer(404, "later");
  ASSERT_TRUE(turn([&] { return client->received.ends_with("later"); }));
}

TEST_P(Http1SessionTest, PipelinedRequestsWaitForTheAnswerBefore) {
  const auto client = connect();
  client->send(
      "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\nGET /3 HTTP/1.1\r\nHost: "
      "a\r\n\r\n");
  ASSERT_TRUE(turn([&] { return story.requests.size() == 1; }));
  settle();
  EXPECT_EQ(story.requests.size(), 1u);
  story.last().answer(200, "one");
  ASSERT_TRUE(turn([&] { return story.requests.size() == 2; }));
  story.last().answer(200, "two");
  ASSERT_TRUE(turn([&] { return story.requests.size() == 3; }));
  EXPECT_EQ(story.last().target, "/3");
  story.last().answer(200, "three");
  ASSERT_TRUE(turn([&] { return client->received.ends_with("three"); }));
  EXPECT_LT(client->received.find("one"), client->received.find("two"));
}

TEST_P(Http1SessionTest, AThousandPipelinedRequestsAnsweredAtOnceDoNotNest) {
  story.on_start = [](StoryRequest& request) { request.answer(200, "x"); };
  const auto client = connect();
  for (int i = 0; i < 1000; ++i) client->send(kGet);
  ASSERT_TRUE(turn([&] { return story.requests.size() == 1000; }));
  ASSERT_TRUE(turn([&] { return occurrences(client->received, "HTTP/1.1 200") == 1000; }));
}

TEST_P(Http1SessionTest, AFloodBehindAnUnansweredRequestIsNotRead) {
  const auto client = connect();
  client->send(kGet);
  client->send(std::string(30'000'000, 'x'));
  ASSERT_TRUE(turn([&] { return story.requests.size() == 1; }));
  settle(50);
  EXPECT_LT(client->at, 20'000'000u);
}

TEST_P(Http1SessionTest, OneByteAtATime) {
  story.on_start = [](StoryRequest& request) { request.client->grant_request(1000); };
  const auto client = connect();
  const std::string request =
      "POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-T: "
      "1\r\n\r\n";
  for (const char byte : request) {
    client->send({&byte, 1});
    turn_once(worker, std::chrono::milliseconds(1));
  }
  ASSERT_TRUE(turn([&] { return !story.requests.empty() && story.last().ended; }));
  EXPECT_EQ(story.last().body, "abcde");
  EXPECT_EQ(story.last().trailers.find("x-t"), "1");
  story.last().answer(200, "ok");
  ASSERT_TRUE(turn([&] { return client->received.ends_with("ok"); }));
}

TEST_P(Http1SessionTest, NoBodyIsReadBeforeItIsGrantedAndNeverMoreThanThat) {
  const auto client = connect();
  client->send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n" + std::string(300'000, 'b'));
  ASSERT_TRUE(turn([&] { return story.requests.size() == 1; }));
  settle();
  StoryRequest& request = story.last();
  request.regrant = false;
  EXPECT_EQ(request.body_bytes, 0u);
  request.client->grant_request(1000);
  ASSERT_TRUE(turn([&] { return request.body_bytes == 1000; }));
  settle();
  EXPECT_EQ(request.body_bytes, 1000u);
  request.client->grant_request(70'000);
  ASSERT_TRUE(turn([&] { return request.body_bytes == 71'000; }));
  request.regrant = true;
  request.client->grant_request(65'536);
  ASSERT_TRUE(turn([&] { return request.ended; }));
  EXPECT_EQ(request.body, std::string(300'000, 'b'));
}

TEST_P(Http1SessionTest, ALargeBodyEachWay) {
  constexpr std::size_t kSize = 20'000'000;
  story.on_start = [](StoryRequest& request) {
    request.keep_body = false;
    request.client->grant_request(pipeline::kInitialCredit);
  };
  const auto client = connect();
  client->keep = false;
  client->send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(kSize) + "\r\n\r\n");
  client->send(std::string(kSize, 'b'));
  ASSERT_TRUE(turn([&] { return !story.requests.empty() && story.last().ended; }, std::chrono::seconds(60)));
  StoryRequest& request = story.last();
  EXPECT_EQ(request.body_bytes, kSize);
  EXPECT_LE(request.largest, pipeline::kInitialCredit);

  // As a backend would: as many bytes as there is credit for.
  std::size_t sent = 0;
  request.granted = pipeline::kInitialCredit;
  const std::string piece(16'000, 'r');
  request.on_grant = [&](StoryRequest& self) {
    while (sent < kSize && sent + piece.size() <= self.granted) {
      const std::size_t size = std::min(piece.size(), kSize - sent);
      sent += size;
      self.client->on_response_data(std::span(piece).first(size));
    }
    if (sent == kSize) {
      self.on_grant = nullptr;
      self.client->on_response_end();
      self.client.reset();
    }
  };
  request.head(200, {Kind::kKnown, kSize});
  request.grant_response(0);
  ASSERT_TRUE(
      turn([&] { return client->received_bytes >= kSize && sent == kSize; }, std::chrono::seconds(60)));
}

TEST_P(Http1SessionTest, AClientThatDoesNotReadBoundsWhatIsHeld) {
  const auto client = connect(4096);
  client->keep = false;
  client->send(kGet);
  ASSERT_TRUE(turn([&] { return !story.requests.empty() && story.last().ended; }));
  client->paused = true;
  client->stream.cancel_wait_readable();
  StoryRequest& request = story.last();
  std::size_t sent = 0;
  request.granted = pipeline::kInitialCredit;
  const std::string piece(1000, 'r');
  request.on_grant = [&](StoryRequest& self) {
    while (sent + piece.size() <= self.granted && sent < 100'000'000) {
      sent += piece.size();
      self.client->on_response_data(piece);
    }
  };
  request.head(200, {Kind::kUnknown, 0});
  request.grant_response(0);
  std::size_t before = 1;
  while (before != sent) {
    before = sent;
    settle(20);
  }
  EXPECT_LT(sent, 20'000'000u);  // the kernel's buffers and ours
  client->resume();
  const std::size_t stalled_at = sent;
  ASSERT_TRUE(turn([&] { return sent > stalled_at + 1'000'000; }, std::chrono::seconds(20)));
}

TEST_P(Http1SessionTest, AClientThatDoesNotReadForTooLongIsClosed) {
  config->timeouts.stream_idle = std::chrono::milliseconds(50);
  const auto client = connect(4096);
  client->send(kGet);
  ASSERT_TRUE(turn([&] { return !story.requests.empty() && story.last().ended; }));
  client->paused = true;
  client->stream.cancel_wait_readable();
  StoryRequest& request = story.last();
  request.head(200, {Kind::kUnknown, 0});
  request.on_grant = [&](StoryRequest& self) {
    const std::string piece(60'000, 'r');
    self.client->on_response_data(piece);
  };
  request.grant_response(0);
  ASSERT_TRUE(turn([&] { return request.cancelled.has_value(); }));
  EXPECT_EQ(*request.cancelled, Cause::kClientGone);
  EXPECT_EQ(listening->connections(), 0u);
}

TEST_P(Http1SessionTest, ExpectContinueIsAnsweredByTheFirstGrant) {
  const auto client = connect();
  client->send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  ASSERT_TRUE(turn([&] { return story.requests.size() == 1; }));
  settle();
  EXPECT_TRUE(client->received.empty());
  story.last().client->grant_request(65'536);
  ASSERT_TRUE(turn([&] { return client->received == "HTTP/1.1 100 Continue\r\n\r\n"; }));
  client->send("abc");
  ASSERT_TRUE(turn([&] { return story.last().ended; }));
  story.last().client->grant_request(10);
  story.last().answer(200, "ok");
  ASSERT_TRUE(turn([&] { return client->received.ends_with("ok"); }));
  EXPECT_EQ(occurrences(client->received, "100 Continue"), 1u);
  EXPECT_FALSE(client->end);
}

TEST_P(Http1SessionTest, ExpectContinueRefusedClosesBecauseTheBodyMayComeOrNot) {
  story.on_start = [](StoryRequest& request) { request.answer(401, "no"); };
  const auto client = connect();
  client->send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  ASSERT_TRUE(turn([&] { return client->end.has_value(); }));
  EXPECT_EQ(*client->end, State::kEnd);
  EXPECT_FALSE(client->received.contains("100 Continue"));
  EXPECT_TRUE(client->received.contains("\r\nConnection: close\r\n"));
}

TEST_P(Http1SessionTest, InterimHeadsPassButOnlyOnHttp11) {
  story.on_start = [](StoryRequest& request) {
    http::ResponseHead early;
    early.status = 103;
    early.fields.add("Link", "</a>");
    request.client->on_response_interim(std::move(early));
    request.answer(200, "ok");
  };
  const auto client = connect();
  client->send(kGet);
  ASSERT_TRUE(turn([&] { return client->received.ends_with("ok"); }));
  EXPECT_TRUE(client->received.starts_with("HTTP/1.1 103 "));
  EXPECT_TRUE(client->received.contains("\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\n"));
  const auto old = connect();
  old->send("GET / HTTP/1.0\r\n\r\n");
  ASSERT_TRUE(turn([&] { return old->end.has_value(); }));
  EXPECT_TRUE(old->received.starts_with("HTTP/1.1 200 OK\r\n"));
}

TEST_P(Http1SessionTest, HeadHasNoBodyAndTheConnectionGoesOn) {
  const auto client = connect();
  client->send("HEAD /a HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n");
  story.on_start = [](StoryRequest& request) { request.answer(200, "body"); };
  ASSERT_TRUE(turn([&] { return client->received.ends_with("body"); }));
  EXPECT_EQ(occurrences(client->received, "body"), 1u);
  EXPECT_EQ(story.requests.size(), 2u);
}

TEST_P(Http1SessionTest, AnUnknownLengthIsChunkedOr10sEnd) {
  story.on_start = [](StoryRequest& request) {
    const auto to = request.client;
    request.head(200, {Kind::kUnknown, 0});
    to->on_response_data(std::string_view("abc"));
    http::Fields trailers;
    trailers.add("X-Sum", "9");
    to->on_response_trailers(std::move(trailers));
    to->on_response_end();
  };
  const auto client = connect();
  client->send(kGet);
  ASSERT_TRUE(turn([&] { return client->received.ends_with("\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 9\r\n\r\n"); }));
  EXPECT_FALSE(client->end);
  const auto old = connect();
  old->send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  ASSERT_TRUE(turn([&] { return old->end.has_value(); }));
  EXPECT_EQ(*old->end, State::kEnd);
  EXPECT_TRUE(old->received.ends_with("\r\n\r\nabc"));
}

TEST_P(Http1SessionTest, ConnectionCloseIsHonoured) {
  story.on_start = [](StoryRequest& request) { request.answer(200, "bye"); };
  const auto client = connect();
  client->send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  ASSERT_TRUE(turn([&] { return client->end.has_value(); }));
  EXPECT_EQ(*client->end, State::kEnd);
  EXPECT_TRUE(client->received.contains("\r\nConnection: close\r\n"));
  EXPECT_TRUE(client->received.ends_with("bye"));
  ASSERT_TRUE(turn([&] { return listening->connections() == 0; }));
}

TEST_P(Http1SessionTest, AnEarlyAnswerToAShortBodyKeepsTheConnection) {
  story.on_start = [](StoryRequest& request) {
    request.answer(request.method == "POST" ? 401 : 200, "said");
  };
  const auto client = connect();
  client->send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n");
  ASSERT_TRUE(turn([&] { return client->received.ends_with("said"); }));
  client->send(std::string(1000, 'b') + std::string(kGet));
  ASSERT_TRUE(turn([&] { return story.requests.size() == 2; }));
  EXPECT_EQ(story.requests[0]->body_bytes, 0u);
  EXPECT_EQ(story.last().target, "/a");
  ASSERT_TRUE(turn([&] { return occurrences(client->received, "said") == 2; }));
}

TEST_P(Http1SessionTest, AnEarlyAnswerToALongBodyArrivesWhole) {
  const std::string text(40'000, 'e');
  for (const char* framing : {"Content-Length: 5000000", "Transfer-Encoding: chunked"}) {
    story.on_start = [&](StoryRequest& request) { request.answer(413, text); };
    const auto client = connect();
    client->send("POST / HTTP/1.1\r\nHost: a\r\n" + std::string(framing) + "\r\n\r\n4C4B40\r\n" +
                 std::string(5'000'000, 'b'));
    ASSERT_TRUE(turn([&] { return client->received.ends_with(text); })) << framing;
    EXPECT_TRUE(client->received.contains("\r\nConnection: close\r\n"));
    client->stream.close();
    ASSERT_TRUE(turn([&] { return listening->connections() == 0; }));
  }
}

TEST_P(Http1SessionTest, AClientThatGoesWhileItsAnswerIsMadeIsNoticed) {
  for (const bool reset : {false, true}) {
    const auto client = connect();
    client->send(kGet);
    const std::size_t number = story.requests.size() + 1;
    ASSERT_TRUE(turn([&] { return story.requests.size() == number && story.last().ended; }));
    if (!reset) client->stream.shutdown_write();
    client->stream.close(reset);
    ASSERT_TRUE(turn([&] { return story.last().cancelled.has_value(); }));
    EXPECT_EQ(*story.last().cancelled, Cause::kClientGone);
    EXPECT_EQ(listening->connections(), 0u);
  }
}

TEST_P(Http1SessionTest, AClientThatGoesInItsBodyIsNoticed) {
  story.on_start = [](StoryRequest& request) { request.client->grant_request(65'536); };
  const auto client = connect();
  client->send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
  ASSERT_TRUE(turn([&] { return !story.requests.empty() && story.last().body == "abc"; }));
  client->stream.close();
  ASSERT_TRUE(turn([&] { return story.last().cancelled.has_value(); }));
  EXPECT_FALSE(story.last().ended);
}

TEST_P(Http1SessionTest, MalformedAndOversizedRequestsAreRefusedAndClosed) {
  config->limits.max_header_bytes = 2000;
  config->limits.max_headers = 10;
  std::string many = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 20; ++i) many += "X: y\r\n";
  const struct {
    std::string bytes;
    int status;
  } cases[] = {
      {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"garbage\r\n\r\n", 400},
      {"GET / HTTP/3.1\r\nHost: a\r\n\r\n", 505},
      {"GET / HTTP/1.1\nHost: a\r\n\r\n", 400},
      {"GET /" + std::string(3000, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", 414},
      {"GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(3000, 'a') + "\r\n\r\n", 431},
      {many + "\r\n", 431},
  };
  for (const auto& row : cases) {
    const auto client = connect();
    client->send(row.bytes);
    ASSERT_TRUE(turn([&] { return client->end.has_value() || client->received.ends_with("refused"); }))
        << row.bytes;
    EXPECT_TRUE(client->received.starts_with("HTTP/1.1 " + std::to_string(row.status))) << client->received;
    EXPECT_TRUE(client->received.contains("\r\nConnection: close\r\n"));
    ASSERT_TRUE(turn([&] { return client->end.has_value(); })) << row.bytes;
    EXPECT_EQ(*client->end, State::kEnd);
    client->stream.close();
  }
  EXPECT_EQ(story.requests.size(), 0u);
}

TEST_P(Http1SessionTest, ABodyThatTurnsOutWrongIsCancelledAndAnswered) {
  story.on_start = [](StoryRequest& request) { request.client->grant_request(65'536); };
  const struct {
    std::string body;
    Cause cause;
  } cases[] = {{"zz\r\n", Cause::kRequestMalformed},
               {"3\r\nabcd\r\n", Cause::kRequestMalformed},
               {"0\r\nX: " + std::string(70'000, 'x') + "\r\n\r\n", Cause::kTrailersTooLarge}};
  for (const auto& row : cases) {
    const auto client = connect();
    client->send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + row.body);
    ASSERT_TRUE(turn([&] { return client->end.has_value(); }));
    EXPECT_EQ(story.last().cancelled, row.cause);
    EXPECT_TRUE(client->received.ends_with("refused"));
    EXPECT_TRUE(client->received.contains("\r\nConnection: close\r\n"));
    client->stream.close();
  }
}

TEST_P(Http1SessionTest, ASlowHeadIsRefusedAndASilentClientClosed) {
  config->timeouts.headers = std::chrono::milliseconds(60);
  const auto silent = connect();
  ASSERT_TRUE(turn([&] { return silent->end.has_value(); }));
  EXPECT_TRUE(silent->received.empty());

  const auto slow = connect();
  slow->send("GET / HT");
  settle(20);
  slow->send("TP/1.1\r\n");  // more bytes give no more time
  ASSERT_TRUE(turn([&] { return slow->end.has_value(); }));
  EXPECT_TRUE(slow->received.starts_with("HTTP/1.1 408 "));
  EXPECT_EQ(story.refusals.back(), std::pair(408, Reason::request_timeout));
}

TEST_P(Http1SessionTest, ASlowBodyTimesOutButNotWhileNobodyAsksForIt) {
  config->timeouts.body_idle = std::chrono::milliseconds(60);
  const auto client = connect();
  client->send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
  ASSERT_TRUE(turn([&] { return story.requests.size() == 1; }));
  settle(80);
  EXPECT_FALSE(story.last().cancelled);
  story.last().client->grant_request(65'536);
  ASSERT_TRUE(turn([&] { return client->end.has_value(); }));
  EXPECT_EQ(story.last().cancelled, Cause::kRequestTimeout);
  EXPECT_TRUE(client->received.starts_with("HTTP/1.1 408 "));
}

TEST_P(Http1SessionTest, ARouteMayGiveAnotherTime) {
  story.on_start = [](StoryRequest& request) {
    request.client->set_timeouts({.body_idle = std::chrono::milliseconds(50)});
    request.client->grant_request(65'536);
  };
  const auto upload = connect();
  upload->send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
  ASSERT_TRUE(turn([&] { return upload->end.has_value(); }));
  EXPECT_EQ(story.last().cancelled, Cause::kRequestTimeout);

  story.on_start = [](StoryRequest& request) {
    request.client->set_timeouts({.stream_idle = std::chrono::milliseconds(50)});
  };
  const auto download = connect(4096);
  download->send(kGet);
  ASSERT_TRUE(turn([&] { return story.requests.size() == 2 && story.last().ended; }));
  download->paused = true;
  download->stream.cancel_wait_readable();
  StoryRequest& request = story.last();
  request.head(200, {Kind::kUnknown, 0});
  request.on_grant = [&](StoryRequest& self) {
    const std::string piece(60'000, 'r');
    self.client->on_response_data(piece);
  };
  request.grant_response(0);
  ASSERT_TRUE(turn([&] { return request.cancelled.has_value(); }));
  EXPECT_EQ(*request.cancelled, Cause::kClientGone);
}

TEST_P(Http1SessionTest, ARoutesTimeIsGoneWithItsRequest) {
  config->timeouts.body_idle = std::chrono::milliseconds(50);
  story.on_start = [this](StoryRequest& request) {
    if (story.requests.size() == 1) request.client->set_timeouts({.body_idle = std::chrono::hours(1)});
    request.client->grant_request(65'536);
  };
  const auto client = connect();
  client->send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n");
  ASSERT_TRUE(turn([&] { return story.requests.size() == 1; }));
  settle(100);
  EXPECT_FALSE(story.last().cancelled);
  client->send("abc");
  ASSERT_TRUE(turn([&] { return story.last().ended; }));
  story.last().answer(204, "");
  client->send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n");
  ASSERT_TRUE(turn([&] { return client->end.has_value(); }));
  EXPECT_EQ(story.requests.size(), 2u);
  EXPECT_EQ(story.last().cancelled, Cause::kRequestTimeout);
}

TEST_P(Http1SessionTest, AnIdleConnectionIsClosed) {
  config->timeouts.idle = std::chrono::milliseconds(60);
  story.on_start = [](StoryRequest& request) { request.answer(200, "ok"); };
  const auto client = connect();
  client->send(kGet);
  ASSERT_TRUE(turn([&] { return client->end.has_value(); }));
  EXPECT_EQ(*client->end, State::kEnd);
  EXPECT_TRUE(client->received.ends_with("ok"));
}

TEST_P(Http1SessionTest, ACutOffAnswerIsNeverTakenForWhole) {
  for (const Kind kind : {Kind::kKnown, Kind::kUnknown}) {
    const auto client = connect();
    client->send(kGet);
    const std::size_t number = story.requests.size() + 1;
    ASSERT_TRUE(turn([&] { return story.requests.size() == number && story.last().ended; }));
    story.last().head(200, {kind, 100});
    story.last().client->on_response_data(std::string_view("part"));
    story.last().client->on_response_reset(Cause::kBackendBroken);
    ASSERT_TRUE(turn([&] { return client->end.has_value(); }));
    EXPECT_TRUE(client->received.ends_with(kind == Kind::kKnown ? "part" : "part\r\n"));
    EXPECT_FALSE(story.last().cancelled);
    if (GetParam()) {
      EXPECT_EQ(*client->end, State::kFailed);  // no close_notify
    }
  }
  const auto old = connect();
  old->send("GET / HTTP/1.0\r\n\r\n");
  const std::size_t number = story.requests.size() + 1;
  ASSERT_TRUE(turn([&] { return story.requests.size() == number && story.last().ended; }));
  story.last().head(200, {Kind::kUnknown, 0});
  story.last().client->on_response_data(std::string_view("part"));
  story.last().client->on_response_reset(Cause::kBackendBroken);
  ASSERT_TRUE(turn([&] { return old->end.has_value(); }));
  EXPECT_EQ(*old->end, State::kFailed);
}

TEST_P(Http1SessionTest, AnAnswerShorterThanItSaidIsCutOff) {
  const auto client = connect();
  client->send(kGet);
  ASSERT_TRUE(turn([&] { return !story.requests.empty() && story.last().ended; }));
  const auto to = story.last().client;
  story.last().head(200, {Kind::kKnown, 10});
  to->on_response_data(std::string_view("abc"));
  to->on_response_end();
  ASSERT_TRUE(turn([&] { return client->end.has_value(); }));
  EXPECT_TRUE(client->received.ends_with("abc"));
}

TEST_P(Http1SessionTest, AHeadThatWouldSplitTheAnswerBecomes502) {
  const auto client = connect();
  client->send(kGet);
  ASSERT_TRUE(turn([&] { return !story.requests.empty() && story.last().ended; }));
  http::ResponseHead head;
  head.status = 200;
  head.fields.add("X", "a\r\nSet-Cookie: b");
  story.last().client->on_response_head(std::move(head));
  ASSERT_TRUE(turn([&] { return client->end.has_value(); }));
  EXPECT_TRUE(client->received.starts_with("HTTP/1.1 502 "));
  EXPECT_FALSE(client->received.contains("Set-Cookie"));
  EXPECT_EQ(story.last().cancelled, Cause::kClientGone);
}

TEST_P(Http1SessionTest, LateCallsOfAnEndedExchangeDoNotTouchTheNext) {
  const auto client = connect();
  client->send(kGet);
  ASSERT_TRUE(turn([&] { return !story.requests.empty() && story.last().ended; }));
  const Ref<pipeline::ClientStream> stale = story.last().client;
  story.last().answer(200, "first");
  client->send(kGet);
  ASSERT_TRUE(turn([&] { return story.requests.size() == 2 && story.last().ended; }));
  stale->on_response_data(std::string_view("stray"));
  stale->on_response_end();
  stale->on_response_reset(Cause::kBackendBroken);
  stale->grant_request(10);
  story.last().answer(200, "second");
  ASSERT_TRUE(turn([&] { return client->received.ends_with("second"); }));
  EXPECT_FALSE(client->received.contains("stray"));
}

}  // namespace
}  // namespace holdfast::testing
