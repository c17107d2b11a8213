#include "wire/field_syntax.h"

#include <array>
#include <cstdint>
#include <cstring>

#include "base/ascii.h"

namespace holdfast::wire {
namespace {

constexpr auto kTokenChars = [] {
  std::array<bool, 256> table{};
  for (unsigned c = 0; c < 128; ++c) table[c] = is_token_char(static_cast<char>(c));
  return table;
}();

constexpr bool is_control(unsigned char c) {
  return (c < 0x20 && c != '\t') || c == 0x7f;
}

constexpr std::uint64_t repeat(unsigned char byte) {
  return 0x0101010101010101ULL * byte;
}

// Not 0: some byte of the word is below 0x20 or is 0x7f. HTAB is among them: the caller looks again.
constexpr std::uint64_t possible_control(std::uint64_t word) {
  const std::uint64_t below = (word - repeat(0x20)) & ~word;
  const std::uint64_t del = word ^ repeat(0x7f);
  return (below | ((del - repeat(0x01)) & ~del)) & repeat(0x80);
}

template <std::size_t N>
bool one_of(std::string_view name, const std::array<std::string_view, N>& names) {
  for (const std::string_view candidate : names) {
    if (iequals(name, candidate)) return true;
  }
  return false;
}

constexpr auto kConnectionFields = std::to_array<std::string_view>(
    {"connection", "content-length", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade"});

constexpr auto kNeverTrailers = std::to_array<std::string_view>(
    {"authorization", "cache-control", "content-encoding", "content-range", "content-type", "cookie", "dpop",
     "expect", "forwarded", "host", "max-forwards", "proxy-authenticate", "proxy-authorization", "range",
     "set-cookie", "te", "trailer", "via", "www-authenticate"});

}  // namespace

bool has_control(std::string_view bytes) {
  constexpr std::size_t kWord = sizeof(std::uint64_t);
  if (bytes.size() >= kWord) {
    std::uint64_t possible = 0;
    const auto look = [&](const char* at) {
      std::uint64_t word = 0;
      std::memcpy(&word, at, kWord);
      possible |= possible_control(word);
    };
    const char* const last = bytes.data() + bytes.size() - kWord;
    for (const char* at = bytes.data(); at < last; at += kWord) look(at);
    look(last);  // may look at some bytes again
    if (possible == 0) return false;
  }
  for (const char c : bytes) {
    if (is_control(static_cast<unsigned char>(c))) return true;
  }
  return false;
}

bool is_token(std::string_view text) {
  for (const char c : text) {
    if (!kTokenChars[static_cast<unsigned char>(c)]) return false;
  }
  return !text.empty();
}

bool belongs_to_connection(std::string_view name) {
  switch (name.size()) {  // most names are none of these lengths
    case 2:
    case 7:
    case 10:
    case 14:
    case 16:
    case 17:
      return one_of(name, kConnectionFields);
    default:
      return false;
  }
}

bool forbidden_in_trailers(std::string_view name) {
  constexpr std::string_view kForwarded = "x-forwarded-";
  return belongs_to_connection(name) || one_of(name, kNeverTrailers) ||
         iequals(name.substr(0, kForwarded.size()), kForwarded);
}

bool is_disguised_framing(std::string_view name) {
  const auto folds_to = [name](std::string_view real) {
    for (std::size_t i = 0; i < name.size(); ++i) {
      const char c = is_alpha(name[i]) || is_digit(name[i]) ? ascii_lower(name[i]) : '-';
      if (c != real[i]) return false;
    }
    return !iequals(name, real);
  };
  if (name.size() == 14) return folds_to("content-length");
  if (name.size() == 17) return folds_to("transfer-encoding");
  return false;
}

bool frames_or_routes(std::string_view name) {
  return iequals(name, "content-length") || iequals(name, "transfer-encoding") || iequals(name, "host") ||
         is_disguised_framing(name);
}

bool read_field_lines(std::string_view lines, http::Fields& fields) {
  while (!lines.empty()) {
    const std::size_t end = lines.find("\r\n");
    if (end == std::string_view::npos) return false;
    const std::string_view line = lines.substr(0, end);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) return false;
    fields.add_view(line.substr(0, colon), trim_ows(line.substr(colon + 1)));
    lines.remove_prefix(end + 2);
  }
  return true;
}

}  // namespace holdfast::wire
