#include "cli/health.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <cstdio>
#include <utility>

#include "base/ascii.h"
#include "cli/command_line.h"
#include "settings/words.h"

namespace holdfast::cli {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::chrono::seconds kTimeout{5};
constexpr std::size_t kMaxStatusLine = 1024;

// "HTTP/1.1 204 ..."
std::expected<int, std::string> status_of(std::string_view line) {
  if (!line.starts_with("HTTP/1.") || line.size() < 12 || !is_digit(line[9]) || !is_digit(line[10]) ||
      !is_digit(line[11])) {
    return std::unexpected("the answer is not HTTP");
  }
  return (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
}

// One exchange, driven by the caller's io_context; outlives none of its handlers.
class Get {
 public:
  Get(asio::io_context& io, std::string request) : resolver_(io), socket_(io), request_(std::move(request)) {}

  void start(const std::string& host, std::uint16_t port) {
    resolver_.async_resolve(host, std::to_string(port),
                            [this](error_code error, const asio::ip::tcp::resolver::results_type& found) {
                              if (error) return finish(error);
                              asio::async_connect(socket_, found,
                                                  [this](error_code failed, const asio::ip::tcp::endpoint&) {
                                                    if (failed) return finish(failed);
                                                    send();
                                                  });
                            });
  }

  std::expected<int, std::string> outcome = std::unexpected("no answer in time");

 private:
  void send() {
    asio::async_write(socket_, asio::buffer(request_), [this](error_code error, std::size_t) {
      if (error) return finish(error);
      asio::async_read_until(socket_, asio::dynamic_buffer(answer_, kMaxStatusLine), '\n',
                             [this](error_code failed, std::size_t) {
                               if (failed) return finish(failed);
                               outcome = status_of(answer_);
                             });
    });
  }
  void finish(error_code error) { outcome = std::unexpected(error.message()); }

  asio::ip::tcp::resolver resolver_;
  asio::ip::tcp::socket socket_;
  std::string request_;
  std::string answer_;
};

}  // namespace

std::expected<int, std::string> probe(std::string_view url, std::chrono::milliseconds timeout) {
  const auto origin = settings::parse_url(url);
  if (!origin || origin->scheme != "http") return std::unexpected("not a plain http URL");
  const std::size_t slash = url.find('/', std::string_view("http://").size());
  const std::string target(slash == std::string_view::npos ? "/" : url.substr(slash));
  const std::string host = origin->host.contains(':') ? '[' + origin->host + ']' : origin->host;
  asio::io_context io;
  Get get(io, "GET " + target + " HTTP/1.1\r\nHost: " + host + ':' + std::to_string(origin->port) +
                  "\r\nConnection: close\r\n\r\n");
  get.start(origin->host, origin->port);
  io.run_for(timeout);
  return get.outcome;
}

int health(std::string_view url) {
  const auto origin = settings::parse_url(url);
  if (!origin || origin->scheme != "http") {
    std::fputs("holdfast health: the URL must be a plain http one\n", stderr);
    return kUsage;
  }
  const auto status = probe(url, kTimeout);
  if (!status) {
    std::fprintf(stderr, "holdfast health: %s\n", status.error().c_str());
    return kFailed;
  }
  if (*status / 100 == 2) return kDone;
  std::fprintf(stderr, "holdfast health: status %d\n", *status);
  return kFailed;
}

}  // namespace holdfast::cli
