#include "admin/probes.h"

#include <array>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <list>
#include <span>
#include <string>
#include <utility>

#include "http/message.h"
#include "wire/encoder.h"
#include "wire/request_decoder.h"

namespace holdfast::admin {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr std::size_t kMaxConnections = 64;
constexpr std::chrono::seconds kWholeExchange{5};
constexpr wire::Limits kLimits{.max_head_bytes = 8 * 1024, .max_fields = 64, .max_body_bytes = 0};

class Exchange;
using OpenExchanges = std::list<Exchange*>;  // the oldest first

// One connection with one request. What is asynchronous holds a share of it; when the last has come back it
// is gone.
class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  Exchange(tcp::socket socket, const ProbeState& state, std::shared_ptr<OpenExchanges> open)
      : socket_(std::move(socket)),
        deadline_(socket_.get_executor()),
        state_(state),
        open_(std::move(open)),
        decoder_(kLimits) {
    place_ = open_->insert(open_->end(), this);
  }
  ~Exchange() { leave(); }
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  void start() {
    deadline_.expires_after(kWholeExchange);
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
    if (place_ != open_->end()) open_->erase(std::exchange(place_, open_->end()));
  }

  void read() {
    socket_.async_read_some(asio::buffer(in_), [self = shared_from_this()](error_code failed,
                                                                           std::size_t bytes) {
      if (failed) return self->close();
      const wire::Step step = self->decoder_.feed(std::span<const char>(self->in_.data(), bytes));
      if (step.event == wire::Event::kHead) {
        const http::RequestHead head = self->decoder_.take_head();
        self->answer(answer_probe(head.method, head.target, self->state_), head.method == "HEAD");
      } else if (step.event == wire::Event::kNeedMore) {
        self->read();
      } else {
        self->answer({.status = self->decoder_.fault().status, .body = "bad request\n", .allow = {}}, false);
      }
    });
  }

  void answer(ProbeAnswer answer, bool head_only) {
    http::ResponseHead head;
    head.status = static_cast<std::uint16_t>(answer.status);
    head.close = true;
    head.body = {http::BodyLength::Kind::kKnown, answer.body.size()};
    head.fields.add_view("Content-Type", answer.content_type);
    head.fields.add_view("Cache-Control", "no-store");
    head.fields.add_view("X-Content-Type-Options", "nosniff");
    if (!answer.allow.empty()) head.fields.add_view("Allow", answer.allow);
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
                        if (!failed) self->socket_.shutdown(tcp::socket::shutdown_send, ignored);
                        self->close();
                      });
  }

  tcp::socket socket_;
  asio::steady_timer deadline_;
  const ProbeState& state_;
  const std::shared_ptr<OpenExchanges> open_;  // of all listeners
  OpenExchanges::iterator place_;
  wire::RequestDecoder decoder_;
  std::array<char, 4096> in_{};
  std::string out_;
};

}  // namespace

class Probes::Listener : public std::enable_shared_from_this<Listener> {
 public:
  Listener(asio::io_context& control, const tcp::endpoint& endpoint, const ProbeState& state,
           std::shared_ptr<OpenExchanges> open)
      : acceptor_(control), pause_(control), state_(state), open_(std::move(open)) {
    acceptor_.open(endpoint.protocol());
    acceptor_.set_option(tcp::acceptor::reuse_address(true));
    // [::] is to take IPv4 as well, whatever the machine's default says.
    if (endpoint.address().is_v6()) {
      acceptor_.set_option(asio::ip::v6_only(!endpoint.address().is_unspecified()));
    }
    acceptor_.bind(endpoint);
    acceptor_.listen();
  }

  void accept() {
    acceptor_.async_accept([self = shared_from_this()](error_code failed, tcp::socket socket) {
      if (!self->acceptor_.is_open()) return;
      if (failed) return self->accept_later();
      // An open port must not cost unbounded memory, and whoever holds connections and asks nothing must not
      // keep the orchestrator's probe out, or it restarts us: beyond the limit the oldest gives way.
      if (self->open_->size() >= kMaxConnections) self->open_->front()->close();
      std::make_shared<Exchange>(std::move(socket), self->state_, self->open_)->start();
      self->accept();
    });
  }

  void stop() {
    error_code ignored;
    acceptor_.close(ignored);
    pause_.cancel();
  }

  [[nodiscard]] unsigned short port() const { return acceptor_.local_endpoint().port(); }

 private:
  // Out of descriptors, say: asking again at once would spin.
  void accept_later() {
    pause_.expires_after(std::chrono::milliseconds(100));
    pause_.async_wait([self = shared_from_this()](error_code cancelled) {
      if (!cancelled) self->accept();
    });
  }

  tcp::acceptor acceptor_;
  asio::steady_timer pause_;
  const ProbeState& state_;
  const std::shared_ptr<OpenExchanges> open_;
};

Probes::Probes(asio::io_context& control, const std::vector<tcp::endpoint>& endpoints,
               const ProbeState& state) {
  const auto open = std::make_shared<OpenExchanges>();
  for (const tcp::endpoint& endpoint : endpoints) {
    listeners_.push_back(std::make_shared<Listener>(control, endpoint, state, open));
  }
  for (const auto& listener : listeners_) listener->accept();
}

Probes::~Probes() {
  stop();
}

void Probes::stop() {
  for (const auto& listener : listeners_) listener->stop();
}

unsigned short Probes::port() const {
  return listeners_.front()->port();
}

}  // namespace holdfast::admin
