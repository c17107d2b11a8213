// An https server behind the pool: the certificate is verified before a byte of the request goes out, and
// connections are kept although session tickets arrive on them.
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <thread>

#include "../net/loopback.h"
#include "world.h"

namespace holdfast::upstream {
namespace {

// Answers `answers` requests on one connection, blocking, on a thread of its own.
class TlsBackend {
 public:
  TlsBackend(const testing::TestCertificate& certificate, int answers)
      : listening_(std::move(net::open_listening_sockets({"127.0.0.1", 0}, 1)->front())),
        endpoint_(net::local_endpoint(listening_)),
        context_(SSL_CTX_new(TLS_server_method())) {
    EXPECT_EQ(SSL_CTX_use_certificate_chain_file(context_, certificate.certificate().c_str()), 1);
    EXPECT_EQ(SSL_CTX_use_PrivateKey_file(context_, certificate.key().c_str(), SSL_FILETYPE_PEM), 1);
    ::fcntl(listening_.fd(), F_SETFL, ::fcntl(listening_.fd(), F_GETFL) & ~O_NONBLOCK);
    thread_ = std::thread([this, answers] { serve(answers); });
  }
  ~TlsBackend() {
    thread_.join();
    SSL_CTX_free(context_);
  }
  [[nodiscard]] const net::Endpoint& endpoint() const { return endpoint_; }
  // After the client has gone.
  [[nodiscard]] std::string received() {
    thread_.join();
    thread_ = std::thread([] {});
    return received_;
  }

 private:
  void serve(int answers) {
    const net::Descriptor socket(::accept(listening_.fd(), nullptr, nullptr));
    SSL* const ssl = SSL_new(context_);
    SSL_set_fd(ssl, socket.fd());
    if (SSL_accept(ssl) == 1) {
      for (int i = 0; i < answers; ++i) {
        std::string request;
        char byte = 0;
        while (!request.ends_with("\r\n\r\n") && SSL_read(ssl, &byte, 1) == 1) request.push_back(byte);
        received_ += request;
        if (SSL_write(ssl, kOk.data(), static_cast<int>(kOk.size())) <= 0) break;
      }
      char byte = 0;
      (void)SSL_read(ssl, &byte, 1);  // until the client closes
    }
    SSL_free(ssl);
  }

  net::Descriptor listening_;
  net::Endpoint endpoint_;
  SSL_CTX* context_;
  std::string received_;
  std::thread thread_;
};

void use_tls(Config& config, const testing::TestCertificate& trusted, const std::string& name) {
  config.servers[0].tls = true;
  config.servers[0].server_name = name;
  config.tls = *net::TlsClientContext::create({.ca = trusted.certificate(), .certificate = {}, .key = {}});
}

TEST(Tls, KeepsTheConnection) {
  const testing::TestCertificate certificate("DNS:api.test");
  TlsBackend backend(certificate, 3);
  {
    World world(1, [&](Config& config) { use_tls(config, certificate, "api.test"); });
    world.pools().set_endpoints(0, 0, {backend.endpoint()});
    for (int i = 0; i < 3; ++i) {
      const Ref<Client> client = world.get();
      ASSERT_TRUE(world.until([&] { return client->over(); }));
      EXPECT_TRUE(client->ended);
      EXPECT_EQ(client->received, "ok");
      world.settle(10ms);
      EXPECT_EQ(world.shared().upstream(0).connections.load(), 1U);
    }
  }
  EXPECT_TRUE(backend.received().starts_with("GET /x HTTP/1.1\r\n"));
}

TEST(Tls, SendsNothingToAServerThatIsNotTheOne) {
  const testing::TestCertificate certificate("DNS:other.test");
  const testing::TestCertificate stranger("DNS:api.test");
  struct Row {
    const testing::TestCertificate& served;
    const testing::TestCertificate& trusted;
  };
  for (const Row& row : {Row{certificate, certificate}, Row{stranger, certificate}}) {
    TlsBackend backend(row.served, 1);
    {
      World world(1, [&](Config& config) { use_tls(config, row.trusted, "api.test"); });
      world.pools().set_endpoints(0, 0, {backend.endpoint()});
      const Ref<Client> client = world.get();
      ASSERT_TRUE(world.until([&] { return client->over(); }));
      EXPECT_EQ(client->reset, Cause::kBackendUnreachable);
    }
    EXPECT_EQ(backend.received(), "");
  }
}

}  // namespace
}  // namespace holdfast::upstream
