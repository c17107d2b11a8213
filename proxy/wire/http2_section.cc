#include "wire/http2_section.h"

#include <optional>
#include <string>
#include <utility>

#include "base/ascii.h"
#include "http/origin.h"
#include "wire/field_syntax.h"
#include "wire/framing.h"

namespace holdfast::wire {
namespace {

using Kind = http::BodyLength::Kind;

constexpr std::size_t kFieldOverhead = 4;  // what ": " and CRLF cost the same field in HTTP/1
constexpr std::size_t kFarBeyond = 4;      // times a limit
constexpr std::size_t kWorthSharing = 16;  // shorter ones cost less copied than remembered

bool fail(Fault& fault, std::string_view why, std::uint16_t status = 400) {
  fault = {{Reason::request_malformed, std::string(why)}, status};
  return false;
}

bool too_large(Fault& fault, std::string_view why) {
  fault = {{Reason::headers_too_large, std::string(why)}, 431};
  return false;
}

// Not checked by libnghttp2's own enforcement alone: it is a library's default and not the house's promise.
bool is_field(const http::Field& field) {
  for (const char c : field.name) {
    if (c >= 'A' && c <= 'Z') return false;
  }
  return is_token(field.name) && !has_control(field.value) &&
         trim_ows(field.value).size() == field.value.size();
}

bool is_path_text(std::string_view path) {
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7f || c == '#') return false;
  }
  return !path.empty();
}

// RFC 9113 8.2.2. Content-Length is not among them; TE may ask for trailers.
bool is_connection_field(const http::Field& field) {
  if (field.name == "te") return !iequals(field.value, "trailers");
  return field.name != "content-length" && belongs_to_connection(field.name);
}

struct Gathered {
  FramingFields framing;
  std::optional<std::string_view> host;
};

bool gather(const http::Fields& fields, http::RequestHead& head, Gathered& found, Fault& fault) {
  for (const http::Field& field : fields) {
    if (!is_field(field)) return fail(fault, "a field's name or value is malformed");
    if (is_connection_field(field)) return fail(fault, "a field of HTTP/1 connections");
    if (is_disguised_framing(field.name)) {
      return fail(fault, "a field that some servers take for Content-Length or Transfer-Encoding");
    }
    if (field.name == "content-length") {
      found.framing.content_length(field.value);
    } else if (field.name == "host") {
      if (found.host) return fail(fault, "more than one Host");
      found.host = field.value;
    } else if (field.name == "expect") {
      head.expect_continue = iequals(field.value, "100-continue");
    } else if (field.name == "te") {
      head.accepts_trailers = true;
    }
  }
  return true;
}

bool resolve_authority(http::RequestHead& head, const Gathered& found, Fault& fault) {
  if (head.authority.empty()) {
    if (!found.host) return fail(fault, "neither :authority nor Host");
    head.authority = *found.host;
  }
  const auto authority = http::parse_authority(head.authority);
  if (!authority) return fail(fault, ":authority is not a host with an optional port");
  if (!found.host) {
    head.fields.add_view("host", head.authority);
    return true;
  }
  const auto host = http::parse_authority(*found.host);
  if (!host) return fail(fault, "Host is not a host with an optional port");
  const std::uint16_t port = http::default_port(http::parse_scheme(head.scheme).value_or(http::Scheme::http));
  if (host->host != authority->host || host->port.value_or(port) != authority->port.value_or(port)) {
    return fail(fault, "Host differs from :authority");
  }
  return true;
}

bool resolve_target(http::RequestHead& head, Fault& fault) {
  if (head.method == "CONNECT" && head.protocol.empty()) {
    if (!head.target.empty() || !head.scheme.empty()) return fail(fault, "CONNECT with :path or :scheme");
    const auto authority = http::parse_authority(head.authority);
    if (!authority || !authority->port) return fail(fault, "CONNECT without a port in :authority");
    return true;
  }
  if (!head.protocol.empty() && (head.method != "CONNECT" || !is_token(head.protocol))) {
    return fail(fault, ":protocol outside an extended CONNECT");
  }
  if (head.scheme != "http" && head.scheme != "https") return fail(fault, ":scheme is not http or https");
  const bool asterisk = head.target == "*" && head.method == "OPTIONS";
  if (!asterisk && (!head.target.starts_with('/') || !is_path_text(head.target))) {
    return fail(fault, ":path is not one that this method may have");
  }
  return true;
}

bool resolve_body(http::RequestHead& head, const Gathered& found, bool ended, const Http2Limits& limits,
                  Fault& fault) {
  const auto length = found.framing.decide(1);
  if (!length) return fail(fault, describe(length.error()));
  head.body = *length;
  const bool known = head.body.kind == Kind::kKnown;
  if (head.method == "CONNECT" && known) return fail(fault, "CONNECT with Content-Length");
  if (ended && head.body.bytes != 0) return fail(fault, "Content-Length differs from the body's length");
  if (!ended && !known) head.body.kind = Kind::kUnknown;
  if (head.body.bytes > limits.max_body_bytes) {
    fault = {{Reason::request_too_large, "the body is larger than this server takes"}, 413};
    return false;
  }
  return true;
}

std::string_view view(nghttp2_rcbuf* buffer) {
  const nghttp2_vec bytes = nghttp2_rcbuf_get_buf(buffer);
  return {reinterpret_cast<const char*>(bytes.base), bytes.len};
}

