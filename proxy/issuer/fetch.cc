#include "issuer/fetch.h"

#include <array>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "base/ascii.h"
#include "http/message.h"
#include "jose/json.h"
#include "wire/encoder.h"
#include "wire/response_decoder.h"

namespace holdfast::issuer {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr std::size_t kLongestWord = 64;

}  // namespace

// Everything asynchronous holds a share of the flight; what ends it clears `done_` and closes the socket, so
// that each operation comes back and finds nothing to do.
class Fetch::Flight : public std::enable_shared_from_this<Flight> {
 public:
  Flight(asio::io_context& io, FetchRequest request, Done done)
      : request_(std::move(request)),
        location_(request_.location),
        done_(std::move(done)),
        resolver_(io),
        socket_(io),
        deadline_(io),
        attempt_(io),
        decoder_({.max_head_bytes = 64 * 1024, .max_fields = 200}) {}

  void start(std::chrono::milliseconds timeout) {
    deadline_.expires_after(timeout);
    deadline_.async_wait([self = shared_from_this()](error_code failed) {
      if (!failed) self->fail("no complete answer in time");
    });
    resolver_.async_resolve(
        location_.host, std::to_string(location_.port), tcp::resolver::numeric_service,
        [self = shared_from_this()](error_code failed, tcp::resolver::results_type found) {
          if (failed) return self->fail("the name is not found: " + failed.message());
          for (const auto& entry : found) self->addresses_.push_back(entry.endpoint());
          self->connect_next(error_code());
        });
  }

  void abandon() {
    done_ = nullptr;
    close();
  }

 private:
  void finish(FetchResult result) {
    close();
    if (Done done = std::exchange(done_, nullptr)) done(std::move(result));
  }
  void fail(std::string why) { finish(std::unexpected(std::move(why))); }

  void close() {
    resolver_.cancel();
    deadline_.cancel();
    attempt_.cancel();
    error_code ignored;
    raw_socket().close(ignored);
  }

  tcp::socket& raw_socket() { return secure_ ? secure_->next_layer() : socket_; }

  // An address that swallows packets may take its share of the time, not all of it.
  void connect_next(error_code last) {
    if (!done_) return;
    if (next_address_ == addresses_.size()) return fail("no connection: " + last.message());
    const tcp::endpoint address = addresses_[next_address_++];
    error_code ignored;
    socket_.close(ignored);
    if (next_address_ < addresses_.size()) {
      attempt_.expires_after(std::chrono::seconds(2));
      attempt_.async_wait([self = shared_from_this(), number = next_address_](error_code failed) {
        error_code closed;
        if (!failed && number == self->next_address_ && !self->connected_) self->socket_.close(closed);
      });
    }
    socket_.async_connect(address, [self = shared_from_this()](error_code failed) {
      if (!self->done_) return;
      self->attempt_.cancel();
      if (failed) return self->connect_next(failed);
      self->connected_ = true;
      self->location_.tls ? self->handshake() : self->ask(self->socket_);
    });
  }

  void handshake() {
    net::SslPtr ssl = request_.tls->new_ssl(location_.host);
    if (!ssl) return fail("no TLS session can be made for " + location_.host);
    secure_.emplace(std::move(socket_), ssl.release());
    secure_->async_handshake(asio::ssl::stream_base::client, [self = shared_from_this()](error_code failed) {
      if (!self->done_) return;
      if (failed) {
        const SSL* const session = self->secure_->native_handle();
        return self->fail("TLS: " + (SSL_get_verify_result(session) != X509_V_OK
                                         ? net::handshake_failure(session)
                                         : failed.message()));
      }
      self->ask(*self->secure_);
    });
  }

  template <typename Stream>
  void ask(Stream& stream) {
    if (!encode()) return fail("the URL cannot be asked for");
    const std::string_view bytes = out_.reveal();
    asio::async_write(stream, asio::buffer(bytes),
                      [self = shared_from_this(), &stream](error_code failed, std::size_t) {
                        if (!self->done_) return;
                        if (failed) return self->fail("writing the request: " + failed.message());
                        self->read(stream);
                      });
  }

