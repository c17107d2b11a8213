#include "listener/connection.h"

#include <sys/socket.h>

#include <array>
#include <string_view>
#include <utility>

#include "listener/http1_session.h"
#include "listener/http2_session.h"

namespace holdfast::listener {

namespace {

constexpr std::size_t kReadBuffer = 64 * 1024;
constexpr std::size_t kFirstRead = 16 * 1024;
// RFC 9113 3.4
constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

}  // namespace

std::span<char> Connection::read_buffer() {
  thread_local std::array<char, kReadBuffer> buffer;
  return buffer;
}

Connection::Connection(Listener& listener, net::Socket socket, const net::Endpoint& peer)
    : listener_(&listener),
      config_(listener.config_),
      stream_(listener.worker_, std::move(socket),
              config_->tls != nullptr ? config_->tls->new_ssl() : nullptr, *this),
      deadline_(listener.worker_.wheel(), *this) {
  facts_.listener = config_->index;
  facts_.client_ip = peer.ip();
  facts_.client_address = peer.bytes();
  facts_.tls = config_->tls != nullptr;
}

void Connection::start() {
  self_ = Ref<Connection>(this);
  listener_->add(*this);
  // Out of memory for an SSL must not turn a TLS listener into a plain one.
  if (!stream_.is_open() || stream_.is_tls() != facts_.tls) return close(true);
  if (config_->proxies) {
    if (!http::any_contains(*config_->proxies, http::IpAddress::v6(facts_.client_address))) {
      tally().count(Close::kProxyHeader);
      return close(true);
    }
    phase_ = Phase::kProxyHeader;
    proxy_header_ = std::make_unique<wire::ProxyHeaderDecoder>();
  }
  deadline_.arm(timeouts().handshake);
  on_readable();
}

void Connection::drain() {
  if (draining_ || phase_ == Phase::kClosed) return;
  const Ref<Connection> self(this);
  draining_ = true;
  on_readable();  // what the client sent before it could know is served
  if (const Ref<Session> session = session_) return session->drain();
  if (phase_ == Phase::kChoice && preface_seen_ == 0 && !has_unread()) close(false);
}

bool Connection::has_unread() {
  char byte = 0;
  return stream_.is_open() && ::recv(stream_.fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

void Connection::abandon() {
  const Ref<Connection> self(this);
  if (const Ref<Session> session = session_) return session->abandon();
  close(false);
}

void Connection::on_readable() {
  const Ref<Connection> self(this);
  if (const Ref<Session> session = session_) return session->on_readable();
  if (phase_ == Phase::kProxyHeader && !read_proxy_header()) return;
  if (phase_ == Phase::kChoice) return read_first_bytes();
  if (phase_ == Phase::kHandshake && shake_hands()) choose();
}

void Connection::on_writable() {
  const Ref<Connection> self(this);
  if (const Ref<Session> session = session_) session->on_writable();
}

void Connection::on_deadline(int /*which*/) {
  close_because(Close::kHandshakeTimeout);
}

void Connection::close_because(Close cause) {
  tally().count(cause);
  close(false);
}

bool Connection::read_proxy_header() {
  using Decoder = wire::ProxyHeaderDecoder;
  Decoder::State state = Decoder::State::kNeedMore;
  while (state == Decoder::State::kNeedMore) {
    const std::span<char> room = read_buffer().first(proxy_header_->wanted());
    const net::Stream::Result result = stream_.read_before_tls(room);
    if (result.state == net::Stream::State::kWouldBlock) {
      stream_.wait_readable();
      return false;
    }
    if (result.state != net::Stream::State::kOk) {
      close(false);
      return false;
    }
    state = proxy_header_->feed(room.first(result.bytes));
  }
  if (state == Decoder::State::kFault) {
    close_because(Close::kProxyHeader);
    return false;
  }
  if (const auto& source = proxy_header_->source()) {
    facts_.client_ip = source->text();
    facts_.client_address = source->bytes();
  }
  proxy_header_.reset();
  phase_ = Phase::kHandshake;
  return true;
}

bool Connection::shake_hands() {
  switch (stream_.handshake().state) {
    case net::Stream::State::kOk:
      break;
    case net::Stream::State::kWouldBlock:
      stream_.wait_readable();
      return false;
    default:
      close_because(Close::kHandshakeFailed);
      return false;
  }
  if (!stream_.is_tls()) return true;
  facts_.certificate_names = config_->tls->served_names(stream_.ssl());
  if (auto client = config_->tls->client_identity(stream_.ssl())) {
    facts_.client_certificate = std::make_shared<const crypto::CertificateIdentity>(std::move(*client));
  }
  return true;
}

void Connection::choose() {
  const Protocols& allowed = config_->protocols;
  if (stream_.is_tls()) {
    // RFC 9113 3.2: on TLS nothing but ALPN opens HTTP/2.
    if (net::negotiated_protocol(stream_.ssl()) == "h2") return start_session<Http2Session>({});
    return allowed.http1 ? start_session<Http1Session>({}) : close_because(Close::kHandshakeFailed);
  }
  if (!allowed.http2) return start_session<Http1Session>({});
  if (!allowed.http1) return start_session<Http2Session>({});
  phase_ = Phase::kChoice;
  deadline_.arm(timeouts().headers);
  read_first_bytes();
}

void Connection::read_first_bytes() {
  const std::span<char> buffer = read_buffer().first(kFirstRead);
  const net::Stream::Result result = stream_.read(buffer);
  if (result.state == net::Stream::State::kWouldBlock) return stream_.wait_readable();
  if (result.state != net::Stream::State::kOk) {
    stream_.shutdown_write();
    return close(false);
  }
  const std::string_view bytes(buffer.data(), result.bytes);
  const std::string_view expected = kPreface.substr(preface_seen_);
  const bool http2 = bytes.starts_with(expected.substr(0, bytes.size()));
  if (http2 && bytes.size() < expected.size()) {
    preface_seen_ = static_cast<std::uint8_t>(preface_seen_ + bytes.size());
    return stream_.wait_readable();
  }
  // What came before these bytes was the preface so far, and nothing else.
  std::string whole;
  std::string_view first = bytes;
  if (preface_seen_ != 0) first = whole.append(kPreface.substr(0, preface_seen_)).append(bytes);
  return http2 ? start_session<Http2Session>(first) : start_session<Http1Session>(first);
}

template <typename Protocol>
void Connection::start_session(std::span<const char> first) {
  deadline_.cancel();
  phase_ = Phase::kSession;
  const Ref<Session> session = make_counted<Protocol>(*this);
  session_ = session;
  session->start(first);
}

void Connection::close(bool reset) {
  if (phase_ == Phase::kClosed) return;
  const Ref<Connection> self = std::exchange(self_, nullptr);
  phase_ = Phase::kClosed;
  deadline_.cancel();
  stream_.close(reset);
  session_.reset();
  listener_->remove(*this);
}

}  // namespace holdfast::listener
