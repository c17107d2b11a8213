// The backend's side of things going wrong, and several servers taking turns. Contract: `upstreams`, rows 502
// and 504.
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

TEST(UpstreamTest, UnreachableIsBadGateway) {
  Sidecar sidecar;
  sidecar.backend.stop();
  const Response answer = sidecar.send(public_request());
  expect_refusal(answer, 502, "upstream_unavailable");
  EXPECT_FALSE(answer.fields.has("WWW-Authenticate"));
  EXPECT_EQ(sidecar.holdfast->probe("/readyz"), 200) << "readiness never asks the backend";
  sidecar.backend.start();
  EXPECT_EQ(sidecar.send(public_request()).status, 200);
}

TEST(UpstreamTest, BrokenAnswersAreBadGateway) {
  Sidecar sidecar;
  for (const char* raw :
       {"", "garbage\r\n\r\n", "HTTP/1.1 abc OK\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX-A: 1\r\n folded\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX A: 1\r\nContent-Length: 0\r\n\r\n", "HTTP/2 200\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"}) {
    SCOPED_TRACE(raw);
    const Script script(sidecar.backend, [&](Exchange& exchange) {
      exchange.read_body();
      exchange.send(raw);
      exchange.close();
    });
    const Response answer = sidecar.send(public_request("POST"));
    expect_refusal(answer, 502, "upstream_unavailable");
  }
}

TEST(UpstreamTest, HugeAnswerHeadIsBadGateway) {
  Sidecar sidecar;
  sidecar.backend.on_request([](Exchange& exchange) {
    exchange.read_body();
    exchange.send("HTTP/1.1 200 OK\r\nX-Big: " + std::string(4 * 1024 * 1024, 'x') +
                  "\r\nContent-Length: 0\r\n\r\n");
    exchange.close();
  });
  expect_refusal(sidecar.send(public_request()), 502, "upstream_unavailable");
}

TEST(UpstreamTest, TooSlowIsGatewayTimeout) {
  Settings settings;
  settings.upstream = "timeouts: {connect: 1s, response: 1s, body_idle: 1s}, ";
  Sidecar sidecar(settings);
  std::atomic<bool> over{false};
  const Script script(sidecar.backend, [&](Exchange& exchange) {
    exchange.read_body();
    for (int i = 0; i < 400 && !over; ++i) std::this_thread::sleep_for(Milliseconds{10});
    exchange.close();
  });
  const auto began = std::chrono::steady_clock::now();
  expect_refusal(sidecar.send(public_request()), 504, "upstream_timeout");
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(4));
  over = true;
}

TEST(UpstreamTest, StalledAnswerBodyIsCut) {
  Settings settings;
  settings.upstream = "timeouts: {response: 5s, body_idle: 1s}, ";
  Sidecar sidecar(settings);
  std::atomic<bool> over{false};
  const Script script(sidecar.backend, [&](Exchange& exchange) {
    exchange.read_body();
    exchange.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    for (int i = 0; i < 1000 && !over; ++i) std::this_thread::sleep_for(Milliseconds{10});
    exchange.close();
  });
  const auto began = std::chrono::steady_clock::now();
  EXPECT_THROW((void)sidecar.send(public_request()), std::runtime_error);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(6));
  over = true;
}

TEST(UpstreamTest, KeptConnectionThatDiedIsNotTheClientsProblem) {
  // The backend closes a kept connection just before the next request: a GET may be sent again, nothing was
  // answered.
  Sidecar sidecar;
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(sidecar.send(public_request()).status, 200);
    sidecar.backend.cut_connections();
    ASSERT_EQ(sidecar.send(public_request()).status, 200) << "round " << i;
  }
}

TEST(UpstreamTest, PostIsNeverSentTwiceOnceItWasRead) {
  Sidecar sidecar;
  std::atomic<int> times{0};
  const Script script(sidecar.backend, [&](Exchange& exchange) {
    exchange.read_body();
    ++times;
    exchange.close();
  });
  Request request = public_request("POST");
  request.body = "charge the card";
  EXPECT_EQ(sidecar.send(request).status, 502);
  EXPECT_EQ(times, 1);
}

TEST(UpstreamTest, BytesAfterAnAnswerPoisonNoOneElse) {
  Sidecar sidecar;
  std::atomic<bool> poison{true};
  const Script script(sidecar.backend, [&](Exchange& exchange) {
    exchange.read_body();
    exchange.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    if (poison.exchange(false)) exchange.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother");
  });
  EXPECT_EQ(sidecar.send(public_request()).body, "ok");
  std::this_thread::sleep_for(Milliseconds{100});
  for (int i = 0; i < 5; ++i) EXPECT_EQ(sidecar.send(public_request()).body, "ok");
}

TEST(UpstreamTest, ServersTakeTurns) {
  HttpServer first;
  HttpServer second;
  HttpServer third;
  Settings settings;
  settings.servers = first.url() + ", " + second.url() + ", " + third.url();
  settings.upstream = "balance: round_robin, ";
  const Sidecar sidecar(settings);
  for (int i = 0; i < 60; ++i) ASSERT_EQ(sidecar.send(public_request()).status, 200);
  for (const HttpServer* server : {&first, &second, &third}) {
    EXPECT_GE(server->seen_count(), 10U);
    EXPECT_LE(server->seen_count(), 30U);
  }
}

TEST(UpstreamTest, OneDeadServerOfTwoLosesNoGet) {
  HttpServer alive;
  const std::uint16_t dead = support::free_port();
  Settings settings;
  settings.servers = alive.url() + ", http://127.0.0.1:" + std::to_string(dead);
  const Sidecar sidecar(settings);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(sidecar.send(public_request()).status, 200) << "request " << i;
}

}  // namespace
}  // namespace holdfast::integration
