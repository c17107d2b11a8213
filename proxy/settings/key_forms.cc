#include "settings/key_forms.h"

#include <limits>

#include "http/origin.h"
#include "settings/keys.h"

namespace holdfast::settings {
namespace {

// What http/origin.h and http/ip_address.h parse, but for the length of names and for what an IPv6 address is
// beyond its characters.
const std::string kOctet = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";
const std::string kIpv4 = kOctet + R"((\.)" + kOctet + "){3}";
const std::string kIpv6 = "[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*";
const std::string kLabel = "[A-Za-z0-9_-]";
// the last label must not be one that some take for a number
const std::string kName =
    '(' + kLabel + R"(+\.)*(([1-9][0-9]*|0[0-9]+)?[A-Za-z_-])" + kLabel + "*|0[A-WYZa-wyz_-]" + kLabel + "*)";
const std::string kHost = '(' + kName + '|' + kIpv4 + R"(|\[)" + kIpv6 + R"(\]))";
const std::string kPort =
    "([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])";
const std::string kHttp = "[Hh][Tt][Tt][Pp][Ss]?";
const std::string kAuthority = "://" + kHost + "(:" + kPort + ")?";

// The normal form of http/target_uri.h: no segment of dots, no %XX that stands for itself; * and ** alone.
std::string path_pattern_pattern() {
  const std::string escape = "%(0[1-9A-F]|1[0-9A-F]|2[0-9A-CF]|3[A-F]|40|5[B-E]|60|7[B-DF]|[89A-F][0-9A-F])";
  const std::string plain = R"([!"$&'()+,0-9:;<=>@A-Z[\\\]^_`a-z{|}~-])";
  const std::string one = '(' + plain + '|' + escape + ')';
  const std::string segment = R"((\*|\.*)" + one + '(' + plain + '|' + escape + R"(|\.)*|\.\.\.+)?)";
  return "(/" + segment + R"()+(/\*\*)?|/\*\*)";
}

}  // namespace

Value<milliseconds> time(milliseconds least, milliseconds most) {
  const std::string range = "a time from " + time_words(least) + " to " + time_words(most);
  auto value =
      scalar([least, most](std::string_view text) { return parse_time(text, least, most); },
             named("time-" + time_words(least) + '-' + time_words(most),
                   text_schema(time_pattern(least, most), range + ", such as 500ms, 10s, 5m or 1h")));
  value.write = [](milliseconds written) { return boost::json::value(time_words(written)); };
  return value;
}

namespace {

Schema size_form(std::uint64_t least, std::uint64_t most, const std::string& word) {
  const std::string range = "a size from " + size_words(least) + " to " + size_words(most);
  return any_of({text_schema(word + size_pattern(least, most), range + ", such as 512, 64KiB or 10MiB"),
                 whole_schema(least, most)});
}

}  // namespace

Value<std::uint64_t> size(std::uint64_t least, std::uint64_t most) {
  auto value = scalar([least, most](std::string_view text) { return parse_size(text, least, most); },
                      size_form(least, most, ""));
  value.write = [](std::uint64_t written) { return boost::json::value(size_words(written)); };
  return value;
}

Value<std::optional<std::uint64_t>> size_or_auto(std::uint64_t least, std::uint64_t most) {
  auto value = scalar(
      [least, most](std::string_view text) -> Parsed<std::optional<std::uint64_t>> {
        if (text == "auto") return std::optional<std::uint64_t>();
        const auto bytes = parse_size(text, least, most);
        if (!bytes) return std::unexpected("auto or " + bytes.error());
        return *bytes;
      },
      size_form(least, most, "auto|"));
  value.write = [](const std::optional<std::uint64_t>& written) {
    return boost::json::value(written ? size_words(*written) : "auto");
  };
  return value;
}

Value<std::uint64_t> size_or_unlimited() {
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
  auto value = scalar(
      [](std::string_view text) -> Parsed<std::uint64_t> {
        if (text == "unlimited") return kUnlimited;
        auto bytes = parse_size(text, 0, kMost);
        if (!bytes) bytes.error() += ", or unlimited";
        return bytes;
      },
      named("size-or-unlimited", size_form(0, kMost, "unlimited|")));
  value.write = [](std::uint64_t written) {
    return boost::json::value(written == kUnlimited ? "unlimited" : size_words(written));
  };
  return value;
}

Value<double> share() {
  Schema form = text_schema(R"(0*100(\.0+)?%|0*[1-9][0-9]?(\.[0-9]+)?%|0+\.[0-9]*[1-9][0-9]*%)",
                            "a share such as 10% or 0.5%, more than 0% and at most 100%");
  form["maxLength"] = kLongestShare;
  auto value = scalar(parse_share, named("share", std::move(form)));
  value.write = [](double written) { return boost::json::value(share_words(written)); };
  return value;
}

Value<Address> address() {
  auto value = scalar(
      parse_address, named("address", text_schema(kHost + ':' + kPort + "|:" + digits_pattern(0, 65535),
                                                  "an address such as :8443, 127.0.0.1:8443 or [::1]:8443")));
  value.write = [](const Address& written) {
    return written.port == 0 ? boost::json::value()
                             : boost::json::value(http::host_and_port(written.host, written.port));
  };
  return value;
}

Value<Cidr> address_range() {
  return scalar(parse_cidr, named("address-range",
                                  text_schema(kIpv4 + "(/([0-9]|[12][0-9]|3[0-2]))?|" + kIpv6 +
                                                  "(/([0-9]|[1-9][0-9]|1[01][0-9]|12[0-8]))?",
                                              "an address range such as 10.0.0.0/8, fd00::/8 or 192.0.2.7")));
}

Value<Origin> origin() {
  return scalar(parse_origin, named("origin", text_schema(kHttp + kAuthority + "/?",
                                                          "an origin such as https://api.example.com")));
}

Value<std::string> page_origin() {
  return scalar(
      [](std::string_view text) -> Parsed<std::string> {
        if (text == kAnyOrigin) return std::string(text);
        // the one knows ws and wss, too, which no page is of; the other has no text
        const auto origin = http::parse_origin(text);
        if (!origin || !parse_origin(text))
          return std::unexpected("an origin such as https://app.example.com, or *");
        return origin->text();
      },
      named("page-origin", text_schema(R"(\*|)" + kHttp + kAuthority + "/?",
                                       "an origin such as https://app.example.com, or *")));
}

Value<std::string> url() {
  return scalar(
      [](std::string_view text) -> Parsed<std::string> {
        const auto parsed = parse_url(text);
        if (!parsed) return std::unexpected(parsed.error());
        return std::string(text);
      },
      named("url", text_schema(kHttp + kAuthority + R"((/[!$%&'()*+,./0-9:;=A-Z[\]_a-z~-]*)?)",
                               "an absolute http or https URL without userinfo, query and fragment")));
}

Value<std::string> algorithm() {
  auto value = scalar(
      [](std::string_view text) -> Parsed<std::string> {
        for (const std::string& known : known_algorithms()) {
          if (known == text) return known;
        }
        return std::unexpected(one_of(known_algorithms()));
      },
      named("algorithm", words_schema(known_algorithms())));
  value.write = write_text;
  return value;
}

Value<Audiences> audiences() {
  const auto named = one_or_list(text());
  return {[named](const Node& node, const Place& place, Report& report) -> std::optional<Audiences> {
            if (node.kind == Node::Kind::kScalar && !node.quoted && node.text == "any")
              return Audiences{true, {}};
            auto read = named.read(node, place, report);
            if (!read) return std::nullopt;
            return Audiences{false, *std::move(read)};
          },
          named.schema};
}

Value<Origin> server_url() {
  return scalar(
      [](std::string_view text) -> Parsed<Origin> {
        // HTTP/2 by prior knowledge: an http URL but for its scheme.
        constexpr std::string_view kH2c = "h2c://";
        if (!text.starts_with(kH2c)) return parse_origin(text);
        auto origin = parse_origin("http://" + std::string(text.substr(kH2c.size())));
        if (origin) origin->scheme = "h2c";
        return origin;
      },
      named("server", text_schema('(' + kHttp + "|h2c)" + kAuthority + "/?",
                                  "an origin such as https://api.example.com or http://127.0.0.1:8000")));
}

Value<std::string> host_pattern() {
  return scalar(parse_host_pattern,
                named("host-pattern", text_schema(kHost + R"(|\*\.)" + kName,
                                                  "a host such as api.example.com or *.example.com")));
}

Value<std::string> path_pattern() {
  return scalar(
      parse_path_pattern,
      named("path-pattern", dollars_schema(path_pattern_pattern(), "a path pattern such as /v1/orders/**")));
}

Value<std::string> plain_host(std::string expected) {
  const Schema form = text_schema(kHost, expected);
  return scalar(
      [expected = std::move(expected)](std::string_view text) -> Parsed<std::string> {
        auto host = parse_host_pattern(text);
        if (host && !host->contains('*')) return host;
        return std::unexpected(expected);
      },
      form);
}

Value<std::string> field_name(std::string expected) {
  const Schema form = text_schema("[!#$%&'*+.^_`|~0-9A-Za-z-]+", expected);
  auto value = scalar(
      [expected = std::move(expected)](std::string_view text) -> Parsed<std::string> {
        if (!is_token(text)) return std::unexpected(expected);
        return std::string(text);
      },
      form);
  value.write = write_text;
  return value;
}

Value<std::string> header_name() {
  const auto name = field_name("a header name or off");
  return {[name](const Node& node, const Place& place, Report& report) -> std::optional<std::string> {
            return is_off(node) ? std::optional<std::string>("") : name.read(node, place, report);
          },
          any_of({words_schema({"off"}), name.schema}),
          [](const std::string& written) { return boost::json::value(written.empty() ? "off" : written); }};
}

Value<NonceMode> nonce_mode() {
  return choice<NonceMode>({{"off", NonceMode::kOff}, {"required", NonceMode::kRequired}});
}

}  // namespace holdfast::settings
