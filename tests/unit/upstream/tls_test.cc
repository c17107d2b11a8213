// An https server behind the pool: the certificate is verified before a byte of the request goes out, and
// connections are kept although session tickets arrive on them.
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <csignal>
#include <thread>

#include "../net/loopback.h"
#include "wire/http2_server.h"
#include "world.h"

namespace holdfast::upstream {
namespace {

// Says 200 and `ok` to every request.
class Http2Answers final : public wire::Http2ServerOwner {
 public:
  wire::Http2Server server{{}, *this};
  int answered = 0;
  std::string received;

 private:
  void on_request_head(wire::StreamId stream, http::RequestHead head) override {
    received.append(head.method).append(" ").append(head.scheme).append(" ").append(head.target).append("\n");
    http::ResponseHead answer;
    answer.status = 200;
    answer.body = {http::BodyLength::Kind::kKnown, 2};
    EXPECT_TRUE(server.send_head(stream, answer));
    server.send_data(stream, std::string_view("ok"));
    server.send_end(stream);
    ++answered;
  }
  void on_request_refused(wire::StreamId, wire::Fault fault, http::RequestHead) override {
    ADD_FAILURE() << fault.refusal.detail;
  }
  void on_request_data(wire::StreamId, std::span<const char>) override {}
  void on_request_trailers(wire::StreamId, http::Fields) override {}
  void on_request_end(wire::StreamId) override {}
  void on_request_fault(wire::StreamId, wire::Fault) override {}
  void on_response_sent(wire::StreamId, std::size_t) override {}
  void on_stream_reset(wire::StreamId, bool) override {}
  void on_stream_end(wire::StreamId) override {}
};

// SETTINGS, and a GOAWAY that has processed nothing.
constexpr std::string_view kGoesAway("\0\0\0\4\0\0\0\0\0\0\0\x8\7\0\0\0\0\0\0\0\0\0\0\0\0\0", 26);

// Answers `answers` requests on one connection, blocking, on a thread of its own; over HTTP/2 where it is
// told to and the client offers it. One that turns back sends the first client's requests away over HTTP/2,
// and speaks HTTP/1 only from then on.
class TlsBackend {
 public:
  TlsBackend(const testing::TestCertificate& certificate, int answers, bool http2 = false,
             bool turns_back = false)
      : listening_(std::move(net::open_listening_sockets({"127.0.0.1", 0}, 1)->front())),
        endpoint_(net::local_endpoint(listening_)),
        context_(SSL_CTX_new(TLS_server_method())) {
    EXPECT_EQ(SSL_CTX_use_certificate_chain_file(context_, certificate.certificate().c_str()), 1);
    EXPECT_EQ(SSL_CTX_use_PrivateKey_file(context_, certificate.key().c_str(), SSL_FILETYPE_PEM), 1);
    if (http2) SSL_CTX_set_alpn_select_cb(context_, &choose_http2, nullptr);
    ::fcntl(listening_.fd(), F_SETFL, ::fcntl(listening_.fd(), F_GETFL) & ~O_NONBLOCK);
    thread_ = std::thread([this, answers, turns_back] {
      if (turns_back) send_away();
      do {
        serve(answers);
      } while (turns_back && received_.empty());  // the client finds out on a connection that it does not use
    });
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
  static int choose_http2(SSL*, const unsigned char** chosen, unsigned char* size,
                          const unsigned char* offered, unsigned offered_size, void*) {
    static constexpr unsigned char kHttp2[] = {2, 'h', '2'};
    unsigned char* found = nullptr;
    if (SSL_select_next_proto(&found, size, kHttp2, sizeof kHttp2, offered, offered_size) !=
        OPENSSL_NPN_NEGOTIATED) {
      return SSL_TLSEXT_ERR_NOACK;
    }
    *chosen = found;
    return SSL_TLSEXT_ERR_OK;
  }

  void serve_http2(SSL* ssl) {
    Http2Answers http2;
    char bytes[4096];
    for (;;) {
      const int size = SSL_read(ssl, bytes, sizeof bytes);
      if (size <= 0) break;
      http2.server.receive({bytes, static_cast<std::size_t>(size)}, SteadyTime(std::chrono::hours(1)));
      std::string out;
      http2.server.take_output(out, 1 << 20);
      if (!out.empty() && SSL_write(ssl, out.data(), static_cast<int>(out.size())) <= 0) break;
    }
    received_ = http2.received;
  }

  void send_away() {
    const net::Descriptor socket(::accept(listening_.fd(), nullptr, nullptr));
    SSL* const ssl = SSL_new(context_);
    SSL_set_fd(ssl, socket.fd());
    char bytes[4096];
    if (SSL_accept(ssl) == 1 && SSL_read(ssl, bytes, sizeof bytes) > 0) {
      EXPECT_GT(SSL_write(ssl, kGoesAway.data(), static_cast<int>(kGoesAway.size())), 0);
    }
    SSL_free(ssl);
    SSL_CTX_set_alpn_select_cb(context_, nullptr, nullptr);
  }

  void serve(int answers) {
    const net::Descriptor socket(::accept(listening_.fd(), nullptr, nullptr));
    SSL* const ssl = SSL_new(context_);
    SSL_set_fd(ssl, socket.fd());
    const bool accepted = SSL_accept(ssl) == 1;
    const unsigned char* chosen = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl, &chosen, &size);
    if (accepted && size == 2) {
      serve_http2(ssl);
    } else if (accepted) {
      for (int i = 0; i < answers; ++i) {
        std::string request;
        char byte = 0;
        while (!request.ends_with("\r\n\r\n") && SSL_read(ssl, &byte, 1) == 1) request.push_back(byte);
        received_ += request;
        if (request.empty() || SSL_write(ssl, kOk.data(), static_cast<int>(kOk.size())) <= 0) break;
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

void use_tls(Config& config, const testing::TestCertificate& trusted, const std::string& name,
             std::vector<std::string> protocols = {"h2", "http/1.1"}) {
  config.servers[0].tls = true;
  config.servers[0].server_name = name;
  config.tls = *net::TlsClientContext::create(
      {.ca = trusted.certificate(), .certificate = {}, .key = {}, .protocols = std::move(protocols)});
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

TEST(Tls, SpeaksWhatTheServerChose) {
  const testing::TestCertificate certificate("DNS:api.test");
  TlsBackend backend(certificate, 0, true);
  {
    World world(1, [&](Config& config) { use_tls(config, certificate, "api.test"); });
    world.pools().set_endpoints(0, 0, {backend.endpoint()});
    const Ref<Client> first = world.get();
    ASSERT_TRUE(world.until([&] { return first->over(); }));
    EXPECT_EQ(first->received, "ok");
    // Now it is known that they can share the one that is there.
    std::vector<Ref<Client>> others;
    for (int i = 0; i < 5; ++i) others.push_back(world.get());
    ASSERT_TRUE(
        world.until([&] { return std::ranges::all_of(others, [](const auto& c) { return c->over(); }); }));
    for (const auto& client : others) EXPECT_EQ(client->received, "ok");
    EXPECT_EQ(world.shared().upstream(0).connections.load(), 1U);
  }
  EXPECT_TRUE(backend.received().starts_with("GET https /x\n"));
}

// A server that speaks both, and HTTP/2 when it may choose.
TEST(Tls, AWebSocketIsOfferedHttp1Alone) {
  const testing::TestCertificate certificate("DNS:api.test");
  TlsBackend backend(certificate, 1, true);
  {
    World world(1, [&](Config& config) { use_tls(config, certificate, "api.test"); });
    world.pools().set_endpoints(0, 0, {backend.endpoint()});
    const Ref<Client> client = world.websocket();
    ASSERT_TRUE(world.until([&] { return client->over(); }));
    EXPECT_EQ(client->head->status, 200);
  }
  const std::string received = backend.received();
  EXPECT_TRUE(received.starts_with("GET /ws HTTP/1.1\r\n")) << received;
  EXPECT_NE(received.find("Upgrade: websocket\r\n"), std::string::npos) << received;
}

// A request that HTTP/2 did not process goes over HTTP/1 where the server speaks that now, body or none.
TEST(Tls, GoesBackToHttp1WithItsServer) {
  std::signal(SIGPIPE, SIG_IGN);  // the server writes to connections that the client has left
  const testing::TestCertificate certificate("DNS:api.test");
  for (const std::string_view method : {"GET", "PUT"}) {
    TlsBackend backend(certificate, 1, true, true);
    {
      World world(1, [&](Config& config) { use_tls(config, certificate, "api.test"); });
      world.pools().set_endpoints(0, 0, {backend.endpoint()});
      const bool put = method == "PUT";
      const Ref<Client> client = world.request(
          method, put ? http::BodyLength{http::BodyLength::Kind::kKnown, 2} : http::BodyLength{},
          [&](Client& c) { c.body = put ? "hi" : ""; });
      ASSERT_TRUE(world.until([&] { return client->over(); })) << method;
      EXPECT_TRUE(client->ended) << method << (client->reset ? static_cast<int>(*client->reset) : -1);
      EXPECT_EQ(client->received, "ok") << method;
    }
    EXPECT_TRUE(backend.received().starts_with(std::string(method) + " /x HTTP/1.1\r\n")) << method;
  }
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
