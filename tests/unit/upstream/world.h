// A worker, its pools, backends on loopback that do what the test says, and clients that record what they
// get; all on the test's own thread, so that nothing depends on luck. Sockets, because what is tested is when
// connections are made, kept and closed.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/worker.h"
#include "pipeline/verifier.h"
#include "upstream/pools.h"

namespace holdfast::upstream {

using namespace std::chrono_literals;
using pipeline::Cause;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {
    if (fd_ >= 0) ::fcntl(fd_, F_SETFL, ::fcntl(fd_, F_GETFL) | O_NONBLOCK);
  }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() { close(); }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

// The backend's end of one connection.
class Peer {
 public:
  explicit Peer(int fd) : fd_(fd) {}
  // Everything that has arrived so far.
  const std::string& received() {
    char buffer[65536];
    for (;;) {
      const ssize_t size = ::recv(fd_.get(), buffer, sizeof buffer, 0);
      if (size <= 0) {
        ended_ = ended_ || size == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
        return received_;
      }
      received_.append(buffer, static_cast<std::size_t>(size));
    }
  }
  [[nodiscard]] bool ended() {
    (void)received();
    return ended_;
  }
  void forget() { received_.clear(); }
  // What the kernel takes of it.
  std::size_t send(std::string_view bytes) {
    const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    return sent < 0 ? 0 : static_cast<std::size_t>(sent);
  }
  void close() { fd_.close(); }
  void reset() {
    const linger now{1, 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    fd_.close();
  }

 private:
  Descriptor fd_;
  std::string received_;
  bool ended_ = false;
};

class Backend {
 public:
  Backend() : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(fd_.get(), 16), 0);
    EXPECT_EQ(::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    endpoint_ = net::Endpoint(reinterpret_cast<const sockaddr*>(&address), size);
  }
  [[nodiscard]] const net::Endpoint& endpoint() const { return endpoint_; }
  [[nodiscard]] std::size_t accepted() const { return accepted_; }
  // Somebody waits to be accepted.
  [[nodiscard]] bool pending() const {
    pollfd waits{fd_.get(), POLLIN, 0};
    return ::poll(&waits, 1, 0) == 1;
  }
  std::unique_ptr<Peer> accept() {
    const int fd = ::accept(fd_.get(), nullptr, nullptr);
    if (fd < 0) return nullptr;
    ++accepted_;
    return std::make_unique<Peer>(fd);
  }
  void close() { fd_.close(); }
  // The kernel takes some KiB of connections made from now on, and no more until they are read.
  void take_little() {
    const int bytes = 4096;
    EXPECT_EQ(::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes), 0);
  }

 private:
  Descriptor fd_;
  net::Endpoint endpoint_;
  std::size_t accepted_ = 0;
};

class Client final : public pipeline::ClientStream {
 public:
  // The request's body, sent as far as credit goes; then trailers and the end.
  std::string body;
  http::Fields request_trailers;
  std::string field;                             // of the head, beside Host
  bool hold_end = false;                         // the body is not all there yet
  bool take_all = true;                          // grants as much as comes
  std::size_t first = pipeline::kInitialCredit;  // may come before any grant
  std::optional<Cause> cancel_at_grant;

  std::vector<unsigned> interims;
  std::optional<http::ResponseHead> head;
  std::string received;
  http::Fields trailers;
  bool ended = false;
  std::optional<Cause> reset;
  std::vector<std::string> servers;
  std::size_t granted = 0;
  Ref<pipeline::BackendStream> backend;

  [[nodiscard]] bool over() const { return ended || reset.has_value(); }

  void send_body() {
    while (sent_ < body.size() && sent_ < granted) {
      const std::size_t size = std::min({body.size() - sent_, granted - sent_, std::size_t{16384}});
      const std::string_view part = std::string_view(body).substr(sent_, size);
      sent_ += size;
      backend->on_request_data(part);
    }
    if (sent_ == body.size() && !hold_end && !std::exchange(end_sent_, true)) {
      if (!request_trailers.empty()) backend->on_request_trailers(std::move(request_trailers));
      backend->on_request_end();
    }
  }
  [[nodiscard]] std::size_t sent() const { return sent_; }

  void on_response_interim(http::ResponseHead interim) override { interims.push_back(interim.status); }
  void on_response_head(http::ResponseHead response) override { head = std::move(response); }
  void on_response_data(std::span<const char> bytes) override {
    received.append(bytes.begin(), bytes.end());
    if (take_all) backend->grant_response(bytes.size());
  }
  void on_response_trailers(http::Fields fields) override { trailers = std::move(fields); }
  void on_response_end() override {
    end();
    ended = true;
  }
  void on_response_reset(Cause cause) override {
    end();
    reset = cause;
  }
  void grant_request(std::size_t bytes) override {
    granted += bytes;
    if (cancel_at_grant) {
      backend->on_request_cancel(*cancel_at_grant);
      return end();
    }
    send_body();
  }
  [[nodiscard]] std::size_t first_credit() const override { return first; }
  void on_backend_chosen(std::string_view server) override { servers.emplace_back(server); }

