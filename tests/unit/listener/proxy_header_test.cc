// A listener behind a proxy that passes TCP on: who the client is, is what the PROXY header says, if the
// right peer sends it.
#include <gtest/gtest.h>

#include "fixture.h"

namespace holdfast::listener {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

const std::string kFrom192 =
    "\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0C\xC0\x00\x02\x07\x0A\x00\x00\x01\xC0\x01\x01\xBB"s;
const std::string kLocal = "\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00"s;
constexpr std::string_view kRequest = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

class ProxyHeader : public testing::ListenerTest {
 protected:
  void SetUp() override {
    ListenerTest::SetUp();
    config->proxies = {*http::Cidr::parse("127.0.0.0/8")};
    config->timeouts.handshake = 500ms;
    story.on_start = [](testing::StoryRequest& request) { request.answer(200, "ok"); };
  }
  // A connection that sends `before` by itself, and then speaks as the listener does.
  Ref<testing::Client> dial(std::string_view before) {
    if (!listening) listen();
    net::Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::connect(socket.fd(), address.address(), address.size()), 0);
    for (const std::string_view piece : {before.substr(0, split), before.substr(split)}) {
      EXPECT_EQ(::send(socket.fd(), piece.data(), piece.size(), MSG_NOSIGNAL),
                static_cast<ssize_t>(piece.size()));
      if (split > 0) settle(3);
    }
    auto client = make_counted<testing::Client>(worker, testing::asio_socket(worker, std::move(socket)),
                                                GetParam() ? client_context->new_ssl("localhost") : nullptr);
    clients.push_back(client);
    client->out = kRequest;
    client->on_readable();
    return client;
  }

  std::size_t split = 0;
};

TEST_P(ProxyHeader, SaysWhoTheClientIs) {
  // However it is cut, and with TLS or HTTP hard behind it.
  for (const std::size_t at : {0u, 1u, 12u, 15u, 16u, 17u, 27u}) {
    split = at;
    const auto client = dial(kFrom192);
    ASSERT_TRUE(turn([&] { return client->received.contains("ok"); })) << at;
    EXPECT_EQ(story.facts->client_ip, "192.0.2.7");
    EXPECT_EQ(story.facts->client_address, http::IpAddress::parse("192.0.2.7")->bytes());
  }
}

TEST_P(ProxyHeader, MaySayThatItIsTheProxyItself) {
  const auto client = dial(kLocal);
  ASSERT_TRUE(turn([&] { return client->received.contains("ok"); }));
  EXPECT_EQ(story.facts->client_ip, "127.0.0.1");
}

TEST_P(ProxyHeader, IsRequired) {
  for (const std::string& before : {""s, "PROXY TCP4 192.0.2.7 127.0.0.1 1 2\r\n"s}) {
    const auto client = dial(before);
    ASSERT_TRUE(turn([&] { return client->end.has_value(); }, 400ms)) << "refused without waiting";
    EXPECT_EQ(client->received, "");
  }
  EXPECT_TRUE(story.requests.empty());
}

TEST_P(ProxyHeader, HasToComeInTime) {
  const auto began = std::chrono::steady_clock::now();
  if (!listening) listen();
  net::Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::connect(socket.fd(), address.address(), address.size()), 0);
  ASSERT_EQ(::send(socket.fd(), kFrom192.data(), 20, MSG_NOSIGNAL), 20);
  ASSERT_TRUE(turn([&] { return config->tally->open() == 1; }));
  ASSERT_TRUE(turn([&] { return config->tally->open() == 0; }));
  EXPECT_GE(std::chrono::steady_clock::now() - began, 450ms);
}

TEST_P(ProxyHeader, CountsOnlyFromTrustedProxies) {
  config->proxies = {*http::Cidr::parse("10.0.0.0/8"), *http::Cidr::parse("127.0.0.2")};
  for (const std::string& before : {kFrom192, kLocal, ""s}) {
    const auto client = dial(before);
    ASSERT_TRUE(turn([&] { return client->end.has_value(); }, 400ms));
    EXPECT_EQ(client->received, "");
  }
  EXPECT_TRUE(story.requests.empty());
}

INSTANTIATE_TEST_SUITE_P(PlainAndTls, ProxyHeader, ::testing::Bool(), testing::mode_name);

}  // namespace
}  // namespace holdfast::listener
