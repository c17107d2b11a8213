// A PROXY header in front of TLS, on the real binary: the client that it names is the client everywhere, and
// what that client forwards is believed no more than before.
#include "sidecar.h"

namespace holdfast::integration {
namespace {

using namespace std::string_literals;

const std::string kFrom192 =
    "\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0C\xC0\x00\x02\x07\x7F\x00\x00\x01\xC0\x01\x01\xBB"s;
const std::string kLocal = "\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00"s;

TEST(ProxyProtocol, TheClientIsTheOneThatItNames) {
  const Sidecar sidecar({.tls_listener = "proxy_protocol: true, trusted_proxies: [127.0.0.1], "});
  const auto send = [&](const std::string& before) {
    Stream stream = Stream::tls(sidecar.tls_port, {.server_name = std::string(kHost), .before = before});
    Request request = sidecar.with_proof("GET", "/orders/1");
    request.add("X-Forwarded-For", "198.51.100.1").add("X-Request-Id", "mine");
    stream.send(request.raw());
    return MessageReader(stream).response();
  };
  EXPECT_EQ(send(kFrom192).status, 200);
  EXPECT_EQ(sidecar.backend.last().fields.value("X-Forwarded-For"), "192.0.2.7");
  EXPECT_NE(sidecar.backend.last().fields.value("X-Request-Id"), "mine");
  EXPECT_TRUE(sidecar.holdfast->wait_out(R"("client_ip":"192.0.2.7")"));
  // The proxy itself is trusted.
  EXPECT_EQ(send(kLocal).status, 200);
  EXPECT_EQ(sidecar.backend.last().fields.value("X-Forwarded-For"), "198.51.100.1, 127.0.0.1");
  EXPECT_EQ(sidecar.backend.last().fields.value("X-Request-Id"), "mine");
  EXPECT_THROW(send(""), std::runtime_error) << "it is required";
}

TEST(ProxyProtocol, NobodyElseMaySendOne) {
  const Sidecar sidecar({.tls_listener = "proxy_protocol: true, trusted_proxies: [10.0.0.0/8], "});
  for (const std::string& before : {kFrom192, kLocal, ""s}) {
    EXPECT_THROW(Stream::tls(sidecar.tls_port, {.server_name = std::string(kHost), .before = before}),
                 std::exception);
  }
}

}  // namespace
}  // namespace holdfast::integration
