// A listener on loopback with a story of the test's own behind it, a client on the same worker, and the
// worker turned by hand.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../net/loopback.h"
#include "listener/listener.h"
#include "net/stream.h"
#include "net/tls_client.h"
#include "pipeline/ports.h"

namespace holdfast::testing {

// One request as the story got it; keeps what comes and answers when the test says so.
class StoryRequest final : public pipeline::BackendStream {
 public:
  void on_request_data(std::span<const char> bytes) override {
    body_bytes += bytes.size();
    if (keep_body) body.append(bytes.data(), bytes.size());
    largest = std::max(largest, bytes.size());
    if (regrant) client->grant_request(bytes.size());
  }
  void on_request_trailers(http::Fields fields) override { trailers = std::move(fields); }
  void on_request_end() override {
    ended = true;
    if (on_end) on_end(*this);
  }
  void on_request_cancel(pipeline::Cause cause) override {
    cancelled = cause;
    if (on_cancel) on_cancel(*this);
    if (cause != pipeline::Cause::kClientGone && !answered && client) {
      answer(cause == pipeline::Cause::kRequestTimeout   ? 408
             : cause == pipeline::Cause::kDeadlinePassed ? 504
                                                         : 413,
             "refused");
    }
    client.reset();
  }
  void grant_response(std::size_t bytes) override {
    granted += bytes;
    if (on_grant) on_grant(*this);
  }

  void head(std::uint16_t status, http::BodyLength body_length) {
    http::ResponseHead response;
    response.status = status;
    response.body = body_length;
    response.fields.add("X-Story", "yes");
    answered = true;
    client->on_response_head(std::move(response));
  }
  void answer(std::uint16_t status, std::string_view text) {
    const Ref<StoryRequest> self(this);
    const Ref<pipeline::ClientStream> to = client;
    const bool none = method == "HEAD";
    head(status, none ? http::BodyLength{} : http::BodyLength{http::BodyLength::Kind::kKnown, text.size()});
    if (!none) to->on_response_data(text);
    to->on_response_end();
    client.reset();
  }

  std::string method, target;
  http::RequestHead request;
  Ref<pipeline::ClientStream> client;
  std::string body;
  std::size_t body_bytes = 0;
  std::size_t largest = 0;
  std::size_t granted = 0;
  bool keep_body = true;
  bool regrant = true;
  bool ended = false;
  bool answered = false;
  http::Fields trailers;
  std::optional<pipeline::Cause> cancelled;
  std::function<void(StoryRequest&)> on_end;
  std::function<void(StoryRequest&)> on_cancel;
  std::function<void(StoryRequest&)> on_grant;
};

class Story final : public pipeline::RequestHandler {
 public:
  Ref<pipeline::BackendStream> start(http::RequestHead head, const pipeline::ConnectionFacts& connection,
                                     Ref<pipeline::ClientStream> client) override {
    auto request = make_counted<StoryRequest>();
    request->method = head.method;
    request->target = head.target;
    request->request = std::move(head);
    request->client = std::move(client);
    facts = &connection;
    requests.push_back(request);
    if (on_start) on_start(*request);
    return request;
  }
  void refuse(Refusal refusal, std::uint16_t status, http::RequestHead, const pipeline::ConnectionFacts&,
              Ref<pipeline::ClientStream> client) override {
    refusals.push_back({status, refusal.reason});
    http::ResponseHead head;
    head.status = status;
    head.close = true;
    head.body = {http::BodyLength::Kind::kKnown, 7};
    client->on_response_head(std::move(head));
    client->on_response_data(std::string_view("refused"));
    client->on_response_end();
  }
  void close_tunnels() override {
    if (on_close_tunnels) on_close_tunnels();
  }
  [[nodiscard]] StoryRequest& last() { return *requests.back(); }

  std::vector<Ref<StoryRequest>> requests;
  std::vector<std::pair<int, Reason>> refusals;
  const pipeline::ConnectionFacts* facts = nullptr;
  std::function<void(StoryRequest&)> on_start;
  std::function<void()> on_close_tunnels;
};

class Client final : public net::StreamOwner {
 public:
  Client(net::Worker& worker, net::Socket socket, net::SslPtr ssl)
      : stream(worker, std::move(socket), std::move(ssl), *this) {}
  ~Client() override = default;