  bool encode() {
    const std::string_view form = request_.form.reveal();
    const std::string_view authorization = request_.authorization.reveal();
    http::RequestHead head;
    head.method = is_post() ? "POST" : "GET";
    head.target = location_.target;
    head.authority = location_.authority;
    head.fields.add_view("Host", location_.authority);
    head.fields.add_view("Accept",
                         is_post() ? "application/json" : "application/json, application/jwk-set+json");
    head.fields.add_view("User-Agent", "holdfast");
    if (!authorization.empty()) head.fields.add_view("Authorization", authorization);
    if (is_post()) {
      head.fields.add_view("Content-Type", "application/x-www-form-urlencoded");
      head.body = {http::BodyLength::Kind::kKnown, form.size()};
    }
    std::string bytes;
    bytes.reserve(form.size() + authorization.size() + location_.target.size() + 1024);
    wire::RequestEncoder encoder;
    if (!encoder.head(head, bytes)) return false;
    if (is_post() && !(encoder.data(form, bytes) && encoder.end(bytes))) return false;
    out_ = Secret(std::move(bytes));
    decoder_.begin(head.method);
    return true;
  }

  [[nodiscard]] bool is_post() const { return !request_.form.empty(); }

  template <typename Stream>
  void read(Stream& stream) {
    stream.async_read_some(asio::buffer(in_),
                           [self = shared_from_this(), &stream](error_code failed, std::size_t bytes) {
                             if (!self->done_) return;
                             if (failed == asio::error::eof) return self->take(self->decoder_.finish());
                             if (failed) return self->fail("reading the answer: " + failed.message());
                             if (self->decode(bytes)) self->read(stream);
                           });
  }

  // false: it has ended, one way or the other.
  bool decode(std::size_t bytes) {
    std::span<const char> rest(in_.data(), bytes);
    while (true) {
      const wire::Step step = decoder_.feed(rest);
      rest = rest.subspan(step.consumed);
      if (step.event == wire::Event::kNeedMore) return true;
      take(step);
      if (!done_) return false;
    }
  }

  void take(const wire::Step& step) {
    switch (step.event) {
      case wire::Event::kInterim:
        (void)decoder_.take_head();
        return;
      case wire::Event::kHead:
        return take_head(decoder_.take_head());
      case wire::Event::kData:
        if (body_.size() + step.data.size() > request_.max_answer) {
          return fail("the answer is larger than " + std::to_string(request_.max_answer / 1024) + " KiB");
        }
        body_.append(step.data.data(), step.data.size());
        return;
      case wire::Event::kEnd:
        if (status_ != 200) return fail(refusal());
        return finish(std::move(body_));
      case wire::Event::kNeedMore:
      case wire::Event::kFault:
        return fail("not a valid HTTP answer: " + std::string(decoder_.fault()));
    }
  }

  void take_head(const http::ResponseHead& head) {
    status_ = head.status;
    const bool says_why = is_post() && (status_ == 400 || status_ == 401);
    if (status_ != 200 && !says_why) return fail("status " + std::to_string(status_));
    if (head.fields.contains("Content-Encoding")) return fail("an encoded answer, which nobody asked for");
    if (is_post() && status_ == 200 && !is_json(head)) return fail("an answer that is not application/json");
  }

  static bool is_json(const http::ResponseHead& head) {
    if (head.fields.count("Content-Type") != 1) return false;
    const std::string_view type = *head.fields.find("Content-Type");
    return iequals(trim_ows(type.substr(0, type.find(';'))), "application/json");
  }

  // RFC 6749 5.2: the word says what is wrong with the configuration, such as invalid_client.
  [[nodiscard]] std::string refusal() const {
    std::string sentence = "status " + std::to_string(status_);
    const auto document = jose::parse_json_object(body_);
    const auto error = document ? jose::string_member(*document, "error") : std::nullopt;
    if (error) sentence.append(", ").append(error->substr(0, kLongestWord));
    return sentence;
  }

  FetchRequest request_;
  const Location& location_;
  Done done_;
  tcp::resolver resolver_;
  tcp::socket socket_;
  std::optional<asio::ssl::stream<tcp::socket>> secure_;
  asio::steady_timer deadline_;
  asio::steady_timer attempt_;
  std::vector<tcp::endpoint> addresses_;
  std::size_t next_address_ = 0;
  bool connected_ = false;
  wire::ResponseDecoder decoder_;
  Secret out_;
  std::uint16_t status_ = 0;
  std::array<char, 16 * 1024> in_{};
  std::string body_;
};

Fetch::Fetch(asio::io_context& io, FetchRequest request, std::chrono::milliseconds timeout, Done done)
    : flight_(std::make_shared<Flight>(io, std::move(request), std::move(done))) {
  flight_->start(timeout);
}

Fetch::~Fetch() {
  flight_->abandon();
}

}  // namespace holdfast::issuer
