#include "http/grpc_timeout.h"

#include <cstddef>
#include <cstdint>

namespace holdfast::http {
namespace {

constexpr std::size_t kMaxDigits = 8;

}  // namespace

std::optional<std::chrono::milliseconds> parse_grpc_timeout(std::string_view text) {
  if (text.size() < 2 || text.size() > kMaxDigits + 1) return std::nullopt;
  std::int64_t number = 0;
  for (const char c : text.substr(0, text.size() - 1)) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + (c - '0');
  }
  using std::chrono::ceil;
  using std::chrono::milliseconds;
  switch (text.back()) {
    case 'H':
      return std::chrono::hours(number);
    case 'M':
      return std::chrono::minutes(number);
    case 'S':
      return std::chrono::seconds(number);
    case 'm':
      return milliseconds(number);
    case 'u':
      return ceil<milliseconds>(std::chrono::microseconds(number));
    case 'n':
      return ceil<milliseconds>(std::chrono::nanoseconds(number));
    default:
      return std::nullopt;
  }
}

std::optional<std::chrono::milliseconds> grpc_timeout(const Fields& fields) {
  constexpr std::string_view kName = "grpc-timeout";
  if (fields.count(kName) != 1) return std::nullopt;
  return parse_grpc_timeout(*fields.find(kName));
}

}  // namespace holdfast::http
