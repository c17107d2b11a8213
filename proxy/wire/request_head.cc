// Refused here, on top of Beast's grammar and of head_scanner.h:
//   - versions other than 1.0 and 1.1 (505); too many fields (431)
//   - Content-Length and Transfer-Encoding in any but one unmistakable form, see framing.h (400, 501)
//   - names like Content_Length, which CGI-like servers fold into the real one (400)
//   - targets that are not `/path`, an absolute http or https URI, `*` for OPTIONS or host:port for CONNECT;
//   any byte in
//     them outside 0x21-0x7E; a fragment; userinfo
//   - no Host in HTTP/1.1, two, an empty or odd one, or one that differs from the target's authority
#include "wire/request_head.h"

#include <optional>
#include <string>

#include "base/ascii.h"
#include "http/origin.h"
#include "http/websocket.h"
#include "wire/field_syntax.h"
#include "wire/framing.h"
#include "wire/head_parser.h"

namespace holdfast::wire {
namespace {

Fault malformed(std::string_view why, std::uint16_t status = 400) {
  return {{Reason::request_malformed, std::string(why)}, status};
}

class RequestParser : public HeadParser<true> {
 public:
  RequestParser(http::RequestHead& head, std::size_t max_fields)
      : HeadParser(head.fields, max_fields), head_(head) {}

  [[nodiscard]] bool has_disguised_framing() const { return disguised_; }
  [[nodiscard]] unsigned hosts() const { return hosts_; }
  [[nodiscard]] std::string_view host() const { return host_; }

 private:
  void on_request_impl(beast::http::verb /*verb*/, BeastView method, BeastView target, int version,
                       Error& /*error*/) override {
    head_.method = view(method);
    head_.target = view(target);
    set_version(version);
    head_.version_minor = static_cast<std::uint8_t>(version_minor());
  }
  void on_field_impl(beast::http::field name, BeastView name_text, BeastView value, Error& error) override {
    using beast::http::field;
    const std::string_view text = view(value);
    if (!add(name, name_text, text, error)) return;
    switch (name) {
      case field::host:
        ++hosts_;
        host_ = text;
        break;
      case field::expect:
        head_.expect_continue = head_.version_minor == 1 && iequals(text, "100-continue");
        break;
      case field::content_length:
      case field::transfer_encoding:
        break;
      default:
        disguised_ = disguised_ || is_disguised_framing(view(name_text));
        break;
    }
  }

  http::RequestHead& head_;
  bool disguised_ = false;
  unsigned hosts_ = 0;
  std::string_view host_;
};

// HTTP-version = "HTTP/" DIGIT "." DIGIT, well-formed but not one of ours: what deserves 505 and not 400.
bool ends_in_other_version(std::string_view head) {
  const std::string_view line = head.substr(0, head.find('\r'));
  if (line.size() < 9) return false;
  const std::string_view version = line.substr(line.size() - 9);
  return version.starts_with(" HTTP/") && is_digit(version[6]) && version[7] == '.' && is_digit(version[8]) &&
         version != " HTTP/1.0" && version != " HTTP/1.1";
}

Fault beast_fault(const beast::error_code& error, std::string_view bytes) {
  if (error == beast::http::error::bad_version && ends_in_other_version(bytes)) {
    return malformed("only HTTP/1.0 and HTTP/1.1 are spoken here", 505);
  }
  // Beast finds the second length before framing.cc does, and names the field only.
  if (error == beast::http::error::bad_transfer_encoding || error == beast::http::error::bad_content_length) {
    return malformed("Content-Length or Transfer-Encoding is malformed, repeated, or beside the other");
  }
  return malformed(error.message());
}

bool is_target_text(std::string_view target) {
  for (const char c : target) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7f || c == '#') return false;
  }
  return !target.empty();
}

// Splits an absolute-form target into scheme, authority and origin form.
bool split_absolute(http::RequestHead& head) {
  const std::string_view uri = head.target;
  const std::size_t colon = uri.find("://");
  if (colon == std::string_view::npos) return false;
  const std::string_view scheme = uri.substr(0, colon);
  head.scheme = iequals(scheme, "https") ? "https" : iequals(scheme, "http") ? "http" : "";
  if (head.scheme.empty()) return false;
  const std::string_view rest = uri.substr(colon + 3);
  const std::size_t path = rest.find_first_of("/?");
  head.authority = rest.substr(0, path);
  if (path == std::string_view::npos) {
    head.target = head.method == "OPTIONS" ? "*" : "/";  // RFC 9112 3.2.4
  } else {
    head.target = rest[path] == '/' ? rest.substr(path)
                                    : head.fields.arena().concat(std::string_view("/"), rest.substr(path));
  }
  return http::parse_authority(head.authority).has_value();
}

bool resolve_target(http::RequestHead& head) {
  if (head.method == "CONNECT") {
    head.authority = head.target;
    head.target = {};
    const auto authority = http::parse_authority(head.authority);
    return authority && authority->port;
  }
  if (head.target.starts_with('/')) return true;
  if (head.target == "*") return head.method == "OPTIONS";
  return split_absolute(head);
}

std::optional<Fault> check_host(http::RequestHead& head, const RequestParser& parser) {
  if (parser.hosts() == 0) {
    if (head.version_minor == 0) return std::nullopt;
    return malformed("HTTP/1.1 without Host");
  }
  if (parser.hosts() > 1) return malformed("more than one Host");
  const auto host = http::parse_authority(parser.host());
  if (!host) return malformed("Host is not a host with an optional port");
  if (head.authority.empty()) {
    head.authority = parser.host();
  } else {
    const auto target = http::parse_authority(head.authority);
    const std::uint16_t port =
        http::default_port(http::parse_scheme(head.scheme).value_or(http::Scheme::http));
    if (target->host != host->host || target->port.value_or(port) != host->port.value_or(port)) {
      return malformed("Host differs from the target's authority");
    }
  }
  return std::nullopt;
}

}  // namespace

bool parse_request_head(std::string_view bytes, std::size_t max_fields, http::RequestHead& head,
                        bool& wants_close, Fault& fault) {
  RequestParser parser(head, max_fields);
  beast::error_code error;
  const bool parsed = parser.parse(bytes, error);
  if (parser.too_many_fields()) {
    fault = {{Reason::headers_too_large, "more fields than this listener takes"}, 431};
    return false;
  }
  if (!parsed) {
    fault = beast_fault(error, bytes);
    return false;
  }
  wants_close = !parser.persists();
  if (!is_target_text(head.target) || !resolve_target(head)) {
    fault = malformed("the request-target is not one that this method may have");
    return false;
  }
  if (std::optional<Fault> odd_host = check_host(head, parser)) {
    fault = std::move(*odd_host);
    return false;
  }
  if (parser.has_disguised_framing()) {
    fault = malformed("a field that some servers take for Content-Length or Transfer-Encoding");
    return false;
  }
  const auto body = parser.framing().decide(head.version_minor);
  if (!body) {
    fault = malformed(describe(body.error()), body.error() == FramingFault::kUnknownCoding ? 501 : 400);
    return false;
  }
  head.body = *body;
  // A proxy of that age in front of us may take the content for the next request.
  wants_close = wants_close || (head.version_minor == 0 && has_unexpected_content(head));
  if (http::asks_for_websocket(head)) head.protocol = http::kWebSocket;
  return true;
}

}  // namespace holdfast::wire