// The same bytes for as long as the arena lives.
std::string_view keep(nghttp2_rcbuf* buffer, Arena& arena) {
  const std::string_view text = view(buffer);
  if (nghttp2_rcbuf_is_static(buffer) != 0) return text;
  if (text.size() < kWorthSharing) return arena.store(text);
  nghttp2_rcbuf_incref(buffer);
  arena.keep(buffer, [](void* shared) { nghttp2_rcbuf_decref(static_cast<nghttp2_rcbuf*>(shared)); });
  return text;
}

}  // namespace

bool Http2Section::add(nghttp2_rcbuf* name_buffer, nghttp2_rcbuf* value_buffer, const Http2Limits& limits) {
  const std::string_view name = view(name_buffer);
  const std::string_view value = view(value_buffer);
  bytes += name.size() + value.size() + kFieldOverhead;
  const bool pseudo = name.starts_with(':');
  // Browsers cut Cookie into as many fields as there are cookies (RFC 9113 8.2.3): one, as over HTTP/1.
  if (!pseudo && !(name == "cookie" && std::exchange(has_cookie, true))) ++count;
  if (bytes > limits.max_head_bytes || count > limits.max_fields) {
    too_large = true;
    return bytes / kFarBeyond <= limits.max_head_bytes && count / kFarBeyond <= limits.max_fields;
  }
  if (!pseudo) {
    fields.add_view(keep(name_buffer, fields.arena()), keep(value_buffer, fields.arena()));
    return true;
  }
  std::string_view* const place = name == ":method"      ? &method
                                  : name == ":scheme"    ? &scheme
                                  : name == ":authority" ? &authority
                                  : name == ":path"      ? &path
                                  : name == ":protocol"  ? &protocol
                                  : name == ":status"    ? &status
                                                         : nullptr;
  if (place == nullptr || !place->empty() || value.empty() || count != 0) {
    odd_pseudo = true;
  } else {
    *place = keep(value_buffer, fields.arena());
  }
  return true;
}

bool make_request_head(Http2Section section, bool ended, const Http2Limits& limits, http::RequestHead& head,
                       Fault& fault) {
  head.method = section.method;
  head.target = section.path;
  head.authority = section.authority;
  head.scheme = section.scheme;
  head.protocol = section.protocol;
  head.version_major = 2;
  head.version_minor = 0;
  head.fields = std::move(section.fields);
  if (section.too_large) return too_large(fault, "more or longer fields than this listener takes");
  if (section.odd_pseudo || !section.status.empty())
    return fail(fault, "a pseudo-header field is out of place");
  if (!is_token(head.method)) return fail(fault, ":method is malformed");
  Gathered found;
  if (!gather(head.fields, head, found, fault) || !resolve_authority(head, found, fault) ||
      !resolve_target(head, fault) || !resolve_body(head, found, ended, limits, fault)) {
    return false;
  }
  return true;
}

bool make_trailers(Http2Section section, http::Fields& trailers, Fault& fault) {
  trailers = std::move(section.fields);
  if (section.too_large) return too_large(fault, "more or longer trailers than this listener takes");
  const bool pseudo = section.odd_pseudo || !section.method.empty() || !section.scheme.empty() ||
                      !section.authority.empty() || !section.path.empty() || !section.protocol.empty() ||
                      !section.status.empty();
  if (pseudo) return fail(fault, "a pseudo-header field among the trailers");
  for (const http::Field& field : trailers) {
    if (!is_field(field)) return fail(fault, "a trailer's name or value is malformed");
    if (is_connection_field(field)) return fail(fault, "a field of HTTP/1 connections among the trailers");
    if (frames_or_routes(field.name)) return fail(fault, "a trailer that frames or routes");
  }
  return true;
}

std::string_view make_response_head(Http2Section section, bool ended, bool head_request,
                                    http::ResponseHead& head) {
  if (section.too_large) return "too many or too long fields";
  const bool request_pseudo = !section.method.empty() || !section.scheme.empty() ||
                              !section.authority.empty() || !section.path.empty() ||
                              !section.protocol.empty();
  if (section.odd_pseudo || request_pseudo) return "a pseudo-header field is out of place";
  const std::string_view status = section.status;
  if (status.size() != 3 || !is_digit(status[0]) || !is_digit(status[1]) || !is_digit(status[2]) ||
      status[0] == '0') {
    return "the status is not three digits";
  }
  head.status =
      static_cast<std::uint16_t>((status[0] - '0') * 100 + (status[1] - '0') * 10 + (status[2] - '0'));
  if (head.status == 101) return "101 does not exist in HTTP/2";  // RFC 9113 8.6
  FramingFields framing;
  for (const http::Field& field : section.fields) {
    if (!is_field(field)) return "a field's name or value is malformed";
    if (is_connection_field(field)) return "a field of HTTP/1 connections";
    if (field.name == "content-length") framing.content_length(field.value);
  }
  const auto length = framing.decide(1);
  if (!length) return describe(length.error());
  const bool bodiless = head_request || head.status < 200 || head.status == 204 || head.status == 304;
  if (head.status < 200 && ended) return "the stream ended with an interim head";
  if (!bodiless) {
    head.body = *length;
    if (ended && head.body.bytes != 0) return "Content-Length differs from the body's length";
    if (!ended && head.body.kind == Kind::kNone) head.body.kind = Kind::kUnknown;
  }
  head.fields = std::move(section.fields);
  return {};
}

}  // namespace holdfast::wire
