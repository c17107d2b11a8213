#include "listener/http2_session.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <vector>

#include "fixture.h"
#include "support/http2_peer.h"

namespace holdfast::testing {
namespace {

using pipeline::Cause;
using support::Http2Answer;
using support::Http2Fields;
using support::Http2Peer;
using State = net::Stream::State;
using Kind = http::BodyLength::Kind;

Http2Fields get(std::string_view path = "/a") {
  return {
      {":method", "GET"}, {":scheme", "https"}, {":authority", "localhost"}, {":path", std::string(path)}};
}
Http2Fields post(std::string_view path = "/p") {
  return {
      {":method", "POST"}, {":scheme", "https"}, {":authority", "localhost"}, {":path", std::string(path)}};
}
Http2Fields with(Http2Fields fields, std::string_view name, std::string_view value) {
  fields.emplace_back(name, value);
  return fields;
}

// The fixture's client with HTTP/2 on it.
struct Http2TestClient {
  Ref<Client> client;
  std::unique_ptr<Http2Peer> peer;
  std::unique_ptr<std::string> received = std::make_unique<std::string>();  // all of it

  Http2Peer* operator->() const { return peer.get(); }
  void exchange() const {
    client->send(peer->output());
    const std::string bytes = std::exchange(client->received, {});
    *received += bytes;
    peer->receive(bytes);
    client->send(peer->output());
  }
};

class Http2SessionTest : public ListenerTest {
 protected:
  void SetUp() override {
    ListenerTest::SetUp();
    if (GetParam()) {
      client_context = *net::TlsClientContext::create({.ca = certificate.certificate(), .protocols = {"h2"}});
    }
  }
  Http2TestClient dial(const Http2Peer::Options& options = {}, int buffer = 0) {
    return {.client = connect(buffer), .peer = std::make_unique<Http2Peer>(options)};
  }
  bool run(const Http2TestClient& client, const std::function<bool()>& done,
           std::chrono::milliseconds limit = std::chrono::seconds(5)) {
    const bool reached = turn(
        [&] {
          client.exchange();
          return done();
        },
        limit);
    client.exchange();
    return reached;
  }
  Http2Answer& answered(const Http2TestClient& client, std::int32_t stream) {
    Http2Answer& answer = client->answer(stream);
    EXPECT_TRUE(run(client, [&] { return answer.over(); })) << "no answer on stream " << stream;
    return answer;
  }
};
INSTANTIATE_TEST_SUITE_P(PlainAndTls, Http2SessionTest, ::testing::Bool(), mode_name);

TEST_P(Http2SessionTest, ServesRequestsOnOneConnection) {
  story.on_start = [](StoryRequest& request) { request.answer(200, "hello"); };
  const auto client = dial();
  for (int i = 0; i < 3; ++i) {
    const Http2Answer& answer = answered(client, client->request(get()));
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "hello");
    EXPECT_EQ(answer.fields.value("content-length"), "5");
    EXPECT_EQ(answer.fields.value("x-story"), "yes");
    EXPECT_EQ(answer.fields.all("date").size(), 1u);
    EXPECT_FALSE(answer.reset);
  }
  EXPECT_EQ(story.last().method, "GET");
  EXPECT_EQ(story.last().target, "/a");
  EXPECT_EQ(story.last().request.version_major, 2);
  EXPECT_EQ(story.facts->listener, 4u);
  EXPECT_EQ(story.facts->tls, GetParam());
  EXPECT_EQ(listening->connections(), 1u);
}

TEST_P(Http2SessionTest, AHundredStreamsAtOnceAreAnsweredInAnyOrder) {
  const auto client = dial();
  std::vector<std::int32_t> streams;
  for (int i = 0; i < 100; ++i) streams.push_back(client->request(get("/" + std::to_string(i))));
  ASSERT_TRUE(run(client, [&] { return story.requests.size() == 100; }));
  for (std::size_t i = 100; i-- > 0;) story.requests[i]->answer(200, "answer " + std::to_string(i));
  for (std::size_t i = 0; i < 100; ++i) {
    EXPECT_EQ(answered(client, streams[i]).body, "answer " + std::to_string(i));
  }
}

TEST_P(Http2SessionTest, BodiesTrailersAndTheEndPassBothWays) {
  story.on_start = [](StoryRequest& request) { request.client->grant_request(pipeline::kInitialCredit); };
  const auto client = dial();
  const auto stream = client->request(post(), "body", {{"x-sum", "1"}});
  ASSERT_TRUE(run(client, [&] { return !story.requests.empty() && story.last().ended; }));
  EXPECT_EQ(story.last().body, "body");
  EXPECT_EQ(story.last().trailers.find("x-sum"), "1");
  StoryRequest& request = story.last();
  request.head(200, {Kind::kUnknown, 0});
  request.client->on_response_data(std::string_view("part"));
  http::Fields trailers;
  trailers.add("grpc-status", "0");
  request.client->on_response_trailers(std::move(trailers));
  request.client->on_response_end();
  const Http2Answer& answer = answered(client, stream);
  EXPECT_EQ(answer.body, "part");
  EXPECT_EQ(answer.trailers.value("grpc-status"), "0");
  EXPECT_TRUE(answer.ended);
}

TEST_P(Http2SessionTest, HeadHasNoBody) {
  story.on_start = [](StoryRequest& request) { request.answer(200, "never"); };
  const auto client = dial();
  Http2Fields head = get();
  head[0].second = "HEAD";
  const Http2Answer& answer = answered(client, client->request(head));
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(answer.body.empty());
  EXPECT_TRUE(answer.ended);
  EXPECT_FALSE(answer.reset);
  EXPECT_FALSE(story.last().cancelled);
}

TEST_P(Http2SessionTest, NoBodyIsHandedOverBeforeItIsGrantedAndNeverMoreThanThat) {
  const auto client = dial();
  client->request(post(), std::string(300'000, 'b'));
  ASSERT_TRUE(run(client, [&] { return story.requests.size() == 1; }));
  StoryRequest& request = story.last();
  request.regrant = false;
  settle();
  client.exchange();
  settle();
  EXPECT_EQ(request.body_bytes, 0u);
  request.client->grant_request(1000);
  ASSERT_TRUE(run(client, [&] { return request.body_bytes == 1000; }));
  settle();
  client.exchange();
  settle();
  EXPECT_EQ(request.body_bytes, 1000u);
  request.regrant = true;
  request.client->grant_request(65'536);
  ASSERT_TRUE(run(client, [&] { return request.ended; }));
  EXPECT_EQ(request.body, std::string(300'000, 'b'));
}

// A stream whose body nobody takes does not keep the others from theirs.
TEST_P(Http2SessionTest, AStalledUploadDoesNotHoldUpAnother) {
  const auto client = dial();
  client->request(post("/stalled"), std::string(1'000'000, 'b'));
  ASSERT_TRUE(run(client, [&] { return story.requests.size() == 1; }));
  story.on_start = [](StoryRequest& request) { request.client->grant_request(pipeline::kInitialCredit); };
  client->request(post("/lively"), std::string(3'000'000, 'c'));
  ASSERT_TRUE(run(client, [&] { return story.requests.size() == 2 && story.last().ended; }));
  EXPECT_EQ(story.last().body_bytes, 3'000'000u);
  EXPECT_EQ(story.requests[0]->body_bytes, 0u);
}

TEST_P(Http2SessionTest, ALargeAnswerFollowsTheClientsPaceStreamByStream) {
  constexpr std::size_t kSize = 3'000'000;
  const auto client = dial({.take_answers = false});
  const auto slow = client->request(get("/slow"));
  const auto fast = client->request(get("/fast"));
  ASSERT_TRUE(run(client, [&] { return story.requests.size() == 2; }));
  std::size_t sent[2] = {};
  const std::string piece(10'000, 'r');
  for (std::size_t i = 0; i < 2; ++i) {
    StoryRequest& request = *story.requests[i];
    request.granted = request.client->first_credit();
    request.on_grant = [&, i](StoryRequest& self) {
      while (sent[i] < kSize && sent[i] + piece.size() <= self.granted) {
        sent[i] += piece.size();
        self.client->on_response_data(piece);
      }
      if (sent[i] == kSize) {
        self.on_grant = nullptr;
        self.client->on_response_end();
      }
    };
    request.head(200, {Kind::kKnown, kSize});
    request.grant_response(0);
  }
  std::size_t taken = 0;
  ASSERT_TRUE(run(client, [&] {
    const std::size_t there = client->answer(fast).body_bytes;
    if (there > taken) client->consume(fast, there - std::exchange(taken, there));
    return client->answer(fast).ended;
  }));
  EXPECT_EQ(client->answer(fast).body_bytes, kSize);
  // One window with the client, one credit here.
  EXPECT_LE(client->answer(slow).body_bytes, 65'535u);
  EXPECT_LE(sent[0], 65'535u + pipeline::kInitialCredit);
}

TEST_P(Http2SessionTest, AStreamThatTakesNothingIsResetAndTheOthersGoOn) {
  config->timeouts.stream_idle = std::chrono::milliseconds(50);
  const auto client = dial({.stream_window = 0});
  const auto stuck = client->request(get("/stuck"));
  ASSERT_TRUE(run(client, [&] { return story.requests.size() == 1; }));
  StoryRequest& request = story.last();
  request.head(200, {Kind::kUnknown, 0});
  request.client->on_response_data(std::string_view("data"));
  EXPECT_EQ(answered(client, stuck).reset, NGHTTP2_CANCEL);
  EXPECT_EQ(request.cancelled, Cause::kClientGone);
  const auto next = client->request(get("/next"));
  ASSERT_TRUE(run(client, [&] { return story.requests.size() == 2; }));
  story.last().answer(204, "");
  EXPECT_EQ(answered(client, next).status, 204);
}

TEST_P(Http2SessionTest, ASlowBodyTimesOutButNotWhileNobodyAsksForIt) {
  config->timeouts.body_idle = std::chrono::milliseconds(50);
  const auto client = dial();
  const auto stream = client->open(post());
  ASSERT_TRUE(run(client, [&] { return story.requests.size() == 1; }));
  for (int i = 0; i < 10; ++i) settle();
  EXPECT_FALSE(story.last().cancelled);
  story.last().client->grant_request(1000);
  const Http2Answer& answer = answered(client, stream);
  EXPECT_EQ(answer.status, 408);
  EXPECT_EQ(story.last().cancelled, Cause::kRequestTimeout);
  EXPECT_EQ(listening->connections(), 1u);
}

Http2Fields grpc(std::string_view timeout = {}) {
  Http2Fields fields = with(post("/s/m"), "content-type", "application/grpc");
  return timeout.empty() ? fields : with(fields, "grpc-timeout", timeout);
}

TEST_P(Http2SessionTest, AGrpcCallIsHeldToItsDeadline) {
  const auto client = dial();
  // Whether all of it was sent or not.
  const auto whole = client->request(grpc("30m"), "call");
  const auto begun = client->open(grpc("30m"));
  ASSERT_TRUE(run(client, [&] { return story.requests.size() == 2; }));
  for (const std::int32_t stream : {whole, begun}) EXPECT_EQ(answered(client, stream).status, 504);
  for (const auto& request : story.requests) EXPECT_EQ(request->cancelled, Cause::kDeadlinePassed);
  // Others are held to nothing, however they write it.
  client->request(with(with(post(), "content-type", "text/plain"), "grpc-timeout", "1m"), "no call");
  client->request(grpc("1h"), "no such unit");
  client->request(with(grpc("1m"), "grpc-timeout", "1m"), "two");
  ASSERT_TRUE(run(client, [&] { return story.requests.size() == 5; }));
  for (int i = 0; i < 10; ++i) settle();
  for (std::size_t i = 2; i < 5; ++i) EXPECT_FALSE(story.requests[i]->cancelled) << i;
}

TEST_P(Http2SessionTest, ADeadlineHoldsInTheMiddleOfAnAnswerToo) {
  const auto client = dial();
  client->request(grpc("30m"), "call");
  ASSERT_TRUE(run(client, [&] { return story.requests.size() == 1; }));
  StoryRequest& request = story.last();
  request.head(200, {Kind::kUnknown, 0});
  request.client->on_response_data(std::string_view("message"));
  ASSERT_TRUE(run(client, [&] { return request.cancelled.has_value(); }));
  EXPECT_EQ(request.cancelled, Cause::kDeadlinePassed);
}

// A client that only listens: what it gets counts for it, and its own silence is no slow upload.
TEST_P(Http2SessionTest, AGrpcCallMayRestAsLongAsItsStreamMay) {
  constexpr std::chrono::milliseconds kIdle{300};
  config->timeouts.body_idle = std::chrono::milliseconds(20);
  config->timeouts.stream_idle = kIdle;
  story.on_start = [](StoryRequest& request) { request.client->grant_request(pipeline::kInitialCredit); };
  const auto client = dial();
  EXPECT_EQ(answered(client, client->open(post())).status, 408);
  client->open(grpc());
  ASSERT_TRUE(run(client, [&] { return story.requests.size() == 2; }));
  StoryRequest& request = story.last();
  request.head(200, {Kind::kUnknown, 0});
  auto last = std::chrono::steady_clock::now();
  int events = 0;
  ASSERT_TRUE(run(client, [&] {
    if (request.cancelled) return true;
    const auto now = std::chrono::steady_clock::now();
    if (events < 30 && now - last > std::chrono::milliseconds(20)) {
      request.client->on_response_data(std::string_view("event"));
      last = now;
      ++events;
    }
    return false;
  }));
  EXPECT_EQ(request.cancelled, Cause::kRequestTimeout);
  EXPECT_GE(std::chrono::steady_clock::now() - last, kIdle);
}

TEST_P(Http2SessionTest, AResetByTheClientCancelsItsRequestOnly) {
  const auto client = dial();
  const auto first = client->request(get("/1"));
  const auto second = client->request(get("/2"));
  ASSERT_TRUE(run(client, [&] { return story.requests.size() == 2; }));
  client->reset(first);
  ASSERT_TRUE(run(client, [&] { return story.requests[0]->cancelled.has_value(); }));
  EXPECT_EQ(story.requests[0]->cancelled, Cause::kClientGone);
  EXPECT_FALSE(story.requests[1]->cancelled);
  story.requests[1]->answer(200, "two");
  EXPECT_EQ(answered(client, second).body, "two");
}

TEST_P(Http2SessionTest, AClientThatGoesCancelsAllItsRequests) {
  const auto client = dial();
  client->request(get("/1"));
  client->open(post("/2"));
  ASSERT_TRUE(run(client, [&] { return story.requests.size() == 2; }));
  client.client->stream.close();
  ASSERT_TRUE(turn([&] { return listening->connections() == 0 && story.last().cancelled; }));
  for (const auto& request : story.requests) EXPECT_EQ(request->cancelled, Cause::kClientGone);
}

// Each has an exchange with a backend to end, and the worker has other clients.
TEST_P(Http2SessionTest, TheRequestsOfAClientThatGoesEndAFewATurn) {
  const auto client = dial();
  for (int i = 0; i < 50; ++i) client->request(get());
  ASSERT_TRUE(run(client, [&] { return story.requests.size() == 50; }));
  std::vector<int> ended{0};  // in each turn of the loop
  std::function<void()> count_turns = [&] {
    ended.push_back(0);
    if (std::accumulate(ended.begin(), ended.end(), 0) < 50) worker.post(count_turns);
  };
  worker.post(count_turns);
  for (const auto& request : story.requests) {
    request->on_cancel = [&](StoryRequest&) { ++ended.back(); };
  }
  client.client->stream.close();
  ASSERT_TRUE(turn([&] { return std::accumulate(ended.begin(), ended.end(), 0) == 50; }));
  settle();
  EXPECT_LE(std::ranges::max(ended), static_cast<int>(net::Worker::kMostATurn));
}

TEST_P(Http2SessionTest, ARouteMayGiveAnotherTime) {
  story.on_start = [](StoryRequest& request) {
    request.client->set_timeouts({.body_idle = std::chrono::milliseconds(50)});
    request.client->grant_request(pipeline::kInitialCredit);
  };
  const auto uploading = dial();
  EXPECT_EQ(answered(uploading, uploading->open(post())).status, 408);
  EXPECT_EQ(story.last().cancelled, Cause::kRequestTimeout);
  story.on_start = [](StoryRequest& request) {
    request.client->set_timeouts({.stream_idle = std::chrono::milliseconds(50)});
  };
  const auto stuck = dial({.stream_window = 0});
  const auto stream = stuck->request(get("/stuck"));
  ASSERT_TRUE(run(stuck, [&] { return story.requests.size() == 2; }));
  story.last().head(200, {Kind::kUnknown, 0});
  story.last().client->on_response_data(std::string_view("data"));
  EXPECT_EQ(answered(stuck, stream).reset, NGHTTP2_CANCEL);
}

TEST_P(Http2SessionTest, MalformedRequestsAreRefusedStreamByStream) {
  const struct {
    Http2Fields fields;
    std::optional<std::string> body;
  } kCases[] = {
      {with(get(), "transfer-encoding", "chunked"), std::nullopt},
      {with(get(), "connection", "close"), std::nullopt},
      {with(get(), "host", "other.example"), std::nullopt},
      {with(get(), ":path", "/again"), std::nullopt},
      {with(get(), "x", "a\rb"), std::nullopt},
      {get("no-slash"), std::nullopt},
      {with(post(), "content-length", "10"), "short"},
  };
  const auto client = dial();
  story.on_start = [](StoryRequest& request) { request.client->grant_request(pipeline::kInitialCredit); };
  for (const auto& each : kCases) {
    const auto stream = client->request(each.fields, each.body);
    const Http2Answer& answer = answered(client, stream);
    EXPECT_TRUE(answer.reset || answer.status == 400) << each.fields.back().first << " " << answer.status;
  }
  for (const auto& request : story.requests) EXPECT_FALSE(request->ended);
  EXPECT_TRUE(client->goaways().empty());
  story.on_start = [](StoryRequest& request) { request.answer(200, "fine"); };
  EXPECT_EQ(answered(client, client->request(get())).body, "fine");
}

TEST_P(Http2SessionTest, ACutOffAnswerIsReset) {
  const auto client = dial();
  const auto cut = client->request(get());
  ASSERT_TRUE(run(client, [&] { return story.requests.size() == 1; }));
  story.last().head(200, {Kind::kUnknown, 0});
  story.last().client->on_response_data(std::string_view("half"));
  story.last().client->on_response_reset(Cause::kBackendBroken);
  EXPECT_EQ(answered(client, cut).reset, NGHTTP2_INTERNAL_ERROR);
  EXPECT_FALSE(client->answer(cut).ended);
  // Shorter, and longer, than it announced.
  const auto brief = client->request(get());
  ASSERT_TRUE(run(client, [&] { return story.requests.size() == 2; }));
  story.last().head(200, {Kind::kKnown, 10});
  story.last().client->on_response_data(std::string_view("half"));
  story.last().client->on_response_end();
  EXPECT_EQ(answered(client, brief).reset, NGHTTP2_INTERNAL_ERROR);
  const auto lengthy = client->request(get());
  ASSERT_TRUE(run(client, [&] { return story.requests.size() == 3; }));
  story.last().head(200, {Kind::kKnown, 2});
  story.last().client->on_response_data(std::string_view("half"));
  EXPECT_EQ(answered(client, lengthy).reset, NGHTTP2_INTERNAL_ERROR);
  EXPECT_EQ(story.last().cancelled, Cause::kClientGone);
}

TEST_P(Http2SessionTest, AHeadThatMustNotBeSentBecomes502) {
  const auto client = dial();
  const auto stream = client->request(get());
  ASSERT_TRUE(run(client, [&] { return story.requests.size() == 1; }));
  http::ResponseHead head;
  head.status = 200;
  head.fields.add("x", "a\r\nset-cookie: b");
  story.last().client->on_response_head(std::move(head));
  EXPECT_EQ(answered(client, stream).status, 502);
  EXPECT_EQ(story.last().cancelled, Cause::kClientGone);
}

TEST_P(Http2SessionTest, ExpectContinueIsAnsweredByTheFirstGrant) {
  const auto client = dial();
  const auto stream = client->request(with(post(), "expect", "100-continue"), "body");
  ASSERT_TRUE(run(client, [&] { return story.requests.size() == 1; }));
  story.on_start = nullptr;
  story.last().client->grant_request(100);
  ASSERT_TRUE(run(client, [&] { return story.last().ended; }));
  story.last().answer(200, "ok");
  EXPECT_EQ(answered(client, stream).status, 200);
}

TEST_P(Http2SessionTest, AnIdleConnectionEndsWithGoaway) {
  config->timeouts.idle = std::chrono::milliseconds(50);
  story.on_start = [](StoryRequest& request) { request.answer(200, "x"); };
  const auto client = dial();
  answered(client, client->request(get()));
  ASSERT_TRUE(run(client, [&] { return client.client->end.has_value(); }));
  EXPECT_EQ(*client.client->end, State::kEnd);
  ASSERT_FALSE(client->goaways().empty());
  EXPECT_EQ(client->goaways()[0].last, 0x7fffffff);
  // The client's library is done with the first GOAWAY; the second one names the last stream, without an
  // error.
  EXPECT_TRUE(client.received->ends_with(std::string_view("\0\0\10\7\0\0\0\0\0\0\0\0\1\0\0\0\0", 17)));
  client.client->stream.close();
  EXPECT_TRUE(turn([&] { return listening->connections() == 0; }));
}

TEST_P(Http2SessionTest, ABlockedHeadAndASilentClientAreClosed) {
  config->timeouts.headers = std::chrono::milliseconds(50);
  const auto silent = connect();
  ASSERT_TRUE(turn([&] { return silent->end.has_value(); }));
  silent->stream.close();
  const auto client = dial();
  client.exchange();
  ASSERT_TRUE(run(client, [&] { return listening->connections() == 1; }));
  client.client->send(client->output());
  // HEADERS without END_HEADERS, and nothing behind it.
  client.client->send(std::string_view("\0\0\1\1\1\0\0\0\1\x82", 10));
  ASSERT_TRUE(run(client, [&] { return client.client->end.has_value(); }));
  ASSERT_FALSE(client->goaways().empty());
  EXPECT_EQ(client->goaways().back().error, NGHTTP2_ENHANCE_YOUR_CALM);
}

TEST_P(Http2SessionTest, DrainServesWhatIsUnderWayAndThenEnds) {
  const auto client = dial();
  const auto stream = client->request(get());
  ASSERT_TRUE(run(client, [&] { return story.requests.size() == 1; }));
  bool empty = false;
  listening->drain(std::chrono::seconds(20), [&] { empty = true; });
  // A new request that crosses the first GOAWAY is still served.
  story.on_start = [](StoryRequest& request) { request.answer(200, "late"); };
  settle();
  EXPECT_TRUE(client->goaways().empty());
  const auto crossing = client->request(get());
  client.client->send(client->output());
  EXPECT_EQ(answered(client, crossing).body, "late");
  EXPECT_EQ(client->goaways().size(), 1u);
  ASSERT_TRUE(run(client, [&] { return client->goaways().size() == 2; }));
  EXPECT_EQ(client->goaways()[1].last, 3);
  story.requests[0]->answer(200, "done");
  EXPECT_EQ(answered(client, stream).body, "done");
  ASSERT_TRUE(run(client, [&] { return client.client->end.has_value(); }));
  client.client->stream.close();
  ASSERT_TRUE(turn([&] { return empty; }));
}

TEST_P(Http2SessionTest, TheDrainDeadlineEndsWhatIsLeft) {
  const auto client = dial();
  client->request(get());
  ASSERT_TRUE(run(client, [&] { return story.requests.size() == 1; }));
  bool empty = false;
  listening->drain(std::chrono::milliseconds(100), [&] { empty = true; });
  ASSERT_TRUE(run(client, [&] { return empty; }));
  EXPECT_EQ(story.last().cancelled, Cause::kClientGone);
}

TEST_P(Http2SessionTest, AFloodEndsInGoaway) {
  story.on_start = [](StoryRequest& request) { request.client->grant_request(1000); };
  const auto client = dial();
  ASSERT_TRUE(run(client, [&] {
    for (int i = 0; i < 50 && client->goaways().empty(); ++i) {
      const auto stream = client->request(get());
      client.client->send(client->output());
      client->reset(stream);
      client.client->send(client->output());
    }
    return !client->goaways().empty();
  }));
  EXPECT_EQ(client->goaways().back().error, NGHTTP2_ENHANCE_YOUR_CALM);
  EXPECT_LT(story.requests.size(), 2000u);
  ASSERT_TRUE(run(client, [&] { return client.client->end.has_value(); }));
}

TEST_P(Http2SessionTest, AClientThatDoesNotReadGetsNoWorkDoneAndBoundsWhatIsHeld) {
  constexpr std::uint32_t kWide = 1'000'000'000;
  const auto client = dial({.stream_window = kWide, .connection_window = kWide, .keep_bodies = false}, 4096);
  client->request(get("/endless"));
  ASSERT_TRUE(run(client, [&] { return story.requests.size() == 1; }));
  client.client->paused = true;
  client.client->stream.cancel_wait_readable();
  StoryRequest& endless = story.last();
  std::size_t sent = 0;
  endless.granted = pipeline::kInitialCredit;
  const std::string piece(10'000, 'r');
  endless.on_grant = [&](StoryRequest& self) {
    while (sent + piece.size() <= self.granted && sent < 100'000'000) {
      sent += piece.size();
      self.client->on_response_data(piece);
    }
  };
  endless.head(200, {Kind::kUnknown, 0});
  endless.grant_response(0);
  std::size_t before = 1;
  while (before != sent) {
    before = sent;
    settle(20);
  }
  EXPECT_LT(sent, 20'000'000u);  // the kernel's buffers and ours
  client->request(get("/next"));
  client.client->send(client->output());
  settle(20);
  EXPECT_EQ(story.requests.size(), 1u);
  endless.on_grant = nullptr;
  client.client->resume();
  ASSERT_TRUE(run(client, [&] { return story.requests.size() == 2; }));
}

TEST_P(Http2SessionTest, TheStoryMayAnswerAfterTheClientHasGone) {
  const auto client = dial();
  client->request(get());
  ASSERT_TRUE(run(client, [&] { return story.requests.size() == 1; }));
  const Ref<pipeline::ClientStream> late = story.last().client;
  client.client->stream.close();
  ASSERT_TRUE(turn([&] { return listening->connections() == 0; }));
  http::ResponseHead head;
  head.status = 200;
  late->on_response_head(std::move(head));
  late->on_response_data(std::string_view("late"));
  late->grant_request(10);
  late->on_response_end();
}

}  // namespace
}  // namespace holdfast::testing
