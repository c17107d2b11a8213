// See http_server.h.
#include "support/http_server.h"

#include <poll.h>
#include <sys/socket.h>

#include <charconv>
#include <cstdio>
#include <stdexcept>

namespace holdfast::support {
namespace {

constexpr Milliseconds kIdle{600000};  // the other side decides when a connection ends

std::uint64_t content_length(const Fields& fields) {
  const std::string text = fields.value("Content-Length");
  std::uint64_t length = 0;
  std::from_chars(text.data(), text.data() + text.size(), length);
  return length;
}

void say_ok(Exchange& exchange) {
  exchange.respond(200, "", "ok");
}

}  // namespace

void Exchange::read_body() {
  if (std::exchange(body_read_, true)) return;
  if (equal_ignoring_case(request.fields.value("Expect"), "100-continue"))
    send("HTTP/1.1 100 Continue\r\n\r\n");
  if (request.fields.has("Transfer-Encoding")) {
    request.body = reader_.chunked(request.trailers, kIdle);
  } else {
    request.body = reader_.bytes(content_length(request.fields), kIdle);
  }
}

std::uint64_t Exchange::drain_body() {
  body_read_ = true;
  std::uint64_t total = 0;
  if (!request.fields.has("Transfer-Encoding")) {
    const std::uint64_t length = content_length(request.fields);
    while (total < length) {
      const std::string piece = reader_.some(kIdle);
      if (piece.empty()) throw std::runtime_error("request body cut off");
      total += piece.size();
    }
    return total;
  }
  for (;;) {
    const std::string size_line = reader_.line(kIdle);
    std::uint64_t size = 0;
    std::from_chars(size_line.data(), size_line.data() + size_line.size(), size, 16);
    if (size == 0) break;
    reader_.bytes(size + 2, kIdle);
    total += size;
  }
  while (!reader_.line(kIdle).empty()) {
  }
  return total;
}

void Exchange::respond(int status, std::string_view fields, std::string_view body) {
  read_body();
  const std::string head = "HTTP/1.1 " + std::to_string(status) + " Word\r\n" + std::string(fields) +
                           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  send(request.method == "HEAD" ? head : head + std::string(body));
}

HttpServer::HttpServer(std::uint16_t port) : port_(port), handler_(say_ok) {
  start();
}

HttpServer::~HttpServer() {
  stop();
}

void HttpServer::on_request(Handler handler) {
  const std::lock_guard lock(mutex_);
  handler_ = std::move(handler);
}

void HttpServer::finish() {
  constexpr Milliseconds kGrace{5000};
  std::unique_lock lock(mutex_);
  handler_ = say_ok;
  if (arrived_.wait_for(lock, kGrace, [&] { return busy_ == 0; })) return;
  lock.unlock();
  cut_connections();
  lock.lock();
  arrived_.wait(lock, [&] { return busy_ == 0; });
}

void HttpServer::start() {
  if (listening_.open()) return;
  if (port_ == 0) port_ = free_port();
  listening_ = listen_loopback(port_);
  stopping_ = false;
  acceptor_ = std::thread([this] { accept_loop(); });
}

void HttpServer::stop() {
  if (!listening_.open()) return;
  stopping_ = true;
  acceptor_.join();
  listening_.close();
  cut_connections();
  std::list<Connection> ended;
  {
    const std::lock_guard lock(mutex_);
    ended.swap(connections_);
  }
  for (Connection& connection : ended) connection.thread.join();
}

void HttpServer::cut_connections() {
  const std::lock_guard lock(mutex_);
  for (Connection& connection : connections_) {
    if (!connection.done) connection.stream->shutdown_both();
  }
}

void HttpServer::accept_loop() {
  while (!stopping_) {
    pollfd entry{listening_.fd(), POLLIN, 0};
    if (::poll(&entry, 1, 20) <= 0) continue;
    Socket socket(::accept4(listening_.fd(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!socket.open()) continue;
    const int number = ++accepted_;
    const std::lock_guard lock(mutex_);
    connections_.remove_if([](Connection& connection) {
      if (connection.done) connection.thread.join();
      return connection.done.load();
    });
    Connection& connection = connections_.emplace_back();
    connection.stream = std::make_unique<Stream>(Stream::accepted(std::move(socket)));
    connection.thread = std::thread([this, &connection, number] { serve(connection, number); });
  }
}

void HttpServer::serve(Connection& connection, int number) {
  MessageReader reader(*connection.stream);
  try {
    bool keep = true;
    while (keep && !stopping_) {
      auto head = reader.head(kIdle);
      if (!head) break;
      serve_one(*connection.stream, reader, std::move(*head), number, keep);
    }
  } catch (const std::runtime_error&) {
    // The peer broke off in the middle of a message. That is its right, and tests do it on purpose.
  }
  const std::lock_guard lock(mutex_);
  if (connection.stream->fd() >= 0) connection.stream->shutdown_both();
  *connection.stream = Stream::accepted(Socket{});
  connection.done = true;
}

void HttpServer::serve_one(Stream& stream, MessageReader& reader, std::string head, int number, bool& keep) {
  auto request = std::make_shared<SeenRequest>();
  request->connection = number;
  const std::size_t first = head.find(' ');
  const std::size_t second = head.find(' ', first + 1);
  if (second == std::string::npos) throw std::runtime_error("no request line");
  request->method = head.substr(0, first);
  request->target = head.substr(first + 1, second - first - 1);
  request->fields = parse_fields(head);
  request->head = std::move(head);
  Handler handler;
  SeenRequest working = *request;
  {
    const std::lock_guard lock(mutex_);
    handler = handler_;
    seen_.push_back(request);
    ++busy_;
    arrived_.notify_all();
  }
  Exchange exchange(stream, reader, working);
  // The body is filled in under the lock: a test may be looking at the list meanwhile.
  const auto end = [&] {
    const std::lock_guard lock(mutex_);
    request->body = working.body;
    request->trailers = working.trailers;
    --busy_;
    arrived_.notify_all();
  };
  try {
    handler(exchange);
  } catch (...) {
    end();
    throw;
  }
  end();
  keep = exchange.keep() && !equal_ignoring_case(request->fields.value("Connection"), "close");
}

std::vector<SeenRequest> HttpServer::seen() const {
  const std::lock_guard lock(mutex_);
  std::vector<SeenRequest> copies;
  for (const auto& request : seen_) copies.push_back(*request);
  return copies;
}

std::size_t HttpServer::seen_count() const {
  const std::lock_guard lock(mutex_);
  return seen_.size();
}

SeenRequest HttpServer::last() const {
  std::unique_lock lock(mutex_);
  // A body is filled in when its handler has ended, which may be a moment after its answer was read.
  constexpr Milliseconds kMoment{500};
  arrived_.wait_for(lock, kMoment, [&] { return busy_ == 0; });
  if (seen_.empty()) throw std::runtime_error("the backend saw no request");
  return *seen_.back();
}

std::optional<SeenRequest> HttpServer::find(std::string_view target_prefix) const {
  const std::lock_guard lock(mutex_);
  for (const auto& request : seen_) {
    if (request->target.starts_with(target_prefix)) return *request;
  }
  return std::nullopt;
}

bool HttpServer::wait_for(std::size_t count, Milliseconds patience) const {
  std::unique_lock lock(mutex_);
  return arrived_.wait_for(lock, patience, [&] { return seen_.size() >= count; });
}

void HttpServer::forget() {
  const std::lock_guard lock(mutex_);
  seen_.clear();
}

}  // namespace holdfast::support
