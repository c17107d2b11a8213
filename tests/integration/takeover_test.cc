// A successor takes over: nothing refused, nothing accepted twice. Contract: "Ending". The full size of the
// first test is HOLDFAST_TEST_TAKEOVERS=50 HOLDFAST_TEST_TAKEOVER_CLIENTS=200.
#include <sys/socket.h>
#include <sys/un.h>

#include <atomic>
#include <csignal>
#include <iostream>
#include <mutex>
#include <set>
#include <thread>

#include "sidecar.h"

namespace holdfast::integration {
namespace {

std::string with(std::string yaml, std::string_view old, std::string_view now) {
  const std::size_t at = yaml.find(old);
  if (at == std::string::npos) throw std::runtime_error("not in the configuration: " + std::string(old));
  return yaml.replace(at, old.size(), now);
}

// One process after the other on the same sockets.
class Dynasty {
 public:
  explicit Dynasty(const Settings& settings = {}) : sidecar(settings) {
    sidecar.holdfast->signal(SIGTERM);
    sidecar.holdfast->wait_exit();
    sidecar.holdfast.reset();
    succeed();
    EXPECT_TRUE(now().wait_ready());
  }

  // The next process; returns when it serves.
  void succeed(const std::string& yaml = "") {
    const std::string name = "generation-" + std::to_string(++generation_) + ".";
    auto next = std::make_unique<support::HoldfastProcess>(
        sidecar.folder, yaml.empty() ? sidecar.yaml() : yaml, sidecar.probes_port,
        support::Launch{.more = {"--takeover", path()}, .output = name});
    ASSERT_TRUE(next->wait_out("\"event\":\"started\"")) << next->out() << next->err();
    if (current_) old_.push_back(std::move(current_));
    current_ = std::move(next);
  }
  // Each process before the current one has ended well, and those that still run are few.
  void reap(Milliseconds patience) {
    for (auto& each : old_) EXPECT_EQ(each->wait_exit(patience), 0) << each->out() << each->err();
    old_.clear();
  }
  void reap_ended() {
    std::erase_if(old_, [](const auto& each) {
      const auto code = each->wait_exit(Milliseconds{0});
      EXPECT_EQ(code.value_or(0), 0) << each->out() << each->err();
      return code.has_value();
    });
  }
  [[nodiscard]] support::HoldfastProcess& now() { return *current_; }
  [[nodiscard]] support::HoldfastProcess& before() { return *old_.back(); }
  [[nodiscard]] std::string path() const { return (sidecar.folder.path() / "takeover.sock").string(); }

  Sidecar sidecar;

 private:
  int generation_ = 0;
  std::vector<std::unique_ptr<support::HoldfastProcess>> old_;
  std::unique_ptr<support::HoldfastProcess> current_;
};

// One kept-alive client. It may repeat only what it sent on a reused connection that closed with no byte of
// answer; everything else that is not a 200 counts.
class KeptAlive {
 public:
  explicit KeptAlive(std::function<Stream()> dial) : dial_(std::move(dial)) {}

  // What went wrong, or "".
  std::string call(const std::function<std::string()>& request) {
    for (int attempt = 0; attempt < 2; ++attempt) {
      const bool reused = stream_ != nullptr;
      try {
        if (!reused) connect();
        const bool sent = stream_->send(request());
        const auto head = sent ? reader_->head() : std::nullopt;
        if (!head) {
          drop();
          if (reused) continue;
          return "closed without an answer on a new connection";
        }
        const support::Fields fields = support::parse_fields(*head);
        (void)reader_->bytes(std::stoul("0" + fields.value("Content-Length")));
        if (!head->starts_with("HTTP/1.1 200 ")) return *head;
        if (fields.value("Connection") == "close") drop();
        return "";
      } catch (const std::exception& error) {
        const std::string why = error.what();
        const bool reset = why.ends_with("reset; so far: ");  // and no byte of an answer
        drop();
        if (reused && reset) continue;
        return (reused ? "reused: " : "new: ") + why;
      }
    }
    return "closed twice";
  }

 private:
  void connect() {
    stream_ = std::make_unique<Stream>(dial_());
    reader_ = std::make_unique<MessageReader>(*stream_);
  }
  void drop() {
    reader_.reset();
    stream_.reset();
  }