 private:
  void end() {
    EXPECT_FALSE(over());
    backend.reset();
  }

  std::size_t sent_ = 0;
  bool end_sent_ = false;
};

class World {
 public:
  explicit World(std::size_t backends = 1, std::function<void(Config&)> adjust = {}) : backends_(backends) {
    Config config;
    config.name = "api";
    for (std::size_t i = 0; i < backends; ++i)
      config.servers.push_back({.name = "server-" + std::to_string(i), .server_name = {}});
    config.balance = Balance::kRoundRobin;
    config.timeouts = {.connect = 500ms, .response = 500ms, .body_idle = 500ms, .idle = 5s};
    if (adjust) adjust(config);
    configs_ = {config};
    shared_ = std::make_shared<SharedState>(configs_);
    pools_ = make_pools(worker_);
  }

  pipeline::RouteTimeouts route{};  // of the requests to come

  // A client and its exchange hold each other until one of them ends it.
  ~World() {
    for (const Ref<Client>& client : clients_) client->backend.reset();
  }

  [[nodiscard]] Backend& backend(std::size_t i = 0) { return backends_[i]; }
  [[nodiscard]] SharedState& shared() { return *shared_; }
  [[nodiscard]] net::Worker& worker() { return worker_; }
  [[nodiscard]] Pools& pools() { return *pools_; }
  [[nodiscard]] const Config& config() const { return configs_[0]; }

  std::unique_ptr<Pools> make_pools(net::Worker& worker) {
    auto pools = std::make_unique<Pools>(worker, configs_, shared_);
    for (std::size_t i = 0; i < backends_.size(); ++i) pools->set_endpoints(0, i, {backends_[i].endpoint()});
    return pools;
  }

  Ref<Client> request(std::string_view method, http::BodyLength length = {},
                      std::function<void(Client&)> adjust = {}) {
    return request_on(*pools_, method, length, std::move(adjust));
  }
  Ref<Client> request_on(Pools& pools, std::string_view method, http::BodyLength length = {},
                         std::function<void(Client&)> adjust = {}, std::size_t upstream = 0) {
    Ref<Client> client = make_counted<Client>();
    clients_.push_back(client);
    if (adjust) adjust(*client);
    http::RequestHead head;
    head.method = method;
    head.target = "/x";
    head.fields.add("Host", "a.example");
    if (!client->field.empty()) head.fields.add("x-field", client->field);
    head.body = length;
    client->backend =
        pools.open(pipeline::Verifier::admit_anonymous(), upstream, route, std::move(head), client);
    if (length.kind == http::BodyLength::Kind::kNone && client->backend) client->backend->on_request_end();
    return client;
  }
  Ref<Client> get() { return request("GET"); }
  // `version`: of HTTP, as the client speaks it.
  Ref<Client> websocket(std::uint8_t version = 1) {
    Ref<Client> client = make_counted<Client>();
    clients_.push_back(client);
    http::RequestHead head;
    head.version_major = version;
    head.method = "GET";
    head.target = "/ws";
    head.protocol = "websocket";
    head.fields.add("Host", "a.example");
    head.fields.add("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
    client->backend = pools_->open(pipeline::Verifier::admit_anonymous(), 0, route, std::move(head), client);
    if (client->backend) client->backend->on_request_end();
    return client;
  }

  // Runs the worker until `done`, or fails the test after a long time.
  template <typename Done>
  [[nodiscard]] bool until(Done done, net::Worker* other = nullptr) {
    const auto ends = std::chrono::steady_clock::now() + 10s;
    while (!done()) {
      if (std::chrono::steady_clock::now() > ends) return false;
      turn(worker_, 2ms);
      if (other != nullptr) turn(*other, 2ms);
    }
    return true;
  }
  // For what must not happen: gives it time to.
  void settle(std::chrono::milliseconds time = 30ms) {
    const auto ends = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < ends) turn(worker_, 2ms);
  }
  std::unique_ptr<Peer> accept(std::size_t i = 0) {
    std::unique_ptr<Peer> peer;
    EXPECT_TRUE(until([&] { return (peer = backends_[i].accept()) != nullptr; }));
    return peer;
  }
  // Waits for a whole request head (and what came with it) and returns the bytes.
  std::string receive_head(Peer& peer) {
    EXPECT_TRUE(until([&] { return peer.received().find("\r\n\r\n") != std::string::npos; }));
    std::string bytes = peer.received();
    peer.forget();
    return bytes;
  }

 private:
  static void turn(net::Worker& worker, std::chrono::milliseconds time) {
    worker.io().restart();
    worker.io().run_for(time);
  }

  std::vector<Backend> backends_;
  net::Worker worker_{0};
  std::vector<Config> configs_;
  std::shared_ptr<SharedState> shared_;
  std::unique_ptr<Pools> pools_;
  std::vector<Ref<Client>> clients_;
};

inline constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

}  // namespace holdfast::upstream
