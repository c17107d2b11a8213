#include "cli/health.h"

#include <cstdio>

#include "cli/ask.h"
#include "cli/command_line.h"
#include "http/origin.h"
#include "settings/words.h"

namespace holdfast::cli {
namespace {

constexpr std::chrono::seconds kTimeout{5};

}  // namespace

std::expected<int, std::string> probe(std::string_view url, std::chrono::milliseconds timeout) {
  const auto origin = settings::parse_url(url);
  if (!origin || origin->scheme != "http") return std::unexpected("not a plain http URL");
  const std::size_t slash = url.find('/', std::string_view("http://").size());
  const auto said = ask({.host = origin->host, .port = origin->port},
                        slash == std::string_view::npos ? "/" : url.substr(slash),
                        "Host: " + http::host_and_port(origin->host, origin->port) + "\r\n", timeout);
  if (!said) return std::unexpected(said.error());
  return said->status;
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