  std::function<Stream()> dial_;
  std::unique_ptr<Stream> stream_;
  std::unique_ptr<MessageReader> reader_;
};

TEST(TakeoverTest, KeptAliveClientsSeeNoneOfFifty) {
  Dynasty dynasty;
  Sidecar& sidecar = dynasty.sidecar;
  const auto rounds = tunable("TAKEOVERS", 6);
  const auto clients = tunable("TAKEOVER_CLIENTS", 40);
  std::atomic<bool> over{false};
  std::atomic<std::uint64_t> served{0};
  std::mutex mutex;
  std::vector<std::string> failures;
  std::vector<std::thread> threads;
  for (std::uint64_t i = 0; i < clients; ++i) {
    threads.emplace_back([&, i] {
      // One in four speaks TLS and sends proofs; the others are cheap.
      const bool dpop = i % 4 == 0;
      KeptAlive client([&, dpop] { return dpop ? sidecar.dial() : sidecar.dial_plain(); });
      Request open;
      open.target = "/public/x";
      while (!over) {
        const std::string why =
            client.call([&] { return dpop ? sidecar.with_proof("GET", "/orders/1").raw() : open.raw(); });
        if (!why.empty()) {
          const std::lock_guard lock(mutex);
          failures.push_back(why);
        }
        ++served;
        std::this_thread::sleep_for(Milliseconds{5});
      }
    });
  }
  // Any number of workers before and after.
  const char* const workers[] = {"workers: 2", "workers: 1", "workers: 3"};
  for (std::uint64_t round = 0; round < rounds; ++round) {
    dynasty.succeed(with(sidecar.yaml(), "workers: 2", workers[(round + 1) % 3]));
    if (HasFatalFailure()) break;
    std::this_thread::sleep_for(Milliseconds{50});
    dynasty.reap_ended();
  }
  over = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(failures.empty()) << failures.size() << " of " << served
                                << " failed, the first: " << failures.front();
  EXPECT_GT(served, rounds * clients);
  std::cout << clients << " clients called " << served << " times over " << rounds << " takeovers; "
            << failures.size() << " calls failed\n";
  dynasty.reap(Milliseconds{40000});
}

TEST(TakeoverTest, AProofCountsOnceAcrossProcesses) {
  Dynasty dynasty;
  Sidecar& sidecar = dynasty.sidecar;
  // A request in flight keeps the connection, and with it the process, alive over the takeover.
  std::atomic<bool> open{false};
  sidecar.backend.on_request([&](Exchange& exchange) {
    if (exchange.request.target == "/orders/slow") {
      while (!open) std::this_thread::sleep_for(Milliseconds{5});
    }
    exchange.respond(200, "", "ok");
  });
  Stream held = sidecar.dial();
  MessageReader held_reader(held);
  const Request before = sidecar.with_proof("GET", "/orders/before");
  EXPECT_EQ(sidecar.send(before).status, 200);
  const Request in_flight = sidecar.with_proof("GET", "/orders/slow");
  held.send(in_flight.raw());
  ASSERT_TRUE(sidecar.backend.wait_for(2));

  dynasty.succeed();
  expect_refusal(sidecar.send(before), 401, "proof_replayed");
  expect_refusal(sidecar.send(in_flight), 401, "proof_replayed");
  EXPECT_EQ(sidecar.send(sidecar.with_proof("GET", "/orders/after")).status, 200);
  open = true;
  EXPECT_EQ(held_reader.response().status, 200);
  dynasty.reap(Milliseconds{30000});
  // And over two of them.
  dynasty.succeed();
  expect_refusal(sidecar.send(before), 401, "proof_replayed");
  dynasty.reap(Milliseconds{30000});
}

// What remembered the proof was kept for the old process's window, and is gone.
TEST(TakeoverTest, AWiderWindowIsForProofsIssuedAfterIt) {
  Dynasty dynasty({.dpop = "max_age: 1s, clock_skew: 1s, "});
  Sidecar& sidecar = dynasty.sidecar;
  const Request used = sidecar.with_proof("GET", "/orders/used");
  EXPECT_EQ(sidecar.send(used).status, 200);
  std::this_thread::sleep_for(Milliseconds{5000});
  dynasty.succeed(with(sidecar.yaml(), "max_age: 1s", "max_age: 5m"));
  expect_refusal(sidecar.send(used), 401, "iat_too_old");
  EXPECT_EQ(sidecar.send(sidecar.with_proof("GET", "/orders/new")).status, 200);
  dynasty.reap(Milliseconds{30000});
}

// Clients put the nonce that they have into every proof.
TEST(TakeoverTest, ARouteThatBeginsToAskForNoncesTakesNoProofFromBeforeIt) {
  Dynasty dynasty({.dpop = "max_age: 1s, clock_skew: 1s, "});
  Sidecar& sidecar = dynasty.sidecar;
  const std::string nonce = sidecar.send(sidecar.with_proof("GET", "/nonce/1")).fields.value("DPoP-Nonce");
  const auto with_nonce = [&] { return sidecar.with_nonce("GET", "/orders/1", nonce); };
  const Request used = with_nonce();
  EXPECT_EQ(sidecar.send(used).status, 200);
  std::this_thread::sleep_for(Milliseconds{5000});
  const std::string asking = with(sidecar.yaml(), "{name: orders,", "{name: orders, nonce: required,");
  // What the first successor holds back the second one holds back as well.
  for (int generation = 0; generation < 2; ++generation) {
    dynasty.succeed(asking);
    expect_refusal(sidecar.send(used), 401, "iat_too_old");
    EXPECT_EQ(sidecar.send(with_nonce()).status, 200);
  }
  dynasty.reap(Milliseconds{30000});
}

TEST(TakeoverTest, OneProofSentToBothProcessesIsTakenOnce) {
  Dynasty dynasty;
  Sidecar& sidecar = dynasty.sidecar;
  const auto rounds = tunable("TAKEOVER_PAIRS", 4);
  for (std::uint64_t round = 0; round < rounds; ++round) {
    // Half a request keeps each connection, which the old process then finishes after the takeover.
    constexpr int kConnections = 16;
    std::vector<std::string> raws;
    std::vector<Stream> old_side;
    for (int i = 0; i < kConnections; ++i) {
      raws.push_back(sidecar.with_proof("GET", "/orders/both").raw());
      old_side.push_back(sidecar.dial());
      old_side.back().send(raws.back().substr(0, 40));
    }
    std::this_thread::sleep_for(Milliseconds{100});
    dynasty.succeed();
    ASSERT_FALSE(HasFatalFailure());
    std::vector<std::thread> threads;
    std::atomic<int> twice{0};
    std::atomic<int> never{0};
    for (std::size_t i = 0; i < kConnections; ++i) {
      threads.emplace_back([&, i] {
        int taken = 0;
        std::thread other([&] {
          Stream fresh = sidecar.dial();
          fresh.send(raws[i]);
          if (MessageReader(fresh).response().status == 200) __atomic_add_fetch(&taken, 1, __ATOMIC_SEQ_CST);
        });
        old_side[i].send(raws[i].substr(40));
        const int status = MessageReader(old_side[i]).response().status;
        other.join();
        if (status == 200) ++taken;
        if (taken > 1) ++twice;
        if (taken == 0) ++never;
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(twice, 0);
    EXPECT_EQ(never, 0);
    old_side.clear();
    dynasty.reap(Milliseconds{30000});
  }
}

TEST(TakeoverTest, NoncesOutliveTheProcessThatMadeThem) {
  Dynasty dynasty;
  Sidecar& sidecar = dynasty.sidecar;
  const std::string nonce = sidecar.send(sidecar.with_proof("GET", "/nonce/1")).fields.value("DPoP-Nonce");
  ASSERT_NE(nonce, "");
  dynasty.succeed();
  EXPECT_EQ(sidecar.send(sidecar.with_nonce("GET", "/nonce/1", nonce)).status, 200);
  dynasty.reap(Milliseconds{30000});
}

// Clients resume their sessions with the successor, and with its own, in either version.
TEST(TakeoverTest, SessionTicketsOutliveTheProcessThatMadeThem) {
  Dynasty dynasty;
  Sidecar& sidecar = dynasty.sidecar;
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const auto dial = [&](std::shared_ptr<SSL_SESSION> session) {
      return Stream::tls(sidecar.tls_port, {.server_name = std::string(kHost),
                                            .min_version = version,
                                            .max_version = version,
                                            .session = std::move(session)});
    };
    const auto call = [&](Stream& stream) {
      stream.send(sidecar.with_proof("GET", "/orders/1").raw());
      return MessageReader(stream).response().status;
    };
    std::vector<Stream> streams;  // a session whose connection was cut is not used again
    streams.push_back(dial(nullptr));
    EXPECT_EQ(call(streams.back()), 200);
    EXPECT_FALSE(streams.back().resumed());
    for (int generation = 0; generation < 3; ++generation) {
      dynasty.succeed();
      ASSERT_FALSE(HasFatalFailure());
      streams.push_back(dial(streams.back().session()));
      EXPECT_EQ(call(streams.back()), 200);
      EXPECT_TRUE(streams.back().resumed()) << "version " << version << ", generation " << generation;
    }
    streams.clear();
    dynasty.reap(Milliseconds{30000});
  }
}

TEST(TakeoverTest, ASuccessorThatDiesOrCannotStartCostsNothing) {
  Dynasty dynasty;
  Sidecar& sidecar = dynasty.sidecar;
  const Request used = sidecar.with_proof("GET", "/orders/1");
  EXPECT_EQ(sidecar.send(used).status, 200);
  // Its issuer is away: it never gets ready, and is killed while it waits.
  sidecar.issuer.go_away();
  {
    support::HoldfastProcess stillborn(sidecar.folder, sidecar.yaml(), sidecar.probes_port,
                                       {.more = {"--takeover", dynasty.path()}, .output = "stillborn."});
    ASSERT_TRUE(stillborn.wait_out("taking_over"));
    EXPECT_EQ(sidecar.send(sidecar.with_proof("GET", "/orders/2")).status, 200);
    stillborn.signal(SIGKILL);
    EXPECT_TRUE(stillborn.wait_exit().has_value());
  }
  EXPECT_TRUE(dynasty.now().wait_out("takeover_failed"));
  EXPECT_EQ(sidecar.send(sidecar.with_proof("GET", "/orders/3")).status, 200);
  expect_refusal(sidecar.send(used), 401, "proof_replayed");
  // And the next one can.
  sidecar.issuer.come_back();
  dynasty.succeed();
  expect_refusal(sidecar.send(used), 401, "proof_replayed");
  EXPECT_EQ(sidecar.send(sidecar.with_proof("GET", "/orders/4")).status, 200);
  dynasty.reap(Milliseconds{30000});
}

// What a service manager does: opens the sockets, hears when the service is ready, and keeps the sockets.
TEST(ServiceManagerTest, PassedSocketsAreServedByNameAndAddressAndReadinessIsTold) {
  Dynasty first;
  Sidecar& sidecar = first.sidecar;
  first.now().signal(SIGTERM);
  ASSERT_EQ(first.now().wait_exit(), 0);
  // One by its address, one that only its name tells.
  const support::Socket by_address = support::listen_loopback(sidecar.tls_port);
  const support::Socket by_name = support::listen_loopback(0);
  const support::Socket notified(::socket(AF_UNIX, SOCK_DGRAM, 0));
  const std::string path = (sidecar.folder.path() / "notify").string();
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  ASSERT_EQ(::bind(notified.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  const auto told = [&] {
    std::string word(256, '\0');
    const ssize_t size = ::recv(notified.fd(), word.data(), word.size(), MSG_DONTWAIT);
    word.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return word;
  };
  const support::Launch launch{
      .passed = {by_address.fd(), by_name.fd()}, .passed_names = "unknown:mesh", .notify = path};
  for (int round = 0; round < 2; ++round) {
    // What comes while nobody serves waits in the socket that the manager holds.
    Stream waiting = Stream::plain(support::local_port(by_name));
    Request request;
    request.target = "/public/x";
    waiting.send(request.raw());
    support::HoldfastProcess process(sidecar.folder, sidecar.yaml(), sidecar.probes_port, launch);
    ASSERT_TRUE(process.wait_ready());
    EXPECT_TRUE(told().starts_with("READY=1\n"));
    EXPECT_EQ(MessageReader(waiting).response().status, 200);
    for (int i = 0; i < 20; ++i) {
      EXPECT_EQ(sidecar.send(sidecar.with_proof("GET", "/orders/1")).status, 200);
    }
    process.signal(SIGTERM);
    EXPECT_EQ(process.wait_exit(), 0);
    EXPECT_EQ(told(), "STOPPING=1");
  }
}

TEST(ServiceManagerTest, ASocketThatFitsNothingIsAnError) {
  Dynasty first;
  first.now().signal(SIGTERM);
  ASSERT_EQ(first.now().wait_exit(), 0);
  const support::Socket stray = support::listen_loopback(0);
  EXPECT_THROW(support::HoldfastProcess(first.sidecar.folder, first.sidecar.yaml(), first.sidecar.probes_port,
                                        {.passed = {stray.fd()}, .passed_names = "stray"}),
               std::runtime_error);
}

TEST(TakeoverTest, TheLastOneDrainsAsAnyProcessDoes) {
  Dynasty dynasty;
  dynasty.succeed();
  dynasty.reap(Milliseconds{30000});
  EXPECT_TRUE(std::filesystem::exists(dynasty.path()));
  dynasty.now().signal(SIGTERM);
  EXPECT_EQ(dynasty.now().wait_exit(), 0);
  EXPECT_FALSE(std::filesystem::exists(dynasty.path()));
}

}  // namespace
}  // namespace holdfast::integration
