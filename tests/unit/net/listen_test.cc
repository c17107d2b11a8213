#include "net/listen.h"

#include <gtest/gtest.h>

#include "loopback.h"

namespace holdfast::net {
namespace {

TEST(ListenAddress, Parses) {
  const struct {
    const char* text;
    const char* host;
    int port;
  } cases[] = {{":8443", "", 8443},
               {"127.0.0.1:80", "127.0.0.1", 80},
               {"localhost:0", "localhost", 0},
               {"[::1]:9080", "::1", 9080},
               {"[::]:65535", "::", 65535}};
  for (const auto& row : cases) {
    const auto parsed = parse_listen_address(row.text);
    ASSERT_TRUE(parsed) << row.text;
    EXPECT_EQ(parsed->host, row.host);
    EXPECT_EQ(parsed->port, row.port);
  }
}

TEST(ListenAddress, Refuses) {
  for (const char* text : {"", "8443", ":", ":x", ":65536", ":-1", ":80 ", "::1:80", "[::1:80", "[::1]",
                           "[::1]80", "[1.2.3.4]:80", "[x]:80"}) {
    EXPECT_FALSE(parse_listen_address(text)) << text;
  }
}

TEST(Listen, AllAddressesTakesBothFamilies) {
  const auto sockets = open_listening_sockets({"", 0}, 1);
  ASSERT_TRUE(sockets) << sockets.error();
  const std::uint16_t port = local_endpoint(sockets->front()).port();
  for (const char* ip : {"127.0.0.1", "::1"}) {
    const Endpoint to = *Endpoint::from(ip, port);
    if (to.family() == AF_INET6 && local_endpoint(sockets->front()).family() != AF_INET6) continue;
    const Descriptor client(::socket(to.family(), SOCK_STREAM, 0));
    EXPECT_EQ(::connect(client.fd(), to.address(), to.size()), 0) << ip;
    sockaddr_storage from{};
    socklen_t size = sizeof(from);
    const Descriptor accepted(::accept(sockets->front().fd(), reinterpret_cast<sockaddr*>(&from), &size));
    EXPECT_EQ(Endpoint(reinterpret_cast<const sockaddr*>(&from), size).ip(), ip);
  }
}

TEST(Listen, AllSocketsShareOneFreePort) {
  const auto sockets = open_listening_sockets({"127.0.0.1", 0}, 3);
  ASSERT_TRUE(sockets);
  ASSERT_EQ(sockets->size(), 3u);
  EXPECT_NE(local_endpoint(sockets->front()).port(), 0);
  for (const Descriptor& socket : *sockets) {
    EXPECT_EQ(local_endpoint(socket).port(), local_endpoint(sockets->front()).port());
  }
}

TEST(Listen, WhatIsAcceptedIsKeptAlive) {
  Worker worker(0);
  auto [accepted, client] = testing::connected_pair(worker);
  EXPECT_TRUE(testing::is_kept_alive(accepted.native_handle()));
  EXPECT_FALSE(testing::is_kept_alive(client.native_handle()));
}

TEST(Listen, AnAddressInUseIsAnErrorThatNamesIt) {
  const auto first = open_listening_sockets({"127.0.0.1", 0}, 2);
  const std::uint16_t port = local_endpoint(first->front()).port();
  const auto second = open_listening_sockets({"127.0.0.1", port}, 2);
  ASSERT_FALSE(second);
  EXPECT_TRUE(second.error().contains("127.0.0.1:" + std::to_string(port))) << second.error();
}

TEST(Listen, ANameThatDoesNotResolveIsAnError) {
  EXPECT_FALSE(open_listening_sockets({"no-such-host.invalid", 1}, 1));
}

TEST(Endpoint, Texts) {
  const auto v4 = *Endpoint::from("192.0.2.7", 80);
  EXPECT_EQ(v4.text(), "192.0.2.7:80");
  EXPECT_FALSE(v4.loopback());
  const auto mapped = *Endpoint::from("::ffff:192.0.2.7", 80);
  EXPECT_EQ(mapped.ip(), "192.0.2.7");
  EXPECT_EQ(mapped, v4);
  EXPECT_EQ(Endpoint::from("2001:DB8::1", 1)->text(), "[2001:db8::1]:1");
  EXPECT_TRUE(Endpoint::from("::1", 1)->loopback());
  EXPECT_TRUE(Endpoint::from("127.9.9.9", 1)->loopback());
  EXPECT_FALSE(Endpoint::from("localhost", 1));
  EXPECT_FALSE(Endpoint::from("[::1]", 1));
}

TEST(Descriptors, SoftLimitReachesTheHardOne) {
  EXPECT_GT(raise_descriptor_limit(), 0u);
}

}  // namespace
}  // namespace holdfast::net
