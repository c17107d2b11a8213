#include "admin/plain_server.h"

#include <sys/socket.h>

#include <array>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <list>
#include <span>
#include <string>
#include <utility>

#include "wire/encoder.h"
#include "wire/request_decoder.h"

namespace holdfast::admin {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

// TCP and UNIX alike.
using Protocol = asio::generic::stream_protocol;
using Socket = asio::basic_stream_socket<Protocol>;
using Acceptor = asio::basic_socket_acceptor<Protocol>;

constexpr std::size_t kMaxConnections = 64;
constexpr wire::Limits kLimits{.max_head_bytes = 8 * 1024, .max_fields = 64, .max_body_bytes = 0};

class Exchange;

// What all connections of one server share.
struct Served {
  PlainServer::Handler handler;
  std::chrono::seconds time;
  std::list<Exchange*> open;  // the oldest first
};

// One connection with one request. What is asynchronous holds a share of it; when the last has come back it
// is gone.
class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  Exchange(Socket socket, std::shared_ptr<Served> served)
      : socket_(std::move(socket)),
        deadline_(socket_.get_executor()),
        served_(std::move(served)),
        decoder_(kLimits) {
    place_ = served_->open.insert(served_->open.end(), this);
  }
  ~Exchange() { leave(); }
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  void start() {
    deadline_.expires_after(served_->time);
    deadline_.async_wait([self = shared_from_this()](error_code cancelled) {
      if (!cancelled) self->close();
    });
    read();
  }

  void close() {
    leave();
    deadline_.cancel();
    error_code ignored;
    socket_.close(ignored);
  }

 private:
  void leave() {
    if (place_ != served_->open.end()) served_->open.erase(std::exchange(place_, served_->open.end()));
  }

  void read() {
    socket_.async_read_some(
        asio::buffer(in_), [self = shared_from_this()](error_code failed, std::size_t bytes) {
          if (failed) return self->close();
          const wire::Step step = self->decoder_.feed(std::span<const char>(self->in_.data(), bytes));
          if (step.event == wire::Event::kHead) {
            const http::RequestHead head = self->decoder_.take_head();
            self->served_->handler(head, [self, head_only = head.method == "HEAD"](PlainAnswer answer) {
              if (self->socket_.is_open()) self->answer(std::move(answer), head_only);
            });
          } else if (step.event == wire::Event::kNeedMore) {
            self->read();
          } else {
            PlainAnswer refusal;
            refusal.status = self->decoder_.fault().status;
            refusal.body = "bad request\n";
            self->answer(std::move(refusal), false);
          }
        });
  }

  void answer(PlainAnswer answer, bool head_only) {
    http::ResponseHead head;
    head.status = static_cast<std::uint16_t>(answer.status);
    head.close = true;
    head.body = {http::BodyLength::Kind::kKnown, answer.body.size()};
    head.fields.add_view("Content-Type", answer.content_type);
    head.fields.add_view("Cache-Control", "no-store");
    head.fields.add_view("X-Content-Type-Options", "nosniff");
    if (!answer.allow.empty()) head.fields.add_view("Allow", answer.allow);
    if (!answer.authenticate.empty()) head.fields.add_view("WWW-Authenticate", answer.authenticate);
    const std::string length = std::to_string(answer.body.size());
    if (head_only) head.fields.add_view("Content-Length", length);
    wire::ResponseEncoder encoder;
    const wire::ResponseEncoder::To to{.head_request = head_only, .keep_alive = false};
    if (!encoder.head(head, to, out_)) return close();
    if (!head_only && !encoder.data(answer.body, out_)) return close();
    if (!encoder.ended() && !encoder.end(out_)) return close();
    asio::async_write(socket_, asio::buffer(out_),
                      [self = shared_from_this()](error_code failed, std::size_t) {
                        error_code ignored;
                        if (!failed) self->socket_.shutdown(Socket::shutdown_send, ignored);
                        self->close();
                      });
  }

  Socket socket_;
  asio::steady_timer deadline_;
  const std::shared_ptr<Served> served_;
  std::list<Exchange*>::iterator place_;
  wire::RequestDecoder decoder_;
  std::array<char, 4096> in_{};
  std::string out_;
};

Protocol protocol_of(const net::Descriptor& listening) {
  sockaddr_storage name{};
  socklen_t size = sizeof(name);
  ::getsockname(listening.fd(), reinterpret_cast<sockaddr*>(&name), &size);
  return {name.ss_family, 0};
}

}  // namespace

class PlainServer::Listener : public std::enable_shared_from_this<Listener> {
 public:
  Listener(asio::io_context& control, net::Descriptor listening, std::shared_ptr<Served> served)
      : acceptor_(control), pause_(control), served_(std::move(served)) {
    acceptor_.assign(protocol_of(listening), listening.fd());
    (void)listening.release();
  }

  void accept() {
    acceptor_.async_accept([self = shared_from_this()](error_code failed, Socket socket) {
      if (!self->acceptor_.is_open()) return;
      if (failed) return self->accept_later();
      // An open port must not cost unbounded memory, and whoever holds connections and asks nothing must not
      // keep the orchestrator's probe out, or it restarts us: beyond the limit the oldest gives way.
      if (self->served_->open.size() >= kMaxConnections) self->served_->open.front()->close();
      std::make_shared<Exchange>(std::move(socket), self->served_)->start();
      self->accept();
    });
  }

  void stop() {
    error_code ignored;
    acceptor_.close(ignored);
    pause_.cancel();
  }

 private:
  // Out of descriptors, say: asking again at once would spin.
  void accept_later() {
    pause_.expires_after(std::chrono::milliseconds(100));
    pause_.async_wait([self = shared_from_this()](error_code cancelled) {
      if (!cancelled) self->accept();
    });
  }

  Acceptor acceptor_;
  asio::steady_timer pause_;
  const std::shared_ptr<Served> served_;
};

PlainServer::PlainServer(asio::io_context& control, std::vector<net::Descriptor> listening,
                         std::chrono::seconds time, Handler handler) {
  const auto served = std::make_shared<Served>(Served{std::move(handler), time, {}});
  for (net::Descriptor& socket : listening) {
    listeners_.push_back(std::make_shared<Listener>(control, std::move(socket), served));
  }
  for (const auto& listener : listeners_) listener->accept();
}

PlainServer::~PlainServer() {
  stop();
}

void PlainServer::stop() {
  for (const auto& listener : listeners_) listener->stop();
}

}  // namespace holdfast::admin
