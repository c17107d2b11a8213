#include "upstream/exchange.h"

#include <gtest/gtest.h>

#include "world.h"

namespace holdfast::upstream {
namespace {

using Kind = http::BodyLength::Kind;

TEST(Exchange, ForwardsAndAnswers) {
  World world;
  const Ref<Client> client = world.get();
  const auto peer = world.accept();
  EXPECT_EQ(world.receive_head(*peer), "GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n");
  peer->send(
      "HTTP/1.1 200 OK\r\nX: y\r\nConnection: keep-alive, x-hop\r\nX-Hop: 1\r\nContent-Length: 2\r\n\r\nok");
  ASSERT_TRUE(world.until([&] { return client->over(); }));
  ASSERT_TRUE(client->ended);
  EXPECT_EQ(client->head->status, 200);
  EXPECT_EQ(client->head->fields.find("x"), "y");
  EXPECT_FALSE(client->head->fields.contains("connection"));
  EXPECT_FALSE(client->head->fields.contains("x-hop"));
  EXPECT_FALSE(client->head->close);
  EXPECT_EQ(client->received, "ok");
  EXPECT_EQ(client->servers, std::vector<std::string>{"server-0"});
}

// What an answer says about the connection decides whether the next request may use it.
TEST(Exchange, KeepsTheConnectionOnlyWhenItIsClean) {
  struct Row {
    std::string_view name, method, answer;
    bool kept;
  };
  const Row rows[] = {
      {"length", "GET", kOk, true},
      {"chunked", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", true},
      {"204", "GET", "HTTP/1.1 204 No Content\r\n\r\n", true},
      {"304", "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", true},
      {"HEAD", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", true},
      {"1.0 kept", "GET", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", true},
      {"1.0", "GET", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", false},
      {"close", "GET", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", false},
      {"stray byte", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok!", false},
      {"a second answer", "GET",
       "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno", false},
      {"body on 204", "GET", "HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok", false},
      {"body on HEAD", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", false},
  };
  for (const Row& row : rows) {
    World world;
    const Ref<Client> first = world.request(row.method);
    const auto peer = world.accept();
    world.receive_head(*peer);
    peer->send(row.answer);
    ASSERT_TRUE(world.until([&] { return first->over(); })) << row.name;
    EXPECT_TRUE(first->ended) << row.name;
    const Ref<Client> second = world.get();
    if (row.kept) {
      world.receive_head(*peer);
      peer->send(kOk);
    } else {
      EXPECT_TRUE(world.until([&] { return peer->ended(); })) << row.name;
      const auto fresh = world.accept();
      world.receive_head(*fresh);
      fresh->send(kOk);
      EXPECT_TRUE(world.until([&] { return second->over(); })) << row.name;
    }
    EXPECT_TRUE(world.until([&] { return second->over(); })) << row.name;
    EXPECT_TRUE(second->ended) << row.name;
    EXPECT_EQ(second->received, "ok") << row.name;
    EXPECT_EQ(world.backend().accepted(), row.kept ? 1U : 2U) << row.name;
  }
}

// A server that does not read what a GET brings must not find it before the next client's request.
TEST(Exchange, KeepsNoConnectionAfterContentThatNobodyExpects) {
  for (const std::string_view method : {"GET", "DELETE", "POST"}) {
    World world;
    const Ref<Client> first = world.request(method, {Kind::kKnown, 2}, [](Client& c) { c.body = "hi"; });
    const auto peer = world.accept();
    const bool close = method != "POST";
    EXPECT_EQ(world.receive_head(*peer).contains("Connection: close\r\n"), close) << method;
    peer->send(kOk);
    ASSERT_TRUE(world.until([&] { return first->over(); }));
    EXPECT_TRUE(first->ended);
    EXPECT_EQ(world.shared().upstream(0).connections.load(), close ? 0U : 1U) << method;
  }
}

TEST(Exchange, ReadsABodyThatEndsWithTheConnection) {
  World world;
  const Ref<Client> client = world.get();
  const auto peer = world.accept();
  world.receive_head(*peer);
  peer->send("HTTP/1.1 200 OK\r\n\r\nuntil");
  peer->send(" the end");
  world.settle();
  EXPECT_FALSE(client->ended);
  peer->close();
  ASSERT_TRUE(world.until([&] { return client->over(); }));
  EXPECT_TRUE(client->ended);
  EXPECT_EQ(client->received, "until the end");
}

TEST(Exchange, SendsHeadAndBodyTogether) {
  World world;
  const Ref<Client> client = world.request("POST", {Kind::kKnown, 5}, [](Client& c) { c.body = "hello"; });
  const auto peer = world.accept();
  EXPECT_EQ(world.receive_head(*peer),
            "POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n\r\nhello");
  peer->send(kOk);
  ASSERT_TRUE(world.until([&] { return client->over(); }));
  EXPECT_TRUE(client->ended);
}

TEST(Exchange, SendsChunksAndTrailers) {
  World world;
  const Ref<Client> client = world.request("POST", {Kind::kUnknown, 0}, [](Client& c) {
    c.body = "hello";
    c.request_trailers.add("X-Sum", "1");
    c.request_trailers.add("Content-Length", "9");
  });
  const auto peer = world.accept();
  EXPECT_TRUE(world.receive_head(*peer).ends_with(
      "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n"));
  peer->send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Back: 2\r\n\r\n");
  ASSERT_TRUE(world.until([&] { return client->over(); }));
  EXPECT_TRUE(client->ended);
  EXPECT_EQ(client->trailers.find("x-back"), "2");
}

TEST(Exchange, PassesInterimHeadsButNot100) {
  World world;
  const Ref<Client> client = world.get();
  const auto peer = world.accept();
  world.receive_head(*peer);
  peer->send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n");
  ASSERT_TRUE(world.until([&] { return !client->interims.empty(); }));
  EXPECT_EQ(client->interims, std::vector<unsigned>{103});
  peer->send(kOk);
  ASSERT_TRUE(world.until([&] { return client->over(); }));
  EXPECT_TRUE(client->ended);
}

TEST(Exchange, TurnsWhatIsBrokenIntoAReset) {
  using namespace std::string_literals;
  const std::string rows[] = {
      "garbage\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nX: a\nSet-Cookie: b\r\n\r\n",
      "HTTP/1.1 200 OK\r\nX: "s + std::string(100000, 'a'),
      "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok!\r\n",
  };
  for (const std::string& row : rows) {
    World world;
    const Ref<Client> client = world.get();
    const auto peer = world.accept();
    world.receive_head(*peer);
    peer->send(row);
    ASSERT_TRUE(world.until([&] { return client->over(); })) << row.substr(0, 60);
    EXPECT_EQ(client->reset, Cause::kBackendBroken) << row.substr(0, 60);
    EXPECT_TRUE(world.until([&] { return peer->ended(); })) << row.substr(0, 60);
    EXPECT_EQ(world.backend().accepted(), 1U);  // never retried once a byte was seen
  }
}

TEST(Exchange, ResetsWhenTheAnswerIsCutShort) {
  World world;
  const Ref<Client> client = world.get();
  const auto peer = world.accept();
  world.receive_head(*peer);
  peer->send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nok");
  ASSERT_TRUE(world.until([&] { return client->received == "ok"; }));
  peer->close();
  ASSERT_TRUE(world.until([&] { return client->over(); }));
  EXPECT_EQ(client->reset, Cause::kBackendBroken);
}

// ---- retries

TEST(Exchange, RetriesAnIdempotentRequestOnceOnANewConnection) {
  World world;
  const Ref<Client> client = world.request("PUT", {Kind::kKnown, 2}, [](Client& c) { c.body = "hi"; });
  const auto first = world.accept();
  const std::string sent = world.receive_head(*first);
  first->close();
  const auto second = world.accept();
  EXPECT_EQ(world.receive_head(*second), sent);
  second->close();
  ASSERT_TRUE(world.until([&] { return client->over(); }));
  EXPECT_EQ(client->reset, Cause::kBackendBroken);
  EXPECT_EQ(world.backend().accepted(), 2U);
}

TEST(Exchange, DoesNotRetryWhatMayHaveHadAnEffect) {
  World world;
  const Ref<Client> client = world.request("POST", {Kind::kKnown, 2}, [](Client& c) { c.body = "hi"; });
  const auto peer = world.accept();
  world.receive_head(*peer);
  peer->reset();
  ASSERT_TRUE(world.until([&] { return client->over(); }));
  EXPECT_EQ(client->reset, Cause::kBackendBroken);
  world.settle();
  EXPECT_EQ(world.backend().accept(), nullptr);
}

TEST(Exchange, DoesNotRetryWhereRetriesAreOff) {
  World world(1, [](Config& config) { config.max_retries = 0; });
  const Ref<Client> client = world.get();
  const auto peer = world.accept();
  world.receive_head(*peer);
  peer->close();
  ASSERT_TRUE(world.until([&] { return client->over(); }));
  EXPECT_EQ(client->reset, Cause::kBackendBroken);
}

TEST(Exchange, DoesNotRetryABodyThatIsGone) {
  World world;
  const Ref<Client> client =
      world.request("PUT", {Kind::kKnown, 100000}, [](Client& c) { c.body.assign(100000, 'x'); });
  const auto peer = world.accept();
  ASSERT_TRUE(world.until([&] { return peer->received().size() > 100000; }));
  peer->close();
  ASSERT_TRUE(world.until([&] { return client->over(); }));
  EXPECT_EQ(client->reset, Cause::kBackendBroken);
  world.settle();
  EXPECT_EQ(world.backend().accept(), nullptr);
}

// A body that goes on while the connection goes bad goes whole into the next attempt, or no attempt is made.
TEST(Exchange, ARetryLeavesNothingOut) {
  World world;
  const Ref<Client> client =
      world.request("PUT", {Kind::kUnknown, 0}, [](Client& c) { c.body = "one ", c.hold_end = true; });
  const auto first = world.accept();
  world.receive_head(*first);
  first->reset();
  for (const char* piece : {"two ", "three ", "four"}) {
    client->body += piece;
    client->send_body();
  }
  client->hold_end = false;
  client->send_body();
  const auto second = world.accept();
  ASSERT_TRUE(world.until([&] { return second->received().ends_with("0\r\n\r\n"); }));
  EXPECT_TRUE(second->received().contains("\r\n\r\n12\r\none two three four\r\n0\r\n\r\n"))
      << second->received();
  second->send(kOk);
  ASSERT_TRUE(world.until([&] { return client->over(); }));
  EXPECT_TRUE(client->ended);
}

// The server closed the kept connection; whether its FIN is there before the request or crosses it makes no
// difference to the client.
TEST(Exchange, SurvivesAConnectionThatWentStale) {
  for (const bool noticed : {true, false}) {
    World world;
    const Ref<Client> first = world.get();
    auto peer = world.accept();
    world.receive_head(*peer);
    peer->send(kOk);
    ASSERT_TRUE(world.until([&] { return first->over(); }));
    if (noticed) {
      peer->close();
      world.settle();
      EXPECT_EQ(world.shared().upstream(0).connections.load(), 0U);
    }
    const Ref<Client> second = world.get();
    if (!noticed) peer->close();
    const auto fresh = world.accept();
    world.receive_head(*fresh);
    fresh->send(kOk);
    ASSERT_TRUE(world.until([&] { return second->over(); }));
    EXPECT_TRUE(second->ended);
  }
}

// Bytes on an idle connection must never become the next request's answer.
TEST(Exchange, NeverTakesAnUnaskedAnswer) {
  World world;
  const Ref<Client> first = world.get();
  auto peer = world.accept();
  world.receive_head(*peer);
  peer->send(kOk);
  ASSERT_TRUE(world.until([&] { return first->over(); }));
  peer->send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
  const Ref<Client> second = world.get();  // the worker had no turn to notice
  const auto fresh = world.accept();
  world.receive_head(*fresh);
  fresh->send(kOk);
  ASSERT_TRUE(world.until([&] { return second->over(); }));
  EXPECT_EQ(second->received, "ok");
}

// ---- time

TEST(Exchange, TimesOutWithoutAnAnswer) {
  World world(1, [](Config& config) { config.timeouts.response = 50ms; });
  const Ref<Client> client = world.get();
  const auto peer = world.accept();
  world.receive_head(*peer);
  ASSERT_TRUE(world.until([&] { return client->over(); }));
  EXPECT_EQ(client->reset, Cause::kBackendTimeout);
  EXPECT_TRUE(world.until([&] { return peer->ended(); }));
}

TEST(Exchange, ItsRouteSaysHowLongAnAnswerMayTake) {
  World world(1, [](Config& config) { config.timeouts.response = 200ms; });
  world.route.response = 1h;
  const Ref<Client> patient = world.get();
  const auto waiting = world.accept();
  world.receive_head(*waiting);
  world.route.response = 20ms;
  const Ref<Client> quick = world.get();
  const auto slow = world.accept();
  ASSERT_TRUE(world.until([&] { return quick->over(); }));
  EXPECT_EQ(quick->reset, Cause::kBackendTimeout);
  world.route.response.reset();
  const Ref<Client> neither = world.get();
  ASSERT_TRUE(world.until([&] { return neither->over(); }));
  EXPECT_EQ(neither->reset, Cause::kBackendTimeout);
  EXPECT_FALSE(patient->over());
  waiting->send(kOk);
  ASSERT_TRUE(world.until([&] { return patient->over(); }));
  EXPECT_EQ(patient->received, "ok");
}

TEST(Exchange, TimesOutInTheBody) {
  World world(1, [](Config& config) { config.timeouts.body_idle = 50ms; });
  const Ref<Client> client = world.get();
  const auto peer = world.accept();
  world.receive_head(*peer);
  peer->send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nok");
  ASSERT_TRUE(world.until([&] { return client->over(); }));
  EXPECT_EQ(client->received, "ok");
  EXPECT_EQ(client->reset, Cause::kBackendTimeout);
}

// The silence of both bodies is what counts: an answer that has begun rests while the upload goes on.
TEST(Exchange, AnAnswerMayRestWhileTheRequestMoves) {
  World world(1, [](Config& config) { config.timeouts.body_idle = 100ms; });
  const Ref<Client> client = world.request("POST", {Kind::kUnknown, 0}, [](Client& c) {
    c.body = "b";
    c.hold_end = true;
  });
  const auto peer = world.accept();
  world.receive_head(*peer);
  peer->send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
  ASSERT_TRUE(world.until([&] { return client->head.has_value(); }));
  for (int i = 0; i < 6; ++i) {
    world.settle(40ms);
    client->body += 'b';
    client->send_body();
  }
  EXPECT_FALSE(client->over());
  ASSERT_TRUE(world.until([&] { return client->over(); })) << "nothing moves any more";
  EXPECT_EQ(client->reset, Cause::kBackendTimeout);
}

// What the backend took late it took: from then on it is the client that is waited for.
TEST(Exchange, AWriteThatWentOutLateLeavesNoDeadlineBehind) {
  World world(1, [](Config& config) { config.timeouts.body_idle = 100ms; });
  world.backend().take_little();
  const Ref<Client> client = world.request("POST", {Kind::kUnknown, 0}, [](Client& c) {
    c.body.assign(1 << 20, 'b');
    c.hold_end = true;
    c.take_all = false;
    c.first = 2;
  });
  const auto peer = world.accept();
  ASSERT_TRUE(world.until([&] { return client->sent() != 0; }));
  peer->send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nrest");
  ASSERT_TRUE(world.until([&] { return client->received == "re"; }));
  ASSERT_TRUE(world.until([&] {
    (void)peer->received();
    peer->forget();
    return client->sent() == client->body.size();
  }));
  world.settle(250ms);
  EXPECT_FALSE(client->over());
}

// A slow client is the client's affair: the backend's deadline does not run against it.
TEST(Exchange, DoesNotBlameTheBackendForTheClient) {
  World world(1, [](Config& config) {
    config.timeouts.body_idle = 50ms;
    config.timeouts.response = 50ms;
  });
  const Ref<Client> client = world.request("POST", {Kind::kKnown, 4}, [](Client& c) {
    c.body = "hi";
    c.hold_end = true;
    c.take_all = false;
  });
  const auto peer = world.accept();
  world.receive_head(*peer);
  world.settle(150ms);
  EXPECT_FALSE(client->over());
  client->body += "ho";
  client->hold_end = false;
  client->send_body();
  const std::string big(pipeline::kInitialCredit + 10, 'x');
  peer->send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(big.size()) + "\r\n\r\n" + big);
  ASSERT_TRUE(world.until([&] { return client->received.size() == pipeline::kInitialCredit; }));
  world.settle(150ms);
  EXPECT_FALSE(client->over());
  client->backend->grant_response(pipeline::kInitialCredit);
  ASSERT_TRUE(world.until([&] { return client->over(); }));
  EXPECT_TRUE(client->ended);
}

TEST(Exchange, ClosesAnIdleConnectionInTime) {
  World world(1, [](Config& config) { config.timeouts.idle = 50ms; });
  const Ref<Client> client = world.get();
  const auto peer = world.accept();
  world.receive_head(*peer);
  peer->send(kOk);
  ASSERT_TRUE(world.until([&] { return client->over(); }));
  EXPECT_TRUE(world.until([&] { return peer->ended(); }));
  EXPECT_EQ(world.shared().upstream(0).connections.load(), 0U);
}

// ---- credit

TEST(Exchange, HoldsTheResponseToItsCredit) {
  World world;
  const Ref<Client> client = world.request("GET", {}, [](Client& c) { c.take_all = false; });
  const auto peer = world.accept();
  world.receive_head(*peer);
  const std::string body(std::size_t{4} << 20, 'x');
  std::string wire = "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  std::size_t sent = 0;
  const auto send_more = [&] { sent += peer->send(std::string_view(wire).substr(sent)); };
  for (int i = 0; i < 20; ++i) {
    send_more();
    world.settle(2ms);
  }
  EXPECT_EQ(client->received.size(), pipeline::kInitialCredit);
  client->backend->grant_response(20000);
  ASSERT_TRUE(world.until([&] { return client->received.size() == pipeline::kInitialCredit + 20000; }));
  world.settle();
  EXPECT_EQ(client->received.size(), pipeline::kInitialCredit + 20000);
  client->take_all = true;
  client->backend->grant_response(pipeline::kInitialCredit);
  ASSERT_TRUE(world.until([&] {
    send_more();
    return client->over();
  }));
  EXPECT_TRUE(client->ended);
  EXPECT_EQ(client->received.size(), body.size());
}

TEST(Exchange, AClientSaysHowMuchMayComeFirst) {
  World world;
  const Ref<Client> client = world.request("GET", {}, [](Client& c) {
    c.first = 2000;
    c.take_all = false;
  });
  const auto peer = world.accept();
  world.receive_head(*peer);
  // Longer than what may come: heads are not counted.
  peer->send("HTTP/1.1 200 OK\r\nContent-Length: 50000\r\nX: " + std::string(5000, 'x') + "\r\n\r\n" +
             std::string(50000, 'b'));
  world.settle();
  EXPECT_GT(client->received.size(), 0U);
  EXPECT_LE(client->received.size(), 2000U);
  client->take_all = true;
  client->backend->grant_response(10);
  ASSERT_TRUE(world.until([&] { return client->over(); }));
  EXPECT_TRUE(client->ended);
  EXPECT_EQ(client->received.size(), 50000U);
}

TEST(Exchange, GrantsTheRequestWhatTheBackendTook) {
  World world;
  const std::size_t size = std::size_t{16} << 20;
  const Ref<Client> client =
      world.request("POST", {Kind::kKnown, size}, [&](Client& c) { c.body.assign(size, 'x'); });
  const auto peer = world.accept();
  world.settle(100ms);
  EXPECT_LT(client->sent(), size);  // the backend has read nothing yet
  EXPECT_LE(client->granted, client->sent() + pipeline::kInitialCredit);
  std::size_t received = 0;
  ASSERT_TRUE(world.until([&] {
    received += peer->received().size();
    peer->forget();
    return received >= size;
  }));
  peer->send(kOk);
  ASSERT_TRUE(world.until([&] { return client->over(); }));
  EXPECT_TRUE(client->ended);
}

// ---- either side first

TEST(Exchange, AnAnswerBeforeTheRequestEndedEndsTheExchange) {
  World world;
  const std::size_t size = std::size_t{16} << 20;
  const Ref<Client> client =
      world.request("POST", {Kind::kKnown, size}, [&](Client& c) { c.body.assign(size, 'x'); });
  const auto peer = world.accept();
  world.receive_head(*peer);
  peer->send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nno!");
  ASSERT_TRUE(world.until([&] { return client->over(); }));
  EXPECT_TRUE(client->ended);
  EXPECT_EQ(client->head->status, 413);
  EXPECT_EQ(client->received, "no!");
  EXPECT_EQ(world.shared().upstream(0).connections.load(),
            0U);  // the rest of the body must not become a request
}

// It answers, closes, and resets what still comes: the answer must arrive all the same.
TEST(Exchange, DeliversTheAnswerOfABackendThatStoppedReading) {
  World world;
  const Ref<Client> client = world.request("POST", {Kind::kKnown, 10}, [](Client& c) {
    c.body = "hello";
    c.hold_end = true;
  });
  const auto peer = world.accept();
  world.receive_head(*peer);
  peer->send("HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno");
  peer->close();
  ASSERT_TRUE(world.until([&] { return client->over(); }));
  EXPECT_TRUE(client->ended);
  EXPECT_EQ(client->head->status, 403);
}

TEST(Exchange, CancelClosesTheConnection) {
  World world;
  const Ref<Client> client = world.get();
  const auto peer = world.accept();
  world.receive_head(*peer);
  client->backend->on_request_cancel(Cause::kClientGone);
  EXPECT_TRUE(world.until([&] { return peer->ended(); }));
  EXPECT_FALSE(client->over());  // it is not called again
  EXPECT_EQ(world.shared().upstream(0).servers[0].in_flight.load(), 0U);
}

// A body that is malformed from its first byte never lets a head out, and costs no connection.
TEST(Exchange, CancelBeforeAnythingWasSentKeepsTheConnection) {
  World world;
  const Ref<Client> client = world.request("POST", {Kind::kUnknown, 0},
                                           [](Client& c) { c.cancel_at_grant = Cause::kRequestMalformed; });
  const auto peer = world.accept();
  ASSERT_TRUE(world.until([&] { return client->granted != 0; }));
  world.settle();
  EXPECT_EQ(peer->received(), "");
  const Ref<Client> next = world.get();
  world.receive_head(*peer);
  peer->send(kOk);
  ASSERT_TRUE(world.until([&] { return next->over(); }));
  EXPECT_TRUE(next->ended);
  EXPECT_EQ(world.backend().accepted(), 1U);
}

// A backend that knows no WebSocket answers as to any request. To a client of HTTP/2 any success would open
// the tunnel (RFC 8441 5).
TEST(Exchange, ASuccessWithoutAWebSocketIsNoneOverHttp2) {
  struct Case {
    std::uint8_t version;
    std::string_view status;
    std::optional<Cause> reset;
  };
  for (const Case& c : {Case{1, "200 OK", {}},
                        {1, "204 No Content", {}},
                        {2, "200 OK", Cause::kWebSocketIgnored},
                        {2, "204 No Content", Cause::kWebSocketIgnored},
                        {2, "302 Found", {}},
                        {2, "404 Not Found", {}}}) {
    World world;
    const Ref<Client> client = world.websocket(c.version);
    const auto peer = world.accept();
    world.receive_head(*peer);
    peer->send("HTTP/1.1 " + std::string(c.status) + "\r\nContent-Length: 0\r\n\r\n");
    ASSERT_TRUE(world.until([&] { return client->over(); }));
    EXPECT_EQ(client->reset, c.reset) << c.status;
    EXPECT_EQ(client->head.has_value(), !c.reset) << c.status;
  }
}

TEST(Exchange, RefusesAHeadThatWouldSplit) {
  World world;
  Ref<Client> client = make_counted<Client>();
  http::RequestHead head;
  head.method = "GET";
  head.target = "/x";
  head.fields.add("Host", "a");
  head.fields.add("X-Auth-Subject", "a\r\nX-Admin: 1");
  client->backend = world.pools().open(pipeline::Verifier::admit_anonymous(), 0, {}, std::move(head), client);
  ASSERT_TRUE(world.until([&] { return client->over(); }));
  EXPECT_EQ(client->reset, Cause::kRequestMalformed);
  world.settle();
  const auto peer = world.backend().accept();
  EXPECT_TRUE(peer == nullptr || peer->received().empty());
}

}  // namespace
}  // namespace holdfast::upstream
