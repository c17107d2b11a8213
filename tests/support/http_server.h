// A scriptable HTTP/1.1 server on loopback, one thread a connection: the fake backend and, with fixed
// documents, the fake issuer. What a request does is a function that may answer in any bytes it likes. Every
// head that arrives is recorded byte for byte, so that a test can say what a backend saw and, above all, what
// it never saw.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "support/http_message.h"
#include "support/socket.h"

namespace holdfast::support {

struct SeenRequest {
  int connection = 0;  // counted from 1 in order of acceptance
  std::string head;    // raw
  std::string method;
  std::string target;
  Fields fields;
  std::string body;
  Fields trailers;
};

// One request on its way through a handler, on the connection's thread.
class Exchange {
 public:
  Exchange(Stream& stream, MessageReader& reader, SeenRequest& seen)
      : request(seen), stream_(stream), reader_(reader) {}

  SeenRequest& request;

  void read_body();  // whole, into request.body and request.trailers
  // Counts and drops the body piece by piece, for bodies too large to keep.
  std::uint64_t drain_body();
  bool send(std::string_view raw) { return stream_.send(raw); }
  // What comes next, whatever it is; empty at the end of the connection.
  std::string receive(Milliseconds patience = kPatience) { return reader_.some(patience); }
  // A complete answer with Content-Length; reads what is left of the request first.
  void respond(int status, std::string_view fields, std::string_view body);
  void close() { keep_ = false; }
  [[nodiscard]] bool keep() const { return keep_; }

 private:
  Stream& stream_;
  MessageReader& reader_;
  bool keep_ = true;
  bool body_read_ = false;
};

class HttpServer {
 public:
  using Handler = std::function<void(Exchange&)>;

  // Answers 200 `ok` to everything until told otherwise. Port 0: any free one.
  explicit HttpServer(std::uint16_t port = 0);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  void on_request(Handler handler);  // for all requests that begin after this
  // Back to `ok`, and returns when no handler runs any more; one that does not end by itself is cut off.
  void finish();

  void stop();   // stops listening and cuts every connection
  void start();  // on the same port again
  void cut_connections();

  [[nodiscard]] std::vector<SeenRequest> seen() const;
  [[nodiscard]] std::size_t seen_count() const;
  [[nodiscard]] int connections_accepted() const { return accepted_; }
  // The last request seen; throws where there is none.
  [[nodiscard]] SeenRequest last() const;
  // The request whose target begins so, if it came.
  [[nodiscard]] std::optional<SeenRequest> find(std::string_view target_prefix) const;
  bool wait_for(std::size_t count, Milliseconds patience = kPatience) const;
  void forget();

 private:
  struct Connection {
    std::unique_ptr<Stream> stream;
    std::thread thread;
    std::atomic<bool> done{false};
  };

  void accept_loop();
  void serve(Connection& connection, int number);
  void serve_one(Stream& stream, MessageReader& reader, std::string head, int number, bool& keep);

  std::uint16_t port_ = 0;
  Socket listening_;
  std::thread acceptor_;
  std::atomic<bool> stopping_{false};
  std::atomic<int> accepted_{0};
  mutable std::mutex mutex_;
  mutable std::condition_variable arrived_;
  Handler handler_;
  std::list<Connection> connections_;
  int busy_ = 0;  // handlers running
  std::vector<std::shared_ptr<SeenRequest>> seen_;
};

// What the server does within a scope. Declare it after whatever the handler refers to: handlers have ended
// when it is gone.
class Script {
 public:
  Script(HttpServer& server, HttpServer::Handler handler) : server_(server) {
    server.on_request(std::move(handler));
  }
  ~Script() { server_.finish(); }
  Script(const Script&) = delete;
  Script& operator=(const Script&) = delete;

 private:
  HttpServer& server_;
};

}  // namespace holdfast::support
