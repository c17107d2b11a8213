// Exchanges over shared HTTP/2 connections: what is shared and when, what is sent again, and what a backend
// that misbehaves does to whom.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "wire/http2_server.h"
#include "world.h"

namespace holdfast::upstream {
namespace {

using wire::Http2Error;
using wire::StreamId;
using Kind = http::BodyLength::Kind;
constexpr http::BodyLength kStreamed{Kind::kUnknown, 0};

// The backend's end of a connection, which answers as the test says.
class Http2Peer final : private wire::Http2ServerOwner {
 public:
  struct Seen {
    std::string method, fields, body, trailers;
    bool ended = false;
    bool reset = false;
  };

  explicit Http2Peer(std::unique_ptr<Peer> peer, wire::Http2Limits limits = {})
      : peer_(std::move(peer)), server_(limits, *this) {}

  std::map<StreamId, Seen> streams;
  std::size_t grant = 1 << 20;  // to every request at once

  wire::Http2Server& server() { return server_; }
  Peer& peer() { return *peer_; }

  // Moves bytes both ways; true once `done`.
  void work() {
    const std::string bytes = peer_->received();
    peer_->forget();
    server_.receive(bytes, SteadyTime(std::chrono::hours(1)));
    server_.deliver();
    if (out_.empty()) server_.take_output(out_, 1 << 16);
    out_.erase(0, peer_->send(out_));
  }
  void answer(StreamId stream, std::string_view body = "ok", bool end = true) {
    http::ResponseHead head;
    head.status = 200;
    head.body = kStreamed;
    EXPECT_TRUE(server_.send_head(stream, head));
    server_.send_data(stream, body);
    if (end) server_.send_end(stream);
  }
  [[nodiscard]] std::size_t ended() const {
    std::size_t count = 0;
    for (const auto& [id, seen] : streams) count += seen.ended ? 1 : 0;
    return count;
  }

 private:
  void on_request_head(StreamId stream, http::RequestHead head) override {
    streams[stream].method = head.method;
    for (const auto& field : head.fields) {
      streams[stream].fields.append(field.name).append(":").append(field.value).append("\n");
    }
    server_.grant_request(stream, grant);
  }
  void on_request_refused(StreamId, wire::Fault fault, http::RequestHead) override {
    ADD_FAILURE() << fault.refusal.detail;
  }
  void on_request_data(StreamId stream, std::span<const char> bytes) override {
    streams[stream].body.append(bytes.data(), bytes.size());
  }
  void on_request_trailers(StreamId stream, http::Fields trailers) override {
    for (const auto& field : trailers) {
      streams[stream].trailers.append(field.name).append(":").append(field.value);
    }
  }
  void on_request_end(StreamId stream) override { streams[stream].ended = true; }
  void on_request_fault(StreamId, wire::Fault fault) override { ADD_FAILURE() << fault.refusal.detail; }
  void on_response_sent(StreamId, std::size_t) override {}
  void on_stream_reset(StreamId stream, bool) override { streams[stream].reset = true; }
  void on_stream_end(StreamId) override {}

  std::unique_ptr<Peer> peer_;
  wire::Http2Server server_;
  std::string out_;
};

class Http2Upstream : public testing::Test {
 protected:
  explicit Http2Upstream(std::function<void(Config&)> adjust = {})
      : world(1, [adjust](Config& config) {
          config.servers[0].http2 = true;
          if (adjust) adjust(config);
        }) {}

  // The worker and the backend's ends take turns.
  template <typename Done>
  [[nodiscard]] bool until(Done done) {
    return world.until([&] {
      for (const auto& peer : peers) peer->work();
      return done();
    });
  }
  void settle(std::chrono::milliseconds time = 40ms) {
    const auto ends = std::chrono::steady_clock::now() + time;
    EXPECT_TRUE(until([&] { return std::chrono::steady_clock::now() > ends; }));
  }
  Http2Peer& accept(wire::Http2Limits limits = {}) {
    peers.push_back(std::make_unique<Http2Peer>(world.accept(), limits));
    return *peers.back();
  }

