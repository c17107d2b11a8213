#include "cli/ask.h"

#include <array>
#include <boost/asio/connect.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>
#include <span>
#include <utility>
#include <vector>

#include "wire/response_decoder.h"

namespace holdfast::cli {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using Stream = asio::generic::stream_protocol;

constexpr std::size_t kMaxBody = 1024 * 1024;

// One exchange, driven by the caller's io_context; outlives none of its handlers.
class Get {
 public:
  Get(asio::io_context& io, std::string request) : resolver_(io), socket_(io), request_(std::move(request)) {
    decoder_.begin("GET");
  }

  void start(const Place& place) {
    if (place.socket) {
      if (place.socket->native().size() >= kLongestSocket) return fail("the socket's path is too long");
      return connect({asio::local::stream_protocol::endpoint(place.socket->native())});
    }
    if (place.host.empty()) {
      return connect({tcp::endpoint(asio::ip::address_v4::loopback(), place.port),
                      tcp::endpoint(asio::ip::address_v6::loopback(), place.port)});
    }
    resolver_.async_resolve(place.host, std::to_string(place.port),
                            [this](error_code error, const tcp::resolver::results_type& found) {
                              if (error) return fail(error.message());
                              std::vector<Stream::endpoint> endpoints;
                              for (const auto& each : found) endpoints.emplace_back(each.endpoint());
                              connect(std::move(endpoints));
                            });
  }

  std::expected<Said, std::string> outcome = std::unexpected("no answer in time");

 private:
  static constexpr std::size_t kLongestSocket = 108;  // sockaddr_un

  void fail(std::string why) { outcome = std::unexpected(std::move(why)); }

  void connect(std::vector<Stream::endpoint> endpoints) {
    endpoints_ = std::move(endpoints);
    asio::async_connect(socket_, endpoints_, [this](error_code error, const Stream::endpoint&) {
      if (error) return fail(error.message());
      asio::async_write(socket_, asio::buffer(request_), [this](error_code failed, std::size_t) {
        if (failed) return fail(failed.message());
        read();
      });
    });
  }

  void read() {
    socket_.async_read_some(asio::buffer(in_), [this](error_code error, std::size_t bytes) {
      if (error && error != asio::error::eof) return fail(error.message());
      bool more = true;
      if (bytes != 0) more = take({in_.data(), bytes});
      if (more && error) more = note(decoder_.finish());
      if (more && error) return fail("the answer is cut off");
      if (more) read();
    });
  }

  // False: the answer is whole, or none.
  bool take(std::span<const char> bytes) {
    for (;;) {
      const wire::Step step = decoder_.feed(bytes);
      bytes = bytes.subspan(step.consumed);
      if (step.event == wire::Event::kNeedMore) return true;
      if (!note(step)) return false;
    }
  }

  bool note(const wire::Step& step) {
    switch (step.event) {
      case wire::Event::kHead:
        said_.status = decoder_.take_head().status;
        return true;
      case wire::Event::kData:
        said_.body.append(step.data.data(), step.data.size());
        if (said_.body.size() <= kMaxBody) return true;
        fail("the answer is too long");
        return false;
      case wire::Event::kEnd:
        outcome = std::move(said_);
        return false;
      case wire::Event::kFault:
        fail("the answer is not HTTP");
        return false;
      case wire::Event::kInterim:
      case wire::Event::kNeedMore:
        break;
    }
    return true;
  }

  tcp::resolver resolver_;
  asio::basic_stream_socket<Stream> socket_;
  std::vector<Stream::endpoint> endpoints_;
  std::string request_;
  std::array<char, 4096> in_{};
  wire::ResponseDecoder decoder_;
  Said said_;
};

}  // namespace

std::expected<Said, std::string> ask(const Place& place, std::string_view target, std::string_view fields,
                                     std::chrono::milliseconds patience) {
  std::string request = "GET " + std::string(target) + " HTTP/1.1\r\nConnection: close\r\n";
  request.append(fields) += "\r\n";
  asio::io_context io;
  Get get(io, std::move(request));
  get.start(place);
  io.run_for(patience);
  return std::move(get.outcome);
}

}  // namespace holdfast::cli
