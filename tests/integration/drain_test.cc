// Ending without losing anything. Contract: "Ending".
#include <csignal>
#include <thread>

#include "sidecar.h"

namespace holdfast::integration {
namespace {

// A backend that answers when told to.
class Gate {
 public:
  void wait() {
    std::unique_lock lock(mutex_);
    opened_.wait(lock, [&] { return open_; });
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    opened_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable opened_;
  bool open_ = false;
};

// Opens the gate before what waits behind it is ended.
class OpenAtEnd {
 public:
  explicit OpenAtEnd(Gate& gate) : gate_(gate) {}
  ~OpenAtEnd() { gate_.open(); }
  OpenAtEnd(const OpenAtEnd&) = delete;
  OpenAtEnd& operator=(const OpenAtEnd&) = delete;

 private:
  Gate& gate_;
};

Request public_request() {
  Request request;
  request.target = "/public/x";
  return request;
}

TEST(DrainTest, ThousandSlowRequestsInFlightAllFinish) {
  const auto count = tunable("DRAIN_REQUESTS", 1000);
  ASSERT_GT(open_descriptor_limit(), 4 * count) << "the limit on descriptors is too low for this test";
  Settings settings;
  settings.shutdown = "{delay: 0s, drain: 60s}";
  Sidecar sidecar(settings);
  Gate gate;
  const Script script(sidecar.backend, [&](Exchange& exchange) {
    gate.wait();
    exchange.respond(200, "", "slow");
  });
  const OpenAtEnd open_at_end(gate);
  std::vector<Stream> streams;
  for (std::uint64_t i = 0; i < count; ++i) {
    streams.push_back(sidecar.dial_plain());
    streams.back().send(public_request().raw());
  }
  ASSERT_TRUE(sidecar.backend.wait_for(count, Milliseconds{60000}));
  sidecar.holdfast->signal(SIGTERM);
  std::this_thread::sleep_for(Milliseconds{300});
  EXPECT_EQ(sidecar.holdfast->wait_exit(Milliseconds{0}), std::nullopt);
  gate.open();
  std::uint64_t finished = 0;
  for (Stream& stream : streams) {
    MessageReader reader(stream);
    const Response answer = reader.response(false, Milliseconds{60000});
    finished += answer.status == 200 && answer.body == "slow" ? 1U : 0U;
  }
  EXPECT_EQ(finished, count);
  EXPECT_EQ(sidecar.holdfast->wait_exit(Milliseconds{60000}), 0);
}

TEST(DrainTest, DelayServesOnWhileReadinessFails) {
  Settings settings;
  settings.shutdown = "{delay: 2s, drain: 10s}";
  Sidecar sidecar(settings);
  sidecar.holdfast->signal(SIGTERM);
  std::this_thread::sleep_for(Milliseconds{300});
  EXPECT_EQ(sidecar.holdfast->probe("/readyz"), 503);
  EXPECT_EQ(sidecar.holdfast->probe("/livez"), 200);
  EXPECT_EQ(sidecar.send(public_request()).status, 200) << "still served, on a new connection";
  EXPECT_EQ(sidecar.send(sidecar.with_proof("GET", "/orders/1")).status, 200);
  EXPECT_EQ(sidecar.holdfast->wait_exit(Milliseconds{20000}), 0);
  EXPECT_THROW(sidecar.dial_plain(), std::system_error);
}

// Until every worker drains: each closes its listening sockets and tells its connections in one go.
void wait_until_refused(Sidecar& sidecar) {
  for (const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);;) {
    try {
      (void)sidecar.dial_plain();
    } catch (const std::system_error&) {
      return;
    }
    ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "still accepting";
    std::this_thread::sleep_for(Milliseconds{2});
  }
}

TEST(DrainTest, KeptConnectionIsToldToClose) {
  Settings settings;
  settings.shutdown = "{delay: 0s, drain: 20s}";
  Sidecar sidecar(settings);
  Gate gate;
  const Script script(sidecar.backend, [&](Exchange& exchange) {
    gate.wait();
    exchange.respond(200, "", "ok");
  });
  const OpenAtEnd open_at_end(gate);
  Stream idle = sidecar.dial();
  Stream busy = sidecar.dial();
  busy.send(public_request().raw());
  ASSERT_TRUE(sidecar.backend.wait_for(1));
  sidecar.holdfast->signal(SIGTERM);
  MessageReader idle_reader(idle);
  EXPECT_TRUE(idle_reader.closed()) << "an idle connection is closed at once";
  wait_until_refused(sidecar);
  gate.open();
  MessageReader reader(busy);
  const Response answer = reader.response();
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(support::equal_ignoring_case(answer.fields.value("Connection"), "close")) << answer.head;
  EXPECT_TRUE(reader.closed());
  EXPECT_EQ(sidecar.holdfast->wait_exit(), 0);
}

TEST(DrainTest, DrainHasAnEnd) {
  Settings settings;
  settings.shutdown = "{delay: 0s, drain: 1s}";
  Sidecar sidecar(settings);
  Gate gate;
  const Script script(sidecar.backend, [&](Exchange& exchange) {
    gate.wait();
    exchange.close();
  });
  const OpenAtEnd open_at_end(gate);
  Stream stream = sidecar.dial();
  stream.send(public_request().raw());
  ASSERT_TRUE(sidecar.backend.wait_for(1));
  const auto began = std::chrono::steady_clock::now();
  sidecar.holdfast->signal(SIGTERM);
  EXPECT_TRUE(sidecar.holdfast->wait_exit().has_value());
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(10));
  gate.open();
}

TEST(DrainTest, DrainCommandDrainsTheRunningProcess) {
  Sidecar sidecar;
  const auto drained = support::run_holdfast({"drain", "--pid", std::to_string(sidecar.holdfast->pid())});
  EXPECT_EQ(drained.exit_code, 0) << drained.err;
  EXPECT_EQ(sidecar.holdfast->wait_exit(), 0);
}

TEST(DrainTest, HangupWhileDrainingChangesNothing) {
  Settings settings;
  settings.shutdown = "{delay: 2s, drain: 10s}";
  Sidecar sidecar(settings);
  sidecar.holdfast->signal(SIGTERM);
  ASSERT_TRUE(sidecar.holdfast->wait_out("\"draining\""));
  sidecar.holdfast->signal(SIGHUP);
  EXPECT_TRUE(sidecar.holdfast->wait_out("this process is draining"));
  EXPECT_EQ(sidecar.send(public_request()).status, 200);
  EXPECT_EQ(sidecar.holdfast->wait_exit(), 0);
}

}  // namespace
}  // namespace holdfast::integration
