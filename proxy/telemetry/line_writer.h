// Writes one log line, as a JSON object (RFC 8259) or as text (`time level event name=value ...`), from bytes
// that may be hostile: invalid UTF-8 becomes U+FFFD, control characters are escaped, so that no client can
// forge a line or break the parser of whoever reads the log. Pure; one thread at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace holdfast::telemetry {

enum class Format : std::uint8_t { kJson, kText };

// The inside of a JSON string: quotes are the caller's.
void append_json_escaped(std::string& out, std::string_view text);

// RFC 3339 in UTC with milliseconds.
void append_time(std::string& out, UnixTime time);

class LineWriter {
 public:
  // Appends to `out`. Begin with `time`, `level` and `event`, which every line has.
  LineWriter(std::string& out, Format format, UnixTime time, std::string_view level, std::string_view event);

  // Absent text (empty) is null in JSON and left out in text.
  void text(std::string_view name, std::string_view value);
  void count(std::string_view name, std::optional<std::uint64_t> value);
  // Three decimals.
  void number(std::string_view name, std::optional<double> value);

  // Ends the line, newline included. Once.
  void end();

 private:
  void name(std::string_view name);

  std::string& out_;
  Format format_;
};

}  // namespace holdfast::telemetry
