// The closure of a path under eight loosening steps: see the header. The closure, and not one fully loosened
// form, because an attacker may bring that form back to an innocent place:
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
constexpr std::array<Step, 8> kSteps = {
    decode, backslashes_as_slashes, without_params,         slashes_merged,
    cut,    without_dot_segments,   without_trailing_slash, lower_case};

}  // namespace

bool has_looser_readings(std::string_view path) {
  for (std::size_t i = 0; i < path.size(); ++i) {
    const char c = path[i];
    if (is_upper(c) || c == '%' || c == '\\' || c == ';') return true;
    if (c == '/' && i + 1 < path.size() && path[i + 1] == '/') return true;
  }
  return path.size() > 1 && path.ends_with('/');
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