  World world;
  std::vector<std::unique_ptr<Http2Peer>> peers;
};

TEST_F(Http2Upstream, ForwardsAndAnswers) {
  const Ref<Client> client = world.get();
  Http2Peer& peer = accept();
  ASSERT_TRUE(until([&] { return peer.ended() == 1; }));
  EXPECT_EQ(peer.streams[1].method, "GET");
  EXPECT_EQ(peer.streams[1].fields, "host:a.example\n");
  peer.answer(1);
  ASSERT_TRUE(until([&] { return client->over(); }));
  EXPECT_TRUE(client->ended);
  EXPECT_EQ(client->head->status, 200);
  EXPECT_EQ(client->received, "ok");
  EXPECT_EQ(client->servers, std::vector<std::string>{"server-0"});
}

TEST_F(Http2Upstream, ManyRequestsShareAConnectionFromTheFirstMoment) {
  std::vector<Ref<Client>> clients;
  for (int i = 0; i < 50; ++i) clients.push_back(world.get());
  Http2Peer& peer = accept();
  ASSERT_TRUE(until([&] { return peer.ended() == 50; }));
  clients.push_back(world.get());
  ASSERT_TRUE(until([&] { return peer.ended() == 51; }));
  // Answered in any order.
  for (StreamId stream = 101; stream >= 1; stream -= 2) peer.answer(stream, std::to_string(stream));
  ASSERT_TRUE(
      until([&] { return std::ranges::all_of(clients, [](const auto& client) { return client->over(); }); }));
  for (std::size_t i = 0; i < clients.size(); ++i) EXPECT_EQ(clients[i]->received, std::to_string(2 * i + 1));
  EXPECT_EQ(world.backend().accepted(), 1U);
  EXPECT_EQ(world.shared().upstream(0).connections.load(), 1U);
  EXPECT_EQ(world.shared().upstream(0).servers[0].in_flight.load(), 0U);
}

TEST_F(Http2Upstream, BodiesAndTrailersBothWays) {
  const std::string body(300'000, 'b');
  const Ref<Client> client = world.request("POST", kStreamed, [&](Client& it) {
    it.body = body;
    it.request_trailers.add("x-sum", "9");
  });
  Http2Peer& peer = accept();
  ASSERT_TRUE(until([&] { return peer.ended() == 1; }));
  EXPECT_EQ(peer.streams[1].body, body);
  EXPECT_EQ(peer.streams[1].trailers, "x-sum:9");
  EXPECT_LE(client->granted, body.size() + pipeline::kInitialCredit);
  http::ResponseHead head;
  head.status = 200;
  head.body = kStreamed;
  ASSERT_TRUE(peer.server().send_head(1, head));
  peer.server().send_data(1, std::string(200'000, 'r'));
  http::Fields trailers;
  trailers.add("grpc-status", "0");
  peer.server().send_trailers(1, trailers);
  ASSERT_TRUE(until([&] { return client->over(); }));
  EXPECT_EQ(client->received, std::string(200'000, 'r'));
  EXPECT_EQ(client->trailers.find("grpc-status"), "0");
}

TEST_F(Http2Upstream, ABackendThatDoesNotReadGetsNoMoreThanItsWindow) {
  const Ref<Client> client =
      world.request("POST", kStreamed, [&](Client& it) { it.body.assign(1 << 20, 'b'); });
  Http2Peer& peer = accept();
  peer.grant = 0;
  settle();
  EXPECT_EQ(peer.streams[1].body, "");
  EXPECT_LE(client->sent(), wire::kHttp2StreamWindow + pipeline::kInitialCredit);
  peer.server().grant_request(1, 1 << 20);
  ASSERT_TRUE(until([&] { return peer.ended() == 1; }));
  EXPECT_EQ(peer.streams[1].body.size(), 1U << 20);
  peer.answer(1, "ok");
  ASSERT_TRUE(until([&] { return client->over(); }));
}

// Heads are copied until they are written: few at a time, the others wait for their turn.
class CrowdedHttp2Upstream : public Http2Upstream {
 protected:
  static constexpr std::size_t kCrowd = 90;

  CrowdedHttp2Upstream()
      : Http2Upstream([](Config& config) {
          config.timeouts = {.connect = 5s, .response = 60s, .body_idle = 60s, .idle = 5s};
        }) {
    world.backend().take_little();
    for (std::size_t i = 0; i < kCrowd; ++i) {
      clients.push_back(world.request("GET", {}, [&](Client& it) { it.field.assign(60'000, 'f'); }));
    }
  }
  void answer_all(Http2Peer& peer) {
    for (const auto& [id, seen] : peer.streams) peer.answer(id, std::to_string(seen.fields.size()));
    ASSERT_TRUE(until(
        [&] { return std::ranges::all_of(clients, [](const auto& client) { return client->over(); }); }));
    for (const auto& client : clients) EXPECT_EQ(client->received, "60024");
    EXPECT_EQ(world.shared().upstream(0).servers[0].in_flight.load(), 0U);
  }

  std::vector<Ref<Client>> clients;
};

TEST_F(CrowdedHttp2Upstream, LargeHeadsTakeTurnsAndAllArrive) {
  Http2Peer& peer = accept();
  world.settle();
  ASSERT_TRUE(until([&] { return peer.ended() == kCrowd; }));
  answer_all(peer);
  EXPECT_EQ(world.backend().accepted(), 1U);
}

TEST_F(CrowdedHttp2Upstream, WhoWaitsWhenTheConnectionBreaksGoesOverAnother) {
  const std::unique_ptr<Peer> first = world.accept();
  world.settle();
  first->reset();
  Http2Peer& peer = accept();
  ASSERT_TRUE(until([&] { return peer.ended() == kCrowd; }));
  answer_all(peer);
  EXPECT_EQ(world.backend().accepted(), 2U);
}

TEST_F(CrowdedHttp2Upstream, OneThatGoesWhileItWaitsLeavesTheOthers) {
  Http2Peer& peer = accept();
  world.settle();
  const Ref<Client> gone = clients.back();
  clients.pop_back();
  gone->backend->on_request_cancel(Cause::kClientGone);
  gone->backend.reset();
  ASSERT_TRUE(until([&] { return peer.ended() == kCrowd - 1; }));
  settle();
  EXPECT_EQ(peer.streams.size(), kCrowd - 1);
  answer_all(peer);
}

TEST_F(Http2Upstream, ASlowClientHoldsUpItsOwnAnswerOnly) {
  const Ref<Client> slow = world.request("GET", {}, [](Client& it) { it.take_all = false; });
  const Ref<Client> quick = world.get();
  Http2Peer& peer = accept();
  ASSERT_TRUE(until([&] { return peer.ended() == 2; }));
  peer.answer(1, std::string(1 << 20, 's'));
  settle();
  EXPECT_EQ(slow->received.size(), pipeline::kInitialCredit);
  peer.answer(3, std::string(1 << 20, 'q'));
  ASSERT_TRUE(until([&] { return quick->over(); }));
  EXPECT_EQ(quick->received.size(), 1U << 20);
  settle(600ms);
  EXPECT_FALSE(slow->over()) << "it is the client that is waited for";
  slow->take_all = true;
  slow->backend->grant_response(pipeline::kInitialCredit);
  ASSERT_TRUE(until([&] { return slow->over(); }));
  EXPECT_EQ(slow->received.size(), 1U << 20);
}

// What the client has no room for stays with the backend, and is lost with it: never passed as whole.
TEST_F(Http2Upstream, AnAnswerThatTheClientHasNoRoomForEndsWithItsConnection) {
  const Ref<Client> slow = world.request("GET", {}, [](Client& it) { it.take_all = false; });
  const Ref<Client> small = world.request("GET", {}, [](Client& it) { it.take_all = false; });
  Http2Peer& peer = accept();
  ASSERT_TRUE(until([&] { return peer.ended() == 2; }));
  peer.answer(1, std::string(100'000, 's'));
  peer.answer(3, std::string(60'000, 's'));
  ASSERT_TRUE(until([&] { return small->over(); }));
  EXPECT_TRUE(small->ended);
  EXPECT_EQ(small->received.size(), 60'000U);
  EXPECT_EQ(slow->received.size(), pipeline::kInitialCredit);
  EXPECT_FALSE(slow->over());
  peer.peer().close();
  ASSERT_TRUE(world.until([&] { return slow->over(); }));
  EXPECT_EQ(slow->reset, Cause::kBackendBroken);
  EXPECT_EQ(slow->received.size(), pipeline::kInitialCredit);
}

// One with little room at first has no more sent to it, whatever its backend speaks, and gets all in the end.
TEST_F(Http2Upstream, AClientSaysHowMuchMayComeFirst) {
  const Ref<Client> slow = world.request("GET", {}, [](Client& it) {
    it.first = 2000;
    it.take_all = false;
  });
  Http2Peer& peer = accept();
  ASSERT_TRUE(until([&] { return peer.ended() == 1; }));
  peer.answer(1, std::string(100'000, 's'));
  ASSERT_TRUE(until([&] { return slow->received.size() >= 2000; }));
  settle();
  EXPECT_EQ(slow->received.size(), 2000U);
  slow->take_all = true;
  slow->backend->grant_response(20'000);
  ASSERT_TRUE(until([&] { return slow->over(); }));
  EXPECT_TRUE(slow->ended);
  EXPECT_EQ(slow->received.size(), 100'000U);
}

TEST_F(Http2Upstream, ItsRouteSaysHowLongAnAnswerMayTake) {
  world.route.response = 1h;
  const Ref<Client> patient = world.get();
  world.route.response = 20ms;
  const Ref<Client> quick = world.get();
  world.route.response.reset();
  const Ref<Client> neither = world.get();
  Http2Peer& peer = accept();
  ASSERT_TRUE(until([&] { return quick->over(); }));
  EXPECT_EQ(quick->reset, Cause::kBackendTimeout);
  ASSERT_TRUE(until([&] { return neither->over(); }));
  EXPECT_EQ(neither->reset, Cause::kBackendTimeout);
  EXPECT_FALSE(patient->over());
  peer.answer(1);
  ASSERT_TRUE(until([&] { return patient->over(); }));
  EXPECT_EQ(patient->received, "ok");
}

TEST_F(Http2Upstream, GoawayLosesNothing) {
  // A POST is safe to send again where the backend says that it did not process it.
  const Ref<Client> first = world.get();
  Http2Peer& old = accept();
  ASSERT_TRUE(until([&] { return old.ended() == 1; }));
  old.server().end_shutdown();  // names stream 1 as the last
  std::vector<Ref<Client>> late;
  for (int i = 0; i < 3; ++i)
    late.push_back(world.request("POST", {Kind::kKnown, 5}, [](Client& it) { it.body = "hello"; }));
  settle();
  Http2Peer& fresh = accept();
  ASSERT_TRUE(until([&] { return fresh.ended() == 3; }));
  for (const auto& [stream, seen] : fresh.streams) {
    EXPECT_EQ(seen.body, "hello");
    fresh.answer(stream);
  }
  old.answer(1, "old");
  ASSERT_TRUE(until([&] { return first->over() && late[0]->over() && late[1]->over() && late[2]->over(); }));
  EXPECT_EQ(first->received, "old");
  for (const auto& client : late) EXPECT_EQ(client->received, "ok");
  EXPECT_TRUE(until([&] { return old.peer().ended(); })) << "nothing is left to do on it";
}

TEST_F(Http2Upstream, WhatIsSentAgainAndWhatIsNot) {
  struct Row {
    std::string_view name, method;
    Http2Error error;
    bool again;
    Cause cause = Cause::kBackendBroken;
  };
  const Row rows[] = {
      {"refused GET", "GET", Http2Error::kRefusedStream, true},
      {"refused POST", "POST", Http2Error::kRefusedStream, true},
      {"broken GET", "GET", Http2Error::kInternalError, true},
      {"broken POST", "POST", Http2Error::kInternalError, false},
      {"cancelled GET", "GET", Http2Error::kCancel, true},
      {"cancelled POST", "POST", Http2Error::kCancel, false, Cause::kBackendCancelled},
      {"exhausted GET", "GET", Http2Error::kEnhanceYourCalm, false, Cause::kBackendExhausted},
  };
  Http2Peer* peer = nullptr;
  StreamId next = 1;
  for (const Row& row : rows) {
    const http::BodyLength length =
        row.method == "POST" ? http::BodyLength{Kind::kKnown, 5} : http::BodyLength{};
    const Ref<Client> client =
        world.request(row.method, length, [&](Client& it) { it.body = row.method == "POST" ? "hello" : ""; });
    if (peer == nullptr) peer = &accept();
    const StreamId stream = std::exchange(next, next + 2);
    ASSERT_TRUE(until([&] { return peer->streams[stream].ended; })) << row.name;
    peer->server().reset(stream, row.error);
    if (row.again) {
      // After a break the exchange would rather have a connection of its own; there is one only.
      const StreamId second = std::exchange(next, next + 2);
      ASSERT_TRUE(until([&] { return peer->streams[second].ended; })) << row.name;
      EXPECT_EQ(peer->streams[second].body, row.method == "POST" ? "hello" : "");
      peer->answer(second);
    }
    ASSERT_TRUE(until([&] { return client->over(); })) << row.name;
    EXPECT_EQ(client->ended, row.again) << row.name;
    EXPECT_EQ(client->reset, row.again ? std::nullopt : std::optional(row.cause)) << row.name;
  }
  EXPECT_EQ(world.backend().accepted(), 1U);
}

TEST_F(Http2Upstream, RetriesEnd) {
  const Ref<Client> client = world.get();
  Http2Peer& peer = accept();
  for (const StreamId stream : {1, 3}) {
    ASSERT_TRUE(until([&] { return peer.streams[stream].ended; }));
    peer.server().reset(stream, Http2Error::kRefusedStream);
  }
  ASSERT_TRUE(until([&] { return client->over(); }));
  EXPECT_EQ(client->reset, Cause::kBackendBroken);
}

TEST_F(Http2Upstream, AServerThatOnlyEverGoesAwayIsBroken) {
  const Ref<Client> client = world.get();
  int connections = 0;
  while (!client->over() && connections < 20) {
    ++connections;
    Http2Peer& peer = accept();
    ASSERT_TRUE(until([&] { return peer.ended() == 1; }));
    // GOAWAY that names no stream.
    peer.peer().send(std::string_view("\0\0\x8\x7\0\0\0\0\0\0\0\0\0\0\0\0\0", 17));
    ASSERT_TRUE(until([&] { return client->over() || world.backend().pending(); }));
  }
  EXPECT_EQ(client->reset, Cause::kBackendBroken);
  EXPECT_EQ(connections, 7) << "the first, five more, and one retry";
}

TEST_F(Http2Upstream, NothingIsSentAgainOnceAnAnswerBegan) {
  const Ref<Client> client = world.get();
  Http2Peer& peer = accept();
  ASSERT_TRUE(until([&] { return peer.ended() == 1; }));
  peer.answer(1, "half", false);
  ASSERT_TRUE(until([&] { return client->received == "half"; }));
  peer.server().reset(1, Http2Error::kRefusedStream);
  ASSERT_TRUE(until([&] { return client->over(); }));
  EXPECT_EQ(client->reset, Cause::kBackendBroken);
  EXPECT_EQ(peer.streams.size(), 1U);
}

TEST_F(Http2Upstream, AConnectionThatBreaks) {
  const Ref<Client> get = world.get();
  const Ref<Client> post = world.request("POST", {Kind::kKnown, 0}, [](Client& it) { it.body = ""; });
  post->backend->on_request_end();
  Http2Peer& peer = accept();
  ASSERT_TRUE(until([&] { return peer.ended() == 2; }));
  peer.peer().reset();
  peers.clear();
  Http2Peer& fresh = accept();
  ASSERT_TRUE(until([&] { return fresh.ended() == 1; }));
  fresh.answer(1);
  ASSERT_TRUE(until([&] { return get->over() && post->over(); }));
  EXPECT_TRUE(get->ended);
  EXPECT_EQ(post->reset, Cause::kBackendBroken);
}

TEST_F(Http2Upstream, ABackendThatSpeaksSomethingElse) {
  const Ref<Client> client = world.request("POST", {Kind::kKnown, 2}, [](Client& it) { it.body = "hi"; });
  const auto peer = world.accept();
  peer->send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  ASSERT_TRUE(world.until([&] { return client->over(); }));
  EXPECT_EQ(client->reset, Cause::kBackendBroken);
  EXPECT_TRUE(world.until([&] { return peer->ended(); }));
}

TEST_F(Http2Upstream, ABackendThatIsAwayOrSlow) {
  const Ref<Client> client = world.get();
  Http2Peer& peer = accept();
  ASSERT_TRUE(until([&] { return client->over(); }));
  EXPECT_EQ(client->reset, Cause::kBackendTimeout);
  EXPECT_TRUE(until([&] { return peer.streams[1].reset; }));
  settle();
  const Ref<Client> second = world.get();
  ASSERT_TRUE(until([&] { return peer.streams[3].ended; }));
  peer.answer(3, "half", false);
  ASSERT_TRUE(until([&] { return second->over(); }));
  EXPECT_EQ(second->received, "half");
  EXPECT_EQ(second->reset, Cause::kBackendTimeout);
  EXPECT_EQ(world.backend().accepted(), 1U) << "the connection is as good as before";
  world.backend().close();
  peer.peer().reset();
  world.settle();
  const Ref<Client> third = world.get();
  ASSERT_TRUE(world.until([&] { return third->over(); }));
  EXPECT_EQ(third->reset, Cause::kBackendUnreachable);
}

// One that says nothing any more would take request after request with it until TCP gives it up.
TEST_F(Http2Upstream, NobodyJoinsAConnectionThatWasTooSlowBeforeItAnswersAPing) {
  const Ref<Client> client = world.get();
  Http2Peer& silent = accept();
  ASSERT_TRUE(until([&] { return silent.ended() == 1; }));
  ASSERT_TRUE(world.until([&] { return client->over(); }));
  EXPECT_EQ(client->reset, Cause::kBackendTimeout);
  const Ref<Client> second = world.get();
  const std::unique_ptr<Peer> other = world.accept();
  ASSERT_NE(other, nullptr);
  std::exchange(second->backend, nullptr)->on_request_cancel(Cause::kClientGone);
  ASSERT_TRUE(until([&] { return silent.streams[1].reset; }));
  settle();
  other->reset();
  settle();
  const Ref<Client> third = world.get();
  ASSERT_TRUE(until([&] { return silent.ended() == 2; })) << "it has answered";
  silent.answer(3);
  ASSERT_TRUE(until([&] { return third->over(); }));
  EXPECT_TRUE(third->ended);
  EXPECT_EQ(world.backend().accepted(), 2U);
}

// A call's own deadline is no fault of its connection, but may be a sign of one.
TEST_F(Http2Upstream, ADeadlineThatPassedWithoutAnAnswerIsASignToo) {
  const Ref<Client> client = world.get();
  Http2Peer& silent = accept();
  ASSERT_TRUE(until([&] { return silent.ended() == 1; }));
  std::exchange(client->backend, nullptr)->on_request_cancel(Cause::kDeadlinePassed);
  world.settle();
  const Ref<Client> second = world.get();
  const std::unique_ptr<Peer> other = world.accept();
  EXPECT_NE(other, nullptr);
  std::exchange(second->backend, nullptr)->on_request_cancel(Cause::kClientGone);
  settle();
}

TEST_F(Http2Upstream, ACancelledRequestLeavesTheConnection) {
  const Ref<Client> client = world.request("POST", kStreamed, [](Client& it) {
    it.body = "some";
    it.hold_end = true;
  });
  Http2Peer& peer = accept();
  ASSERT_TRUE(until([&] { return peer.streams[1].body == "some"; }));
  std::exchange(client->backend, nullptr)->on_request_cancel(Cause::kClientGone);
  ASSERT_TRUE(until([&] { return peer.streams[1].reset; }));
  const Ref<Client> second = world.get();
  ASSERT_TRUE(until([&] { return peer.streams[3].ended; }));
  peer.answer(3);
  ASSERT_TRUE(until([&] { return second->ended; }));
  EXPECT_FALSE(client->over());
}

TEST_F(Http2Upstream, AnAnswerBeforeTheRequestsEndIsEnough) {
  const Ref<Client> client = world.request("POST", kStreamed, [](Client& it) {
    it.body = "some";
    it.hold_end = true;
  });
  Http2Peer& peer = accept();
  ASSERT_TRUE(until([&] { return peer.streams[1].body == "some"; }));
  peer.answer(1, "no");
  ASSERT_TRUE(until([&] { return client->over(); }));
  EXPECT_TRUE(client->ended);
  EXPECT_EQ(client->received, "no");
  EXPECT_EQ(world.shared().upstream(0).servers[0].in_flight.load(), 0U);
}

class NarrowHttp2Upstream : public Http2Upstream {
 protected:
  NarrowHttp2Upstream() : Http2Upstream([](Config& config) { config.max_connections = 2; }) {}
};

TEST_F(NarrowHttp2Upstream, MoreConnectionsWhereOneIsFullAndAQueueWhereAllAre) {
  const Ref<Client> first = world.get();
  Http2Peer& one = accept({.max_streams = 1});
  ASSERT_TRUE(until([&] { return one.ended() == 1; }));
  const Ref<Client> second = world.get();
  Http2Peer& two = accept({.max_streams = 1});
  ASSERT_TRUE(until([&] { return two.ended() == 1; }));
  const Ref<Client> third = world.get();
  settle();
  EXPECT_EQ(world.shared().upstream(0).waiting.load(), 1U);
  one.answer(1);
  ASSERT_TRUE(until([&] { return one.streams[3].ended; }));
  EXPECT_EQ(world.shared().upstream(0).waiting.load(), 0U);
  one.answer(3);
  two.answer(1);
  ASSERT_TRUE(until([&] { return first->ended && second->ended && third->ended; }));
  EXPECT_EQ(world.backend().accepted(), 2U);
}

class IdleHttp2Upstream : public Http2Upstream {
 protected:
  IdleHttp2Upstream() : Http2Upstream([](Config& config) { config.timeouts.idle = 50ms; }) {}
};

TEST_F(IdleHttp2Upstream, ClosesWhatNobodyUses) {
  const Ref<Client> client = world.get();
  Http2Peer& peer = accept();
  ASSERT_TRUE(until([&] { return peer.ended() == 1; }));
  settle(100ms);
  EXPECT_FALSE(peer.peer().ended()) << "a request is under way";
  peer.answer(1);
  ASSERT_TRUE(until([&] { return peer.peer().ended(); }));
  EXPECT_TRUE(client->ended);
  EXPECT_EQ(world.shared().upstream(0).connections.load(), 0U);
}

// A WebSocket needs HTTP/1: it takes no place on a shared connection, and none that a shared one could give.
TEST(Http2UpstreamWebSocket, AWebSocketGoesToAServerThatMaySpeakHttp1) {
  World world(2, [](Config& config) { config.servers[0].http2 = true; });
  for (int i = 0; i < 3; ++i) {
    const Ref<Client> client = world.websocket();
    const std::unique_ptr<Peer> peer = world.accept(1);
    EXPECT_TRUE(world.receive_head(*peer).starts_with("GET /ws HTTP/1.1\r\n"));
    peer->send(kOk);
    peer->close();
    ASSERT_TRUE(world.until([&] { return client->over(); }));
    EXPECT_TRUE(client->ended);
  }
  EXPECT_FALSE(world.backend(0).pending());
}

TEST(Http2UpstreamWebSocket, AWebSocketThatNoServerTakesIsToldSo) {
  World world(1, [](Config& config) { config.servers[0].http2 = true; });
  const Ref<Client> client = world.websocket();
  ASSERT_TRUE(world.until([&] { return client->over(); }));
  EXPECT_EQ(client->reset, Cause::kNoWebSocket);
  EXPECT_FALSE(world.backend(0).pending());
}

TEST(Http2UpstreamWebSocket, AWaitingWebSocketStandsInNobodysWay) {
  World world(2, [](Config& config) {
    config.servers[0].http2 = true;
    config.servers[1].http2 = false;
    config.max_connections = 1;
    config.max_streams = 1;
    config.timeouts.connect = 5s;
  });
  const Ref<Client> first = world.get();
  Http2Peer peer(world.accept(0));
  ASSERT_TRUE(world.until([&] {
    peer.work();
    return peer.streams.size() == 1;
  }));
  const Ref<Client> websocket = world.websocket();
  const Ref<Client> second = world.get();
  EXPECT_EQ(world.shared().upstream(0).waiting.load(), 2U);
  peer.answer(peer.streams.begin()->first, "one");
  ASSERT_TRUE(world.until([&] {
    peer.work();
    return first->over() && peer.streams.size() == 2;
  }));
  EXPECT_EQ(world.shared().upstream(0).waiting.load(), 1U);
  peer.answer(peer.streams.rbegin()->first, "two");
  ASSERT_TRUE(world.until([&] {
    peer.work();
    return second->over();
  }));
  // The place is its own when the shared connection goes.
  peer.peer().close();
  const std::unique_ptr<Peer> other = world.accept(1);
  EXPECT_TRUE(world.receive_head(*other).starts_with("GET /ws HTTP/1.1\r\n"));
  other->send(kOk);
  ASSERT_TRUE(world.until([&] { return websocket->over(); }));
}

// Nor does it wait for a shared connection to be used no longer than it is: an idle one makes room.
TEST(Http2UpstreamWebSocket, AnIdleSharedConnectionMakesRoom) {
  for (const bool waits : {true, false}) {
    World world(2, [](Config& config) {
      config.servers[0].http2 = true;
      config.servers[1].http2 = false;
      config.max_connections = 1;
      config.timeouts.connect = 5s;
      config.timeouts.idle = 1h;
    });
    const Ref<Client> first = world.get();
    Http2Peer peer(world.accept(0));
    ASSERT_TRUE(world.until([&] {
      peer.work();
      return peer.streams.size() == 1;
    }));
    // It comes before the other request has ended, or after.
    Ref<Client> websocket;
    if (waits) {
      websocket = world.websocket();
      EXPECT_EQ(world.shared().upstream(0).waiting.load(), 1U);
    }
    peer.answer(peer.streams.begin()->first, "one");
    ASSERT_TRUE(world.until([&] {
      peer.work();
      return first->over();
    }));
    EXPECT_TRUE(first->ended);
    if (!waits) websocket = world.websocket();
    const std::unique_ptr<Peer> other = world.accept(1);
    EXPECT_TRUE(world.receive_head(*other).starts_with("GET /ws HTTP/1.1\r\n"));
    EXPECT_EQ(world.shared().upstream(0).waiting.load(), 0U);
    EXPECT_TRUE(world.until([&] {
      peer.work();
      return peer.peer().ended();
    }));
    other->send(kOk);
    other->close();
    ASSERT_TRUE(world.until([&] { return websocket->over(); }));
    EXPECT_TRUE(websocket->ended);
  }
}

}  // namespace
}  // namespace holdfast::upstream
