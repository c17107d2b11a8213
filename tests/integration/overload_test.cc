// Too little memory: new requests are answered 503 `overloaded` before it runs out, those under way end well,
// and afterwards everything is as before. Contract: "Answers"; docs/operations.md, "Memory".
#include <atomic>
#include <csignal>
#include <thread>

#include "sidecar.h"

namespace holdfast::integration {
namespace {

constexpr std::size_t kMiB = 1024 * 1024;

std::string metrics(const Sidecar& sidecar) {
  Stream stream = Stream::plain(sidecar.probes_port);
  stream.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
  return MessageReader(stream).response().body;
}

TEST(OverloadTest, NewRequestsAreRefusedBeforeMemoryRunsOut) {
  if (!memory_counts()) GTEST_SKIP() << "under a sanitizer the process's memory is not its own";
  Sidecar sidecar({.listener = "limits: {max_header_bytes: 1MiB}, timeouts: {headers: 5m}, "});
  std::atomic<bool> answer{false};
  sidecar.backend.on_request([&](Exchange& exchange) {
    while (exchange.request.target == "/public/slow" && !answer) {
      std::this_thread::sleep_for(Milliseconds{5});
    }
    exchange.respond(200, "", "ok");
  });
  Request request;
  request.target = "/public/x";
  EXPECT_EQ(sidecar.send(request).status, 200);

  // What it has now and some more is all that it may have from here on.
  const std::size_t used = sidecar.holdfast->resident_kib() * 1024;
  const std::size_t limit = (used / kMiB + 64) * kMiB;
  sidecar.folder.write("holdfast.yaml", sidecar.yaml() + "memory: " + std::to_string(limit) + "\n");
  sidecar.holdfast->signal(SIGHUP);
  ASSERT_TRUE(sidecar.holdfast->wait_out("\"event\":\"reloaded\""));

  Stream under_way = sidecar.dial_plain();
  Request slow;
  slow.target = "/public/slow";
  under_way.send(slow.raw());
  ASSERT_TRUE(sidecar.backend.wait_for(2));

  // Heads that never end are held as far as the limit on them goes.
  std::vector<Stream> hoarders;
  const std::string head =
      "GET / HTTP/1.1\r\nHost: " + std::string(kHost) + "\r\nX: " + std::string(kMiB - 4096, 'x');
  while (hoarders.size() < 200 &&
         !sidecar.holdfast->wait_out("\"event\":\"overloaded\"", Milliseconds{120})) {
    hoarders.push_back(sidecar.dial_plain());
    hoarders.back().send(head);
  }
  ASSERT_TRUE(sidecar.holdfast->wait_out("\"event\":\"overloaded\""));
  EXPECT_GT(hoarders.size(), 20U);
  EXPECT_LT(sidecar.holdfast->resident_kib() * 1024, limit);
  for (const Response& refused :
       {sidecar.send(request), sidecar.send(sidecar.with_proof("GET", "/orders/1"))}) {
    expect_refusal(refused, 503, "overloaded");
    EXPECT_NE(refused.fields.value("Retry-After"), "");
  }
  EXPECT_NE(metrics(sidecar).find("\nholdfast_overloaded 1\n"), std::string::npos);
  EXPECT_EQ(sidecar.holdfast->probe("/livez"), 200);
  answer = true;
  EXPECT_EQ(MessageReader(under_way).response().status, 200);

  hoarders.clear();
  ASSERT_TRUE(sidecar.holdfast->wait_out("\"event\":\"no_longer_overloaded\""));
  EXPECT_EQ(sidecar.send(request).status, 200);
  EXPECT_EQ(sidecar.send(sidecar.with_proof("GET", "/orders/1")).status, 200);
  EXPECT_NE(metrics(sidecar).find("\nholdfast_overloaded 0\n"), std::string::npos);
}

}  // namespace
}  // namespace holdfast::integration
