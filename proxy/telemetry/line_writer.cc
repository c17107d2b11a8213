#include "telemetry/line_writer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace holdfast::telemetry {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

// Bytes of the UTF-8 sequence at the front of `text` (RFC 3629 4); 0 where it is none: overlong forms,
// surrogates and code points past U+10FFFF included.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto tail = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xbf) {
    return byte(i) >= low && byte(i) <= high;
  };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return tail(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    return tail(1, first == 0xe0 ? 0xa0 : 0x80, first == 0xed ? 0x9f : 0xbf) && tail(2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    return tail(1, first == 0xf0 ? 0x90 : 0x80, first == 0xf4 ? 0x8f : 0xbf) && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

bool is_plain(char c) {
  return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

void append_number(std::string& out, std::uint64_t value, std::size_t width = 0) {
  std::array<char, 20> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  const auto length = static_cast<std::size_t>(end - digits.data());
  if (length < width) out.append(width - length, '0');
  out.append(digits.data(), length);
}

// A value that text format can show without quotes.
bool is_word(std::string_view text) {
  for (const char c : text) {
    if (!is_plain(c) || c == ' ' || c == '=') return false;
  }
  return true;
}

}  // namespace

void append_json_escaped(std::string& out, std::string_view text) {
  while (!text.empty()) {
    std::size_t plain = 0;
    while (plain < text.size() && is_plain(text[plain])) ++plain;
    out.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) return;

    const char c = text.front();
    const auto byte = static_cast<unsigned char>(c);
    std::size_t taken = 1;
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\u00";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else if (const std::size_t length = utf8_length(text); length > 1) {
      // U+0080 to U+009F are control characters that some terminals obey
      if (length == 2 && byte == 0xc2 && static_cast<unsigned char>(text[1]) < 0xa0) {
        out += "\\u00";
        out += kHex[static_cast<unsigned char>(text[1]) >> 4];
        out += kHex[static_cast<unsigned char>(text[1]) & 15];
      } else {
        out.append(text.substr(0, length));
      }
      taken = length;
    } else {
      out += "\\ufffd";
    }
    text.remove_prefix(taken);
  }
}

void append_time(std::string& out, UnixTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const auto of_day = static_cast<std::uint64_t>((time - day).count());
  append_number(out, static_cast<std::uint64_t>(std::max(0, static_cast<int>(date.year()))), 4);
  out += '-';
  append_number(out, static_cast<unsigned>(date.month()), 2);
  out += '-';
  append_number(out, static_cast<unsigned>(date.day()), 2);
  out += 'T';
  append_number(out, of_day / 3'600'000, 2);
  out += ':';
  append_number(out, of_day / 60'000 % 60, 2);
  out += ':';
  append_number(out, of_day / 1000 % 60, 2);
  out += '.';
  append_number(out, of_day % 1000, 3);
  out += 'Z';
}

LineWriter::LineWriter(std::string& out, Format format, UnixTime time, std::string_view level,
                       std::string_view event)
    : out_(out), format_(format) {
  if (format_ == Format::kJson) {
    out_ += "{\"time\":\"";
    append_time(out_, time);
    out_ += '"';
    text("level", level);
    text("event", event);
  } else {
    append_time(out_, time);
    out_ += ' ';
    append_json_escaped(out_, level);
    out_ += ' ';
    append_json_escaped(out_, event);
  }
}

void LineWriter::name(std::string_view name) {
  if (format_ == Format::kJson) {
    out_ += ",\"";
    append_json_escaped(out_, name);
    out_ += "\":";
  } else {
    out_ += ' ';
    append_json_escaped(out_, name);
    out_ += '=';
  }
}

void LineWriter::text(std::string_view name, std::string_view value) {
  if (format_ == Format::kText) {
    if (value.empty()) return;
    this->name(name);
    if (is_word(value)) {
      out_ += value;
      return;
    }
  } else {
    this->name(name);
    if (value.empty()) {
      out_ += "null";
      return;
    }
  }
  out_ += '"';
  append_json_escaped(out_, value);
  out_ += '"';
}

void LineWriter::count(std::string_view name, std::optional<std::uint64_t> value) {
  if (!value && format_ == Format::kText) return;
  this->name(name);
  if (value) {
    append_number(out_, *value);
  } else {
    out_ += "null";
  }
}

void LineWriter::number(std::string_view name, std::optional<double> value) {
  // JSON has no infinity; and within 2^53 the thousandths still fit an integer
  const bool usable = value && std::isfinite(*value) && std::abs(*value) < 9e15;
  if (!usable && format_ == Format::kText) return;
  this->name(name);
  if (!usable) {
    out_ += "null";
    return;
  }
  const auto thousandths = static_cast<std::uint64_t>(std::llround(std::abs(*value) * 1000));
  if (*value < 0 && thousandths > 0) out_ += '-';
  append_number(out_, thousandths / 1000);
  if (thousandths % 1000 != 0) {
    out_ += '.';
    append_number(out_, thousandths % 1000, 3);
  }
}

void LineWriter::end() {
  out_ += format_ == Format::kJson ? "}\n" : "\n";
}

}  // namespace holdfast::telemetry
