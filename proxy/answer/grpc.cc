#include "answer/grpc.h"

#include <string>
#include <string_view>
#include <utility>

#include "base/ascii.h"

namespace holdfast::answer {
namespace {

constexpr std::string_view kGrpc = "application/grpc";
constexpr std::string_view kStatus = "grpc-status";

// gRPC's status codes.
constexpr unsigned kUnknown = 2;
constexpr unsigned kInvalidArgument = 3;
constexpr unsigned kDeadlineExceeded = 4;
constexpr unsigned kPermissionDenied = 7;
constexpr unsigned kUnimplemented = 12;
constexpr unsigned kUnavailable = 14;
constexpr unsigned kUnauthenticated = 16;

// Percent-Encoded of the protocol: what is outside 0x20-0x7E, and '%'.
std::string encode_message(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte <= 0x7E && c != '%') {
      out += c;
    } else {
      out += '%';
      out += kHex[byte >> 4U];
      out += kHex[byte & 0xFU];
    }
  }
  return out;
}

}  // namespace

bool is_grpc(const http::RequestHead& head) {
  if (head.version_major != 2 || head.method != "POST") return false;
  const auto type = head.fields.find("content-type");
  if (!type || !iequals(type->substr(0, kGrpc.size()), kGrpc)) return false;
  const std::string_view rest = type->substr(kGrpc.size());
  return rest.empty() || rest.front() == '+' || rest.front() == ';';
}

unsigned grpc_status(std::uint16_t http_status) {
  switch (http_status) {
    case 400:
      return kInvalidArgument;
    case 401:
      return kUnauthenticated;
    case 403:
      return kPermissionDenied;
    case 404:
      return kUnimplemented;
    // What gRPC's own libraries say of a message, or of metadata, beyond their limits.
    case 413:
    case 431:
      return kGrpcResourceExhausted;
    case 429:
    case 502:
    case 503:
      return kUnavailable;
    case 504:
      return kDeadlineExceeded;
    default:
      return kUnknown;
  }
}

void add_grpc_status(http::Fields& fields, unsigned grpc_status, std::string_view detail) {
  fields.add(kStatus, std::to_string(grpc_status));
  fields.add("grpc-message", encode_message(detail));
}

Answer as_grpc(Answer answer, unsigned grpc_status) {
  answer.fields.set("Content-Type", kGrpc);
  add_grpc_status(answer.fields, grpc_status, answer.detail);
  answer.status = 200;
  answer.body.clear();
  return answer;
}

std::optional<unsigned> read_grpc_status(const http::Fields& fields) {
  constexpr std::size_t kMaxDigits = 3;
  const auto text = fields.find(kStatus);
  if (!text || text->empty() || text->size() > kMaxDigits || fields.count(kStatus) != 1) return std::nullopt;
  unsigned code = 0;
  for (const char c : *text) {
    if (c < '0' || c > '9') return std::nullopt;
    code = code * 10 + static_cast<unsigned>(c - '0');
  }
  return code;
}

}  // namespace holdfast::answer
