// A scriptable HTTP/2 server on loopback by prior knowledge (RFC 9113 3.3), over libnghttp2, one thread a
// connection: the fake backend of HTTP/2 and gRPC. A handler is asked when a request's head has come and, if
// it had no answer then, when the request is whole. What arrives is kept for the test to look at; bodies
// beyond a MiB are counted only.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "support/http_message.h"
#include "support/socket.h"

namespace holdfast::support {

struct Http2Request {
  int connection = 0;  // counted from 1 in order of acceptance
  std::int32_t stream = 0;
  Fields fields;  // pseudo-header fields included
  std::string body;
  std::uint64_t body_bytes = 0;
  Fields trailers;
  bool whole = false;
};

struct Http2Reply {
  int status = 200;
  Fields fields{};
  std::string body{};
  std::uint64_t generated = 0;  // so many bytes more, which tell their place: see generated_byte()
  bool echo = false;            // the request's body as it comes, and its trailers
  Fields trailers{};
  std::vector<int> interim{};
  std::optional<std::uint32_t> reset{};  // RST_STREAM with this error in place of an answer
  std::optional<std::uint32_t>
      broken_off{};     // the same in place of the answer's end, once the request has ended
  bool goaway = false;  // GOAWAY first, which names this stream as the last
  bool cut = false;     // the connection ends in place of an answer
};

[[nodiscard]] char generated_byte(std::uint64_t place);

class Http2Server {
 public:
  using Handler = std::function<std::optional<Http2Reply>(const Http2Request&)>;

  // Answers 200 `ok` to every whole request until told otherwise.
  Http2Server();
  ~Http2Server();
  Http2Server(const Http2Server&) = delete;
  Http2Server& operator=(const Http2Server&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string url() const { return "h2c://127.0.0.1:" + std::to_string(port_); }
  // For all that comes after this; called on connections' threads.
  void on_request(Handler handler);
  // SETTINGS_MAX_CONCURRENT_STREAMS of connections accepted after this.
  void set_max_streams(std::uint32_t streams) { max_streams_ = streams; }

  [[nodiscard]] int connections_accepted() const { return accepted_; }
  // Whole requests, in the order of their ends.
  [[nodiscard]] std::vector<Http2Request> seen() const;
  bool wait_for(std::size_t count, Milliseconds patience = kPatience) const;

 private:
  class Connection;

  void accept_loop();
  [[nodiscard]] Handler handler() const;
  void record(const Http2Request& request);

  std::uint16_t port_;
  Socket listening_;
  std::atomic<bool> stopping_{false};
  std::atomic<int> accepted_{0};
  std::atomic<std::uint32_t> max_streams_{100};
  mutable std::mutex mutex_;
  mutable std::condition_variable arrived_;
  Handler handler_;
  std::vector<Http2Request> seen_;
  std::list<std::unique_ptr<Connection>> connections_;
  std::thread acceptor_;
};

}  // namespace holdfast::support
