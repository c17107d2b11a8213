#include "upstream/connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

#include "upstream/pool.h"

namespace holdfast::upstream {
namespace {

std::string_view alpn_selected(const SSL* ssl) {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl, &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

}  // namespace

// Holds the connection while an attempt is under way; a counted object of its own because both net::Connect
// and net::Stream want one.
class Connection::Dial final : public net::ConnectOwner {
 public:
  Dial(net::Worker& worker, Ref<Connection> connection, net::Endpoints endpoints, std::size_t first,
       std::chrono::milliseconds limit)
      : connect_(worker, *this),
        connection_(std::move(connection)),
        endpoints_(std::move(endpoints)),
        first_(first),
        ends_(net::Worker::now().steady + limit) {}

  // The next address, with an equal share of the time that is left. false: no address or no time left.
  [[nodiscard]] bool next() {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(ends_ - net::Worker::now().steady);
    if (tried_ == endpoints_.size() || left.count() <= 0) return false;
    const std::size_t at = (first_ + tried_) % endpoints_.size();
    const auto share = left / static_cast<std::chrono::milliseconds::rep>(endpoints_.size() - tried_);
    ++tried_;
    connect_.start(endpoints_[at], std::max(share, std::chrono::milliseconds{1}));
    return true;
  }
  void cancel() {
    connection_.reset();
    connect_.cancel();
  }

 private:
  void on_connected(net::Socket socket) override {
    if (Ref<Connection> connection = std::move(connection_)) connection->on_dialled(std::move(socket));
  }
  void on_connect_failed(int /*error*/) override {
    if (next()) return;
    if (Ref<Connection> connection = std::move(connection_)) connection->on_dial_failed();
  }

  net::Connect connect_;
  Ref<Connection> connection_;
  net::Endpoints endpoints_;
  std::size_t first_;
  std::size_t tried_ = 0;
  SteadyTime ends_;
};

Connection::Connection(Ref<Pool> pool, std::size_t server, bool http1_only)
    : pool_(std::move(pool)),
      server_(server),
      http1_only_(http1_only),
      idle_deadline_(pool_->worker().wheel(), *this),
      decoder_(pool_->config().limits) {}

Connection::~Connection() {
  close();
}

void Connection::dial(ConnectionUser& user, const net::Endpoints& endpoints, std::size_t first,
                      std::chrono::milliseconds limit) {
  user_ = &user;
  dial_ = make_counted<Dial>(pool_->worker(), Ref<Connection>(this), endpoints, first, limit);
  if (dial_->next()) return;
  // No address is known yet: told later, as every failure is.
  pool_->worker().post([self = Ref<Connection>(this)] { self->on_dial_failed(); });
}

void Connection::on_dialled(net::Socket socket) {
  dial_.reset();
  const Server& server = pool_->config().servers[server_];
  net::SslPtr ssl;
  if (server.tls) {
    ssl = pool_->config().tls->new_ssl(server.server_name, http1_only_);
    if (!ssl) return fail();
  }
  stream_.emplace(pool_->worker(), std::move(socket), std::move(ssl), *this);
  handshaking_ = true;
  handshake();
}

void Connection::on_dial_failed() {
  dial_.reset();
  fail();
}

void Connection::handshake() {
  switch (stream_->handshake().state) {
    case net::Stream::State::kOk:
      handshaking_ = false;
      speaks_http2_ =
          stream_->is_tls() ? alpn_selected(stream_->ssl()) == "h2" : pool_->config().servers[server_].http2;
      if (user_ != nullptr) user_->on_connected();
      break;
    case net::Stream::State::kWouldBlock:
      stream_->wait_readable();
      break;
    case net::Stream::State::kEnd:
    case net::Stream::State::kFailed:
      fail();
      break;
  }
}

void Connection::fail() {
  const Ref<Connection> self(this);
  ConnectionUser* const user = std::exchange(user_, nullptr);
  close();
  if (user != nullptr) user->on_connect_failed();
}

void Connection::set_user(ConnectionUser& user) {
  user_ = &user;
  idle_deadline_.cancel();
}

void Connection::idle(std::chrono::milliseconds limit) {
  user_ = nullptr;
  reused_ = true;
  idle_deadline_.arm(limit);
  stream_->wait_readable();
}

bool Connection::is_quiet() {
  char byte = 0;
  if (stream_->read({&byte, 1}).state != net::Stream::State::kWouldBlock) return false;
  return ::recv(stream_->fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
         (errno == EAGAIN || errno == EWOULDBLOCK);
}

void Connection::close() {
  user_ = nullptr;
  idle_deadline_.cancel();
  if (const Ref<Dial> dial = std::exchange(dial_, nullptr)) dial->cancel();
  if (stream_) stream_->close();
  if (std::exchange(open_, false)) pool_->on_closed();
}

void Connection::on_readable() {
  if (handshaking_) return handshake();
  if (user_ != nullptr) return user_->on_connection_readable();
  if (is_quiet()) return stream_->wait_readable();
  pool_->drop_idle(*this);
}

void Connection::on_writable() {
  if (user_ != nullptr) user_->on_connection_writable();
}

void Connection::on_deadline(int /*which*/) {
  pool_->drop_idle(*this);
}

}  // namespace holdfast::upstream
