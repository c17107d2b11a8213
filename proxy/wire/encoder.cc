#include "wire/encoder.h"

#include <boost/beast/http/status.hpp>
#include <charconv>
#include <utility>

#include "base/ascii.h"
#include "http/websocket.h"
#include "wire/field_syntax.h"
#include "wire/framing.h"

namespace holdfast::wire {
namespace {

using Kind = http::BodyLength::Kind;

constexpr std::string_view kUpgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
constexpr std::size_t kFramingRoom = 128;  // for the fields and the start line that are made here

bool is_sendable(const http::Field& field) {
  return is_token(field.name) && !has_control(field.value);
}

void append_field(std::string_view name, std::string_view value, std::string& out) {
  out.append(name).append(": ").append(value).append("\r\n");
}

void append_number(std::uint64_t number, int base, std::string& out) {
  char digits[20];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, number, base);
  out.append(digits, static_cast<std::size_t>(end - digits));
}

void append_length(std::uint64_t length, std::string& out) {
  out.append("Content-Length: ");
  append_number(length, 10, out);
  out.append("\r\n");
}

bool is_target(std::string_view target) {
  if (has_control(target)) return false;
  return !target.empty() && target.find_first_of(" \t") == std::string_view::npos;
}

// RFC 9113 8.2.3: HTTP/2 may cut Cookie into pieces, and HTTP/1 knows only one. Joined here and not on
// arrival: pieces share their bytes with those of other requests, a joined one would be a copy for each.
void append_cookie(const http::Fields& fields, std::string& out) {
  std::string_view before = "cookie: ";
  for (const http::Field& field : fields) {
    if (!iequals(field.name, "cookie")) continue;
    out.append(before).append(field.value);
    before = "; ";
  }
  out.append("\r\n");
}

std::size_t size_of(const http::Fields& fields) {
  std::size_t size = 0;
  for (const http::Field& field : fields) size += field.name.size() + field.value.size() + 4;
  return size;
}

bool all_sendable(const http::Fields& fields) {
  for (const http::Field& field : fields) {
    if (!is_sendable(field)) return false;
  }
  return true;
}

void append_status_line(std::uint16_t status, std::string& out) {
  out.append("HTTP/1.1 ");
  append_number(status, 10, out);
  out.push_back(' ');
  const auto known = boost::beast::http::int_to_status(status);
  if (known != boost::beast::http::status::unknown) {
    const auto phrase = boost::beast::http::obsolete_reason(known);
    out.append(phrase.data(), phrase.size());
  }
  out.append("\r\n");
}

bool never_has_body(std::uint16_t status) {
  return status < 200 || status == 204 || status == 304;
}

bool is_number(std::string_view text) {
  for (const char c : text) {
    if (!is_digit(c)) return false;
  }
  return !text.empty();
}

}  // namespace

bool BodyEncoder::data(std::span<const char> bytes, std::string& out) {
  if (bytes.empty()) return !ended_;
  if (framing_ == Framing::kChunked) {
    if (ended_) return false;
    append_number(bytes.size(), 16, out);
    out.append("\r\n").append(bytes.data(), bytes.size()).append("\r\n");
    return true;
  }
  if (!sent(bytes.size())) return false;
  out.append(bytes.data(), bytes.size());
  return true;
}

bool BodyEncoder::sent(std::size_t bytes) {
  if (ended_) return bytes == 0;
  if (framing_ == Framing::kLength) {
    if (bytes > left_) return false;
    left_ -= bytes;
    return true;
  }
  return framing_ == Framing::kUntilClose;
}

bool BodyEncoder::end(std::string& out) {
  return end(http::Fields(), out);
}

bool BodyEncoder::end(const http::Fields& trailers, std::string& out) {
  if (ended_) return true;
  if (framing_ == Framing::kLength && left_ != 0) return false;
  if (framing_ == Framing::kChunked) {
    if (!all_sendable(trailers)) return false;
    out.append("0\r\n");
    for (const http::Field& field : trailers) {
      if (!forbidden_in_trailers(field.name)) append_field(field.name, field.value, out);
    }
    out.append("\r\n");
  }
  ended_ = true;
  return true;
}

