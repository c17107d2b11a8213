#include "net/ticket_keys.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "handshake.h"
#include "loopback.h"

namespace holdfast::net {
namespace {

using testing::ResumingClient;
using testing::TestCertificate;

class Tickets : public ::testing::TestWithParam<int> {
 protected:
  std::shared_ptr<const TlsServerContext> context(std::shared_ptr<const TicketKeys> keys) {
    return *TlsServerContext::create(
        {.certificates = {{certificate.certificate(), certificate.key()}}, .ticket_keys = std::move(keys)});
  }
  // Whether the client got on with what it had been given before.
  bool resumes(ResumingClient& client, const TlsServerContext& server) {
    const SslPtr ssl = server.new_ssl();
    EXPECT_TRUE(client.connect(ssl.get()).done);
    return SSL_session_reused(ssl.get()) == 1;
  }

  TestCertificate certificate{"DNS:localhost"};
};

TEST_P(Tickets, AreGoodForEveryContextOfTheRing) {
  const auto keys = std::make_shared<TicketKeys>();
  ResumingClient client(GetParam());
  EXPECT_FALSE(resumes(client, *context(keys)));
  EXPECT_TRUE(resumes(client, *context(keys)));
  EXPECT_FALSE(resumes(client, *context(std::make_shared<TicketKeys>())));
}

// A client of TLS 1.3 uses each of them once.
TEST_P(Tickets, AreThereForOneConnectionAfterTheOther) {
  const auto server = context(std::make_shared<TicketKeys>());
  ResumingClient client(GetParam());
  EXPECT_FALSE(resumes(client, *server));
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(resumes(client, *server)) << i;
}

TEST_P(Tickets, AreRenewedUnderThePreviousKeyAndForgottenAfterIt) {
  const auto keys = std::make_shared<TicketKeys>();
  const auto server = context(keys);
  ResumingClient often(GetParam());
  ResumingClient seldom(GetParam());
  EXPECT_FALSE(resumes(often, *server));
  EXPECT_FALSE(resumes(seldom, *server));
  keys->rotate();
  EXPECT_TRUE(resumes(often, *server));  // and holds a ticket of the new key now
  keys->rotate();
  EXPECT_TRUE(resumes(often, *server));
  EXPECT_FALSE(resumes(seldom, *server));
}

TEST_P(Tickets, AreTakenOver) {
  const auto old_keys = std::make_shared<TicketKeys>();
  ResumingClient client(GetParam());
  EXPECT_FALSE(resumes(client, *context(old_keys)));
  old_keys->rotate();
  const auto new_keys = std::make_shared<TicketKeys>();
  const auto server = context(new_keys);
  EXPECT_TRUE(new_keys->import_ring(old_keys->export_ring()));
  EXPECT_TRUE(resumes(client, *server));
}

INSTANTIATE_TEST_SUITE_P(Versions, Tickets, ::testing::Values(TLS1_2_VERSION, TLS1_3_VERSION));

TEST(TicketKeys, WhatIsNoRingChangesNothing) {
  TicketKeys keys;
  const std::string before(keys.export_ring().reveal());
  EXPECT_EQ(before.size(), 80u);
  for (const std::size_t size : {0u, 1u, 79u, 81u, 159u, 161u, 240u}) {
    EXPECT_FALSE(keys.import_ring(Secret(std::string(size, 'x')))) << size;
  }
  EXPECT_EQ(keys.export_ring().reveal(), before);
  keys.rotate();
  const std::string after(keys.export_ring().reveal());
  EXPECT_EQ(after.size(), 160u);
  EXPECT_EQ(after.substr(80), before);
  EXPECT_NE(after.substr(0, 16), before.substr(0, 16));
}

// Handshakes on every worker while the control thread rotates: for the thread sanitizer.
TEST(TicketKeys, RotateWhileOthersUseThem) {
  const TestCertificate certificate("DNS:localhost");
  const auto keys = std::make_shared<TicketKeys>();
  const auto server = *TlsServerContext::create(
      {.certificates = {{certificate.certificate(), certificate.key()}}, .ticket_keys = keys});
  std::atomic<int> done = 0;
  std::vector<std::thread> workers;
  for (int i = 0; i < 3; ++i) {
    workers.emplace_back([&] {
      ResumingClient client;
      for (int k = 0; k < 20; ++k) {
        const SslPtr ssl = server->new_ssl();
        done += client.connect(ssl.get()).done ? 1 : 0;
      }
    });
  }
  while (done < 30) keys->rotate();
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(done, 60);
}

}  // namespace
}  // namespace holdfast::net
