// The closure of a path under thirteen loosening steps: see the header. The closure, and not one fully
// loosened form, because an attacker may bring that form back to an innocent place:
// /public/..%2fadmin/..;/..;/public/x is harmless with ";params" dropped and /admin/... without.
#include "http/path_readings.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "base/ascii.h"
#include "http/target_uri.h"

namespace holdfast::http {
namespace {

constexpr bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}

bool is_triplet(std::string_view path, std::size_t at) {
  return path[at] == '%' && at + 2 < path.size() && hex_value(path[at + 1]) >= 0 &&
         hex_value(path[at + 2]) >= 0;
}

std::string decode(std::string_view path) {
  std::string read;
  read.reserve(path.size());
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (is_triplet(path, i)) {
      read += static_cast<char>(hex_value(path[i + 1]) * 16 + hex_value(path[i + 2]));
      i += 2;
    } else {
      read += path[i];
    }
  }
  return read;
}

// Bytes that stand for one ASCII character where a decoder is lax: UTF-8 longer than it need be (C0 AE, E0 80
// AE, F0 80 80 AE: RFC 3629 3), and the fullwidth forms that Windows brings to ASCII (U+FF01 to U+FF5E). The
// character, or 0; `size` is how many bytes it took.
char lax_character(std::string_view bytes, std::size_t& size) {
  const auto at = [bytes](std::size_t i) {
    return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0U;
  };
  const auto is_tail = [&at](std::size_t i) { return (at(i) & 0xC0U) == 0x80U; };
  const auto low = [&at](std::size_t i) { return (at(i - 1) & 0x01U) << 6U | (at(i) & 0x3FU); };
  if ((at(0) == 0xC0 || at(0) == 0xC1) && is_tail(1)) {
    size = 2;
    return static_cast<char>(low(1));
  }
  if (at(0) == 0xE0 && (at(1) == 0x80 || at(1) == 0x81) && is_tail(2)) {
    size = 3;
    return static_cast<char>(low(2));
  }
  if (at(0) == 0xF0 && at(1) == 0x80 && (at(2) == 0x80 || at(2) == 0x81) && is_tail(3)) {
    size = 4;
    return static_cast<char>(low(3));
  }
  const unsigned wide =
      at(0) == 0xEF && is_tail(1) && is_tail(2) ? (at(1) & 0x3FU) << 6U | (at(2) & 0x3FU) : 0;
  size = 3;
  return wide >= 0xF01 && wide <= 0xF5E ? static_cast<char>(wide - 0xF01 + '!') : '\0';
}

std::string lax_characters_as_ascii(std::string_view path) {
  std::string read;
  read.reserve(path.size());
  while (!path.empty()) {
    std::size_t size = 1;
    const char plain = static_cast<unsigned char>(path[0]) >= 0x80 ? lax_character(path, size) : '\0';
    if (plain == '\0') size = 1;
    read += plain == '\0' ? path[0] : plain;
    path.remove_prefix(size);
  }
  return read;
}

// Parsers of URLs take tabs and line ends out of what they are given (WHATWG URL 4.4, Python's urlsplit).
std::string without_line_bytes(std::string_view path) {
  std::string read(path);
  std::erase_if(read, [](char c) { return c == '\t' || c == '\n' || c == '\r'; });
  return read;
}

std::string backslashes_as_slashes(std::string_view path) {
  std::string read(path);
  std::ranges::replace(read, '\\', '/');
  return read;
}

std::string without_params(std::string_view path) {
  std::string read;
  read.reserve(path.size());
  bool in_params = false;
  for (const char c : path) {
    if (c == '/') in_params = false;
    if (c == ';') in_params = true;
    if (!in_params) read += c;
  }
  return read;
}

std::string slashes_merged(std::string_view path) {
  std::string read(path);
  const auto rest = std::ranges::unique(read, [](char a, char b) { return a == '/' && b == '/'; });
  read.erase(rest.begin(), rest.end());
  return read;
}

// What takes the target for a reference (RFC 3986 4.2), as `new URL(request.url, base)` does, reads
// "//x/admin" as /admin on the host x.
std::string without_authority(std::string_view path) {
  if (!path.starts_with("//")) return std::string(path);
  const std::size_t host = std::min(path.find_first_not_of('/'), path.size());
  return std::string(path.substr(std::min(path.find('/', host), path.size())));
}