bool RequestEncoder::head(const http::RequestHead& head, std::string& out) {
  if (!is_token(head.method) || !is_target(head.target) || !all_sendable(head.fields)) return false;
  const std::size_t hosts = head.fields.count("host");
  if (hosts > 1 || has_control(head.authority)) return false;
  out.reserve(out.size() + kFramingRoom + head.method.size() + head.target.size() + head.authority.size() +
              size_of(head.fields));
  out.append(head.method).append(" ").append(head.target).append(" HTTP/1.1\r\n");
  if (hosts == 0) append_field("Host", head.authority, out);
  const bool join_cookies = head.version_major >= 2;
  bool cookie_seen = false;
  for (const http::Field& field : head.fields) {
    if (belongs_to_connection(field.name) || iequals(field.name, "expect")) continue;
    if (!join_cookies || !iequals(field.name, "cookie")) {
      append_field(field.name, field.value, out);
    } else if (!std::exchange(cookie_seen, true)) {
      append_cookie(head.fields, out);
    }
  }
  ended_ = false;
  switch (head.body.kind) {
    case Kind::kNone:
      framing_ = Framing::kNone;
      ended_ = true;
      break;
    case Kind::kKnown:
      framing_ = Framing::kLength;
      left_ = head.body.bytes;
      append_length(left_, out);
      break;
    case Kind::kUnknown:
      framing_ = Framing::kChunked;
      out.append("Transfer-Encoding: chunked\r\n");
      break;
  }
  close_ = has_unexpected_content(head);
  if (close_) out.append("Connection: close\r\n");
  if (http::is_websocket(head)) out.append(kUpgrade);
  out.append("\r\n");
  return true;
}

bool ResponseEncoder::switching(const http::ResponseHead& head, std::string& out) {
  if (head.status != 101 || !all_sendable(head.fields)) return false;
  append_status_line(head.status, out);
  for (const http::Field& field : head.fields) {
    if (!belongs_to_connection(field.name)) append_field(field.name, field.value, out);
  }
  out.append(kUpgrade).append("\r\n");
  framing_ = Framing::kUntilClose;
  close_ = true;
  ended_ = false;
  return true;
}

bool ResponseEncoder::interim(const http::ResponseHead& head, std::string& out) {
  if (head.status < 100 || head.status >= 200 || !all_sendable(head.fields)) return false;
  append_status_line(head.status, out);
  for (const http::Field& field : head.fields) {
    if (!belongs_to_connection(field.name)) append_field(field.name, field.value, out);
  }
  out.append("\r\n");
  return true;
}

bool ResponseEncoder::head(const http::ResponseHead& head, const To& to, std::string& out) {
  if (head.status < 200 || head.status > 999 || !all_sendable(head.fields)) return false;
  out.reserve(out.size() + kFramingRoom + size_of(head.fields));
  append_status_line(head.status, out);
  for (const http::Field& field : head.fields) {
    if (!belongs_to_connection(field.name)) append_field(field.name, field.value, out);
  }
  close_ = head.close || !to.keep_alive;
  ended_ = false;
  left_ = 0;
  if (to.head_request || never_has_body(head.status)) {
    framing_ = Framing::kNone;
    ended_ = true;
    // What a GET would have had (RFC 9110 8.6); never where it could be taken for a body to come.
    const auto length = head.fields.find("content-length");
    if (length && is_number(*length) && head.status >= 200 && head.status != 204) {
      append_field("Content-Length", *length, out);
    }
  } else if (head.body.kind != Kind::kUnknown) {
    framing_ = Framing::kLength;
    left_ = head.body.kind == Kind::kKnown ? head.body.bytes : 0;
    append_length(left_, out);
  } else if (to.version_minor == 0) {
    framing_ = Framing::kUntilClose;
    close_ = true;
  } else {
    framing_ = Framing::kChunked;
    out.append("Transfer-Encoding: chunked\r\n");
  }
  if (close_) {
    out.append("Connection: close\r\n");
  } else if (to.version_minor == 0) {
    out.append("Connection: keep-alive\r\n");
  }
  out.append("\r\n");
  return true;
}

}  // namespace holdfast::wire
