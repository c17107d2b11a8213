// Kept-alive TLS 1.3 connections driven by one epoll loop: each carries one request at a time and sends the
// next as soon as the answer is complete (a closed loop), or when its time has come (`paced`, an open loop).
// One cipher suite is offered, so that every server compared uses the same. Single-threaded.
#pragma once

#include <openssl/ssl.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::bench {

struct Outcome {
  std::map<int, std::uint64_t> by_status;
  std::uint64_t broken = 0;  // connections that ended or answered something unreadable
  std::vector<std::uint32_t> microseconds;

  [[nodiscard]] std::uint64_t answered() const { return microseconds.size(); }
  [[nodiscard]] std::uint32_t percentile(double share);  // sorts
};

class Connections {
 public:
  // Handshakes are done when this returns; throws when one fails.
  Connections(std::uint16_t port, std::size_t count, const std::string& server_name);
  ~Connections();
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;

  // Sends what `next` returns until it returns an empty view; ends when the last answer has come.
  Outcome run(const std::function<std::string_view()>& next);
  // The same, but a request every so long whatever the server does, each on a connection that is free; one
  // that finds none waits, and its wait counts. Sleeps in between, so that servers on the same core get their
  // turn.
  Outcome paced(const std::function<std::string_view()>& next, std::chrono::microseconds every);
  // One request on every connection, one after another: idle connections that have been used.
  Outcome once_each(std::string_view request);
  // The same at the same time: what a server keeps of a peak shows in the connections that rest after it.
  Outcome all_at_once(std::string_view request);

 private:
  struct Connection;

  using Clock = std::chrono::steady_clock;

  void begin(Connection& connection, std::string_view request, Clock::time_point since);
  Connection* free_connection();
  // Until nothing is under way; an answered connection sends what `next` returns, if anything.
  void await_answers(Outcome& outcome, const std::function<std::string_view()>& next);
  void on_ready(Connection& connection, Outcome& outcome, const std::function<std::string_view()>& next);
  bool take_answer(Connection& connection, Outcome& outcome);
  void drop(Connection& connection, Outcome& outcome);

  int epoll_ = -1;
  std::size_t busy_ = 0;
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  std::vector<std::unique_ptr<Connection>> connections_;
};

}  // namespace holdfast::bench
