// The normal form: see the header.
#include "http/target_uri.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/ascii.h"
#include "http/origin.h"

namespace holdfast::http {
namespace {

enum class ByteClass : std::uint8_t { plain, slash, percent, question, fragment, forbidden };

constexpr std::array<ByteClass, 256> kClasses = [] {
  std::array<ByteClass, 256> classes{};
  for (std::size_t byte = 0; byte < classes.size(); ++byte) {
    classes[byte] = byte > 0x20 && byte < 0x7F ? ByteClass::plain : ByteClass::forbidden;
  }
  classes['/'] = ByteClass::slash;
  classes['%'] = ByteClass::percent;
  classes['?'] = ByteClass::question;
  classes['#'] = ByteClass::fragment;
  return classes;
}();

constexpr ByteClass class_of(char c) {
  return kClasses[static_cast<unsigned char>(c)];
}

// RFC 3986 2.3
constexpr bool is_unreserved(char c) {
  return is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

// The byte that "%XX" at the beginning of `text` stands for; -1 if it is no such triplet.
constexpr int decode_triplet(std::string_view text) {
  if (text.size() < 3) return -1;
  const int high = hex_value(text[1]);
  const int low = hex_value(text[2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

constexpr bool is_upper_hex(char c) {
  return is_digit(c) || (c >= 'A' && c <= 'F');
}
constexpr char to_upper_hex(char c) {
  return c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
}

// Does `rest`, what follows a '/', begin with a segment "." or ".."?
constexpr bool begins_with_dot_segment(std::string_view rest) {
  if (rest.empty() || rest[0] != '.') return false;
  rest.remove_prefix(rest.size() > 1 && rest[1] == '.' ? 2 : 1);
  return rest.empty() || rest[0] == '/' || rest[0] == '?';
}

struct PathScan {
  std::size_t end = 0;  // where the path ends: at '?' or at the end
  bool normal = true;
};

Checked<PathScan> scan_path(std::string_view target) {
  PathScan scan;
  std::size_t i = 0;
  for (; i < target.size(); ++i) {
    switch (class_of(target[i])) {
      case ByteClass::plain:
        continue;
      case ByteClass::slash:
        if (begins_with_dot_segment(target.substr(i + 1))) scan.normal = false;
        continue;
      case ByteClass::percent: {
        const int byte = decode_triplet(target.substr(i));
        if (byte < 0) return refuse(Reason::request_malformed, "the path has a % without two hex digits");
        // A NUL ends the path for a backend in C, and not for us.
        if (byte == 0) return refuse(Reason::request_malformed, "the path has a %00");
        if (is_unreserved(static_cast<char>(byte)) || !is_upper_hex(target[i + 1]) ||
            !is_upper_hex(target[i + 2])) {
          scan.normal = false;
        }
        i += 2;
        continue;
      }
      case ByteClass::question:
        break;
      case ByteClass::fragment:
        return refuse(Reason::request_malformed, "the request target has a fragment");
      case ByteClass::forbidden:
        return refuse(Reason::request_malformed, "the path has a space, control or 8-bit byte");
    }
    break;
  }
  scan.end = i;
  return scan;
}

// Writes the normal form of a scanned path, which is never longer, and returns its length; nothing if it
// climbs.
std::optional<std::size_t> write_normal(std::string_view path, char* out) {
  std::size_t length = 0;
  for (std::size_t i = 0; i < path.size();) {
    const std::size_t slash = length;
    out[length++] = '/';
    ++i;
    while (i < path.size() && path[i] != '/') {
      if (path[i] != '%') {
        out[length++] = path[i++];
        continue;
      }
      const auto byte = static_cast<char>(decode_triplet(path.substr(i)));
      if (is_unreserved(byte)) {
        out[length++] = byte;
      } else {
        out[length++] = '%';
        out[length++] = to_upper_hex(path[i + 1]);
        out[length++] = to_upper_hex(path[i + 2]);
      }
      i += 3;
    }
    // RFC 3986 5.2.4, after decoding, since "%2e" is a dot. It would drop a ".." at the root; whoever sends
    // one means harm, so it refuses here.
    const std::string_view segment(out + slash + 1, length - slash - 1);
    if (segment != "." && segment != "..") continue;
    length = slash;
    if (segment.size() == 2) {
      if (length == 0) return std::nullopt;
      do {
        --length;
      } while (out[length] != '/');
    }
    if (i == path.size()) out[length++] = '/';
  }
  return length;
}

// "%XX" of unreserved characters decoded in a registered name; other triplets stay and parse_authority
// refuses them.
std::string decode_unreserved(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int byte = text[i] == '%' ? decode_triplet(text.substr(i)) : -1;
    if (byte >= 0 && is_unreserved(static_cast<char>(byte))) {
      decoded += static_cast<char>(byte);
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

}  // namespace

Checked<Target> normalize_target(std::string_view target, Arena& arena) {
  if (!target.empty() && target[0] != '/' && target[0] != '?') {
    return refuse(Reason::request_malformed, "the request target does not begin with /");
  }
  const auto scan = scan_path(target);
  if (!scan) return std::unexpected(scan.error());
  const std::string_view path = target.substr(0, scan->end);
  const std::string_view query = target.substr(scan->end);
  for (const char c : query) {
    if (class_of(c) == ByteClass::fragment) {
      return refuse(Reason::request_malformed, "the request target has a fragment");
    }
    // A space would end the target in the request line that the backend gets.
    if (class_of(c) == ByteClass::forbidden) {
      return refuse(Reason::request_malformed, "the query has a space, control or 8-bit byte");
    }
  }
  if (path.empty()) return Target{"/", query};
  if (scan->normal) return Target{path, query};
  char* const out = arena.allocate(path.size());
  const auto length = write_normal(path, out);
  if (!length) return refuse(Reason::request_malformed, "the path climbs above the root");
  return Target{{out, *length}, query};
}

Checked<std::string> normalize_path(std::string_view path) {
  Arena arena;
  const auto target = normalize_target(path, arena);
  if (!target) return std::unexpected(target.error());
  if (!target->query.empty()) return refuse(Reason::request_malformed, "the path has a query");
  return std::string(target->path);
}

std::optional<std::string> normalize_absolute_uri(std::string_view uri) {
  if (!std::ranges::all_of(uri, [](char c) { return class_of(c) != ByteClass::forbidden; }))
    return std::nullopt;
  const std::size_t colon = uri.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto scheme = parse_scheme(uri.substr(0, colon));
  uri.remove_prefix(colon + 1);
  if (!scheme || !uri.starts_with("//")) return std::nullopt;
  uri.remove_prefix(2);
  const std::size_t authority_end = std::min(uri.find_first_of("/?#"), uri.size());
  std::string_view authority_text = uri.substr(0, authority_end);
  // RFC 3986 6.2.3: an empty port is the default one.
  if (authority_text.ends_with(':')) authority_text.remove_suffix(1);
  const auto authority = authority_text.contains('%') ? parse_authority(decode_unreserved(authority_text))
                                                      : parse_authority(authority_text);
  if (!authority) return std::nullopt;
  uri.remove_prefix(authority_end);
  const auto path = normalize_path(uri.substr(0, uri.find_first_of("?#")));
  if (!path) return std::nullopt;
  return Origin(*scheme, *authority).text() + *path;
}

}  // namespace holdfast::http
