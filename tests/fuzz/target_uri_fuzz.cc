// Targets and URIs from outside: no input may crash, and a normal form is its own normal form, holds nothing
// that the contract refuses, and costs no copy the second time.
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "base/arena.h"
#include "http/origin.h"
#include "http/target_uri.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

bool has_dot_segment(std::string_view path) {
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::string_view segment = path.substr(0, path.find('/'));
    if (segment == "." || segment == "..") return true;
    path.remove_prefix(segment.size());
  }
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  holdfast::Arena arena;
  if (const auto target = holdfast::http::normalize_target(input, arena)) {
    require(target->path.starts_with('/'));
    require(!has_dot_segment(target->path));
    for (const char c : target->path) require(c > 0x20 && c < 0x7F && c != '?' && c != '#');
    require(target->query.empty() || target->query.starts_with('?'));
    require(input.ends_with(target->query));
    const auto again = holdfast::http::normalize_target(target->path, arena);
    require(again && again->path == target->path);
    require(again->path.data() == target->path.data());
    // A path means the same as part of an absolute URI.
    require(
        holdfast::http::normalize_absolute_uri("https://a" + std::string(input.substr(0, input.find('?')))) ==
        "https://a" + std::string(target->path));
  }
  if (const auto uri = holdfast::http::normalize_absolute_uri(input)) {
    require(uri->starts_with("http://") || uri->starts_with("https://"));
    require(holdfast::http::normalize_absolute_uri(*uri) == uri);
    const auto path = uri->find('/', 8);
    require(path != std::string::npos && holdfast::http::parse_origin(uri->substr(0, path)).has_value());
  }
  if (const auto authority = holdfast::http::parse_authority(input)) {
    require(holdfast::http::parse_authority(authority->host)->host == authority->host);
  }
  if (const auto origin = holdfast::http::parse_origin(input)) {
    require(holdfast::http::parse_origin(origin->text()) == origin);
  }
  return 0;
}