// Windows drops dots and spaces at the end of a name. `dots`: these too; else ".. " becomes "..".
std::string names_cut(std::string_view path, std::string_view ends) {
  std::string read;
  read.reserve(path.size());
  for (std::string_view rest = path; !rest.empty();) {
    const std::size_t end = std::min(rest.find('/', 1), rest.size());
    std::string_view segment = rest.substr(0, end);
    rest.remove_prefix(end);
    if (segment != "/." && segment != "/..") {
      segment = segment.substr(0, segment.find_last_not_of(ends) + 1);
    }
    read += segment;
  }
  return read;
}

std::string without_trailing_spaces(std::string_view path) {
  return names_cut(path, " ");
}

std::string without_trailing_dots(std::string_view path) {
  return names_cut(path, ". ");
}

// RFC 3986 5.2.4 as lenient servers have it: ".." at the root stays there.
std::string without_dot_segments(std::string_view path) {
  std::string read;
  read.reserve(path.size());
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/', 1), path.size());
    const std::string_view segment = path.substr(1, end - 1);
    const bool last = end == path.size();
    if (segment == "." || segment == "..") {
      if (segment.size() == 2 && !read.empty()) read.erase(read.rfind('/'));
      if (last) read += '/';
    } else {
      read += path.substr(0, end);
    }
    path.remove_prefix(end);
  }
  return read;
}

// Hex digits of a triplet stay: they have no case to ignore.
std::string lower_case(std::string_view path) {
  std::string read(path);
  for (std::size_t i = 0; i < read.size(); ++i) {
    if (is_triplet(read, i)) {
      i += 2;
    } else {
      read[i] = ascii_lower(read[i]);
    }
  }
  return read;
}

std::string without_trailing_slash(std::string_view path) {
  if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  return std::string(path);
}

// A backend that parses the decoded path again ends it at '?' or '#', one written in C at NUL.
std::string cut(std::string_view path) {
  return std::string(path.substr(0, path.find_first_of(std::string_view("?#\0", 3))));
}

using Step = std::string (*)(std::string_view);
constexpr std::array<Step, 13> kSteps = {decode,
                                         lax_characters_as_ascii,
                                         without_line_bytes,
                                         backslashes_as_slashes,
                                         without_params,
                                         slashes_merged,
                                         without_authority,
                                         cut,
                                         without_trailing_spaces,
                                         without_trailing_dots,
                                         without_dot_segments,
                                         without_trailing_slash,
                                         lower_case};

}  // namespace

bool has_looser_readings(std::string_view path) {
  for (std::size_t i = 0; i < path.size(); ++i) {
    const char c = path[i];
    if (is_upper(c) || c == '%' || c == '\\' || c == ';') return true;
    if ((c == '/' || c == '.') && i + 1 < path.size() && path[i + 1] == '/') return true;
  }
  return path.size() > 1 && (path.ends_with('/') || path.ends_with('.'));
}

PathReadings looser_readings(std::string_view path) {
  PathReadings readings;
  std::vector<std::string>& found = readings.paths;
  found.emplace_back(path);
  std::size_t bytes = path.size();
  for (std::size_t next = 0; next < found.size(); ++next) {
    for (const Step step : kSteps) {
      std::string read = step(found[next]);
      if (read.empty() || read[0] != '/') read.insert(read.begin(), '/');
      if (std::ranges::find(found, read) != found.end()) continue;
      bytes += read.size();
      if (found.size() > kMaxPathReadings || bytes > kMaxPathReadingBytes + path.size()) {
        readings.complete = false;
        found.erase(found.begin());
        return readings;
      }
      found.push_back(std::move(read));
    }
  }
  found.erase(found.begin());
  return readings;
}

std::optional<std::vector<std::string>> readings_before_dots(std::string_view sent) {
  std::vector<std::string> readings;
  for (const std::string& variant :
       {slashes_merged(sent), without_params(sent), slashes_merged(without_params(sent))}) {
    auto normal = normalize_path(variant);
    if (!normal) return std::nullopt;
    if (std::ranges::find(readings, *normal) == readings.end()) readings.push_back(std::move(*normal));
  }
  return readings;
}

std::string fold_path(std::string_view path) {
  std::string folded = lower_case(path);
  while (folded.size() > 1 && folded.ends_with('/')) folded.pop_back();
  return folded;
}

}  // namespace holdfast::http
