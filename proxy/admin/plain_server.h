// The small HTTP/1.1 server that probes and admin pages are served by: plain, one request a connection,
// bounded in connections, bytes and time. What is answered is its owner's decision. Control thread only.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"
#include "net/socket.h"

namespace holdfast::admin {

struct PlainAnswer {
  unsigned status = 200;
  std::string_view content_type = "text/plain; charset=utf-8";
  std::string body;
  std::string_view allow;         // the Allow field's value, where status is 405
  std::string_view authenticate;  // WWW-Authenticate's, where status is 401
};

class PlainServer {
 public:
  using Done = std::function<void(PlainAnswer)>;
  // `done` may be called later, once; the head is gone by then.
  using Handler = std::function<void(const http::RequestHead& head, Done done)>;

  // Serves what connects to `listening`, TCP or UNIX sockets, at once. A request and its answer may take
  // `time` together.
  PlainServer(boost::asio::io_context& control, std::vector<net::Descriptor> listening,
              std::chrono::seconds time, Handler handler);
  ~PlainServer();
  PlainServer(const PlainServer&) = delete;
  PlainServer& operator=(const PlainServer&) = delete;

  // Stops listening; what is connected gets its answer.
  void stop();

 private:
  class Listener;
  std::vector<std::shared_ptr<Listener>> listeners_;
};

}  // namespace holdfast::admin
