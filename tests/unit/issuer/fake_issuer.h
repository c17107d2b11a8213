// An issuer for tests, over real loopback sockets: answers each request with what the test wants, one
// connection at a time, on a thread of its own.
#pragma once

#include <atomic>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

namespace holdfast::issuer {

class FakeIssuer {
 public:
  explicit FakeIssuer(boost::asio::ssl::context* tls = nullptr, unsigned short port = 0)
      : tls_(tls),
        acceptor_(io_, boost::asio::ip::tcp::endpoint(boost::asio::ip::address_v4::loopback(), port)) {
    thread_ = std::thread([this] { serve(); });
  }
  ~FakeIssuer() {
    ending_ = true;
    boost::asio::ip::tcp::socket nudge(io_);
    boost::system::error_code ignored;
    nudge.connect(acceptor_.local_endpoint(), ignored);
    thread_.join();
  }
  FakeIssuer(const FakeIssuer&) = delete;
  FakeIssuer& operator=(const FakeIssuer&) = delete;

  [[nodiscard]] unsigned short port() const { return acceptor_.local_endpoint().port(); }
  [[nodiscard]] std::string url() const {
    return (tls_ != nullptr ? "https" : "http") + std::string("://127.0.0.1:") + std::to_string(port());
  }

  // The whole response to a request of `target`; empty: the connection is closed without one.
  void answer_raw(const std::string& target, const std::string& response) {
    const std::lock_guard lock(mutex_);
    answers_[target] = response;
  }
  void answer(const std::string& target, const std::string& body) {
    answer_raw(target,
               "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  }
  void delay(std::chrono::milliseconds delay) { delay_ = delay; }
  [[nodiscard]] int asked(const std::string& target) {
    const std::lock_guard lock(mutex_);
    return asked_[target];
  }

  [[nodiscard]] std::string last_request() {
    const std::lock_guard lock(mutex_);
    return last_request_;
  }

 private:
  template <typename Stream>
  static void read_body(Stream& stream, std::string& request) {
    const std::size_t name = request.find("Content-Length: ");
    if (name == std::string::npos) return;
    const std::size_t whole = request.find("\r\n\r\n") + 4 + std::stoul(request.substr(name + 16));
    boost::system::error_code failed;
    if (request.size() < whole) {
      boost::asio::read(stream, boost::asio::dynamic_buffer(request),
                        boost::asio::transfer_exactly(whole - request.size()), failed);
    }
  }

  template <typename Stream>
  void exchange(Stream& stream) {
    boost::system::error_code failed;
    std::string request;
    boost::asio::read_until(stream, boost::asio::dynamic_buffer(request), "\r\n\r\n", failed);
    if (failed) return;
    read_body(stream, request);
    const std::size_t from = request.find(' ') + 1;
    const std::string target = request.substr(from, request.find(' ', from) - from);
    std::string response = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
    {
      const std::lock_guard lock(mutex_);
      ++asked_[target];
      last_request_ = request;
      if (const auto found = answers_.find(target); found != answers_.end()) response = found->second;
    }
    std::this_thread::sleep_for(delay_.load());
    boost::asio::write(stream, boost::asio::buffer(response), failed);
  }

  void serve() {
    while (!ending_) {
      boost::system::error_code failed;
      boost::asio::ip::tcp::socket socket = acceptor_.accept(failed);
      if (failed || ending_) continue;
      if (tls_ == nullptr) {
        exchange(socket);
        continue;
      }
      boost::asio::ssl::stream<boost::asio::ip::tcp::socket> stream(std::move(socket), *tls_);
      stream.handshake(boost::asio::ssl::stream_base::server, failed);
      if (!failed) exchange(stream);
    }
  }

  boost::asio::ssl::context* const tls_;
  boost::asio::io_context io_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::atomic<bool> ending_ = false;
  std::atomic<std::chrono::milliseconds> delay_ = std::chrono::milliseconds(0);
  std::mutex mutex_;
  std::map<std::string, std::string> answers_;
  std::map<std::string, int> asked_;
  std::string last_request_;
  std::thread thread_;
};

}  // namespace holdfast::issuer