  void on_readable() override {
    if (!ready) {
      const auto result = stream.handshake();
      if (result.state == net::Stream::State::kWouldBlock) return stream.wait_readable();
      if (result.state != net::Stream::State::kOk) {
        end = result.state;
        return;
      }
      ready = true;
      on_writable();
    }
    std::string buffer(50'000, '\0');
    while (!paused) {
      const auto result = stream.read(buffer);
      if (result.state == net::Stream::State::kWouldBlock) return stream.wait_readable();
      if (result.state != net::Stream::State::kOk) {
        end = result.state;
        return;
      }
      received_bytes += result.bytes;
      if (keep) received.append(buffer, 0, result.bytes);
    }
  }
  void on_writable() override {
    while (at < out.size()) {
      const auto result = stream.write(std::span(out).subspan(at));
      if (result.state == net::Stream::State::kWouldBlock) return stream.wait_writable();
      if (result.state != net::Stream::State::kOk) return;
      at += result.bytes;
    }
  }
  void send(std::string_view bytes) {
    out.append(bytes);
    if (ready) on_writable();
  }
  void resume() {
    paused = false;
    stream.wait_readable();
  }

  net::Stream stream;
  bool ready = false;
  bool paused = false;
  bool keep = true;
  std::string out;
  std::size_t at = 0;
  std::string received;
  std::size_t received_bytes = 0;
  std::optional<net::Stream::State> end;
};

class ListenerTest : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    config->name = "test";
    config->index = 4;
    if (GetParam()) {
      config->tls =
          *net::TlsServerContext::create({.certificates = {{certificate.certificate(), certificate.key()}}});
      client_context = *net::TlsClientContext::create({.ca = certificate.certificate()});
    }
  }
  void listen() {
    auto sockets = net::open_listening_sockets({"127.0.0.1", 0}, 1);
    ASSERT_TRUE(sockets) << sockets.error();
    address = net::local_endpoint(sockets->front());
    listening = make_counted<listener::Listener>(worker, std::move(sockets->front()), config, story);
    listening->start();
  }
  Ref<Client> connect(int buffer = 0) {
    if (!listening) listen();
    net::Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (buffer > 0) ::setsockopt(socket.fd(), SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
    EXPECT_EQ(::connect(socket.fd(), address.address(), address.size()), 0);
    auto client = make_counted<Client>(worker, asio_socket(worker, std::move(socket)),
                                       GetParam() ? client_context->new_ssl("localhost") : nullptr);
    client->on_readable();
    EXPECT_TRUE(turn([&] { return client->ready; }));
    clients.push_back(client);
    return client;
  }
  bool turn(const std::function<bool()>& done, std::chrono::milliseconds limit = std::chrono::seconds(5)) {
    return turn_until(worker, done, limit);
  }
  void settle(int turns = 10) {
    for (int i = 0; i < turns; ++i) turn_once(worker, std::chrono::milliseconds(2));
  }
  void TearDown() override {
    for (const auto& client : clients) client->stream.close();
    for (const auto& request : story.requests) {
      request->on_end = nullptr;
      request->on_cancel = nullptr;
      request->on_grant = nullptr;
    }
    if (listening) listening->close();
    EXPECT_EQ(config->tally->open(), 0u);
  }

  TestCertificate certificate{"DNS:localhost"};
  std::shared_ptr<const net::TlsClientContext> client_context;
  net::Worker worker{0};
  std::shared_ptr<listener::Config> config = std::make_shared<listener::Config>();
  Story story;
  net::Endpoint address;
  Ref<listener::Listener> listening;
  std::vector<Ref<Client>> clients;
};

inline std::string mode_name(const ::testing::TestParamInfo<bool>& mode) {
  return mode.param ? "Tls" : "Plain";
}

}  // namespace holdfast::testing
