#include "settings/key_forms.h"

#include <limits>

#include "settings/keys.h"

namespace holdfast::settings {

Value<milliseconds> time(milliseconds least, milliseconds most) {
  return scalar([least, most](std::string_view text) { return parse_time(text, least, most); });
}

Value<std::uint64_t> size(std::uint64_t least, std::uint64_t most) {
  return scalar([least, most](std::string_view text) { return parse_size(text, least, most); });
}

Value<std::uint64_t> size_or_unlimited() {
  return scalar([](std::string_view text) -> Parsed<std::uint64_t> {
    if (text == "unlimited") return kUnlimited;
    auto bytes = parse_size(text, 0, std::numeric_limits<std::int64_t>::max());
    if (!bytes) bytes.error() += ", or unlimited";
    return bytes;
  });
}

Value<std::string> url() {
  return scalar([](std::string_view text) -> Parsed<std::string> {
    const auto parsed = parse_url(text);
    if (!parsed) return std::unexpected(parsed.error());
    return std::string(text);
  });
}

Value<std::string> algorithm() {
  return scalar([](std::string_view text) -> Parsed<std::string> {
    for (const std::string& known : known_algorithms()) {
      if (known == text) return known;
    }
    return std::unexpected(one_of(known_algorithms()));
  });
}

Value<Audiences> audiences() {
  const auto named = one_or_list(text());
  return {[named](const Node& node, const Place& place, Report& report) -> std::optional<Audiences> {
    if (node.kind == Node::Kind::kScalar && !node.quoted && node.text == "any") return Audiences{true, {}};
    auto read = named.read(node, place, report);
    if (!read) return std::nullopt;
    return Audiences{false, *std::move(read)};
  }};
}

Value<Origin> server_url() {
  return scalar([](std::string_view text) -> Parsed<Origin> {
    // HTTP/2 by prior knowledge: an http URL but for its scheme.
    constexpr std::string_view kH2c = "h2c://";
    if (!text.starts_with(kH2c)) return parse_origin(text);
    auto origin = parse_origin("http://" + std::string(text.substr(kH2c.size())));
    if (origin) origin->scheme = "h2c";
    return origin;
  });
}

Value<std::string> path_pattern() {
  return scalar(parse_path_pattern);
}

Value<std::string> plain_host(std::string expected) {
  return scalar([expected = std::move(expected)](std::string_view text) -> Parsed<std::string> {
    auto host = parse_host_pattern(text);
    if (host && !host->contains('*')) return host;
    return std::unexpected(expected);
  });
}

Value<std::string> field_name(std::string expected) {
  return scalar([expected = std::move(expected)](std::string_view text) -> Parsed<std::string> {
    if (!is_token(text)) return std::unexpected(expected);
    return std::string(text);
  });
}

Value<std::string> header_name() {
  return {[name = field_name("a header name or off")](const Node& node, const Place& place,
                                                      Report& report) -> std::optional<std::string> {
    return is_off(node) ? std::optional<std::string>("") : name.read(node, place, report);
  }};
}

Value<NonceMode> nonce_mode() {
  return choice<NonceMode>({{"off", NonceMode::kOff}, {"required", NonceMode::kRequired}});
}

}  // namespace holdfast::settings
