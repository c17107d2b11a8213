// HTTP/1 messages as a test sees them: a lenient reader of well-formed answers, with every field kept in
// order and as it came. It checks framing (RFC 9112 6) because a proxy under test may get that wrong, and
// throws where it is broken.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/socket.h"

namespace holdfast::support {

struct Fields {
  std::vector<std::pair<std::string, std::string>> list;

  [[nodiscard]] std::vector<std::string> all(std::string_view name) const;
  // The value of the first field of that name, case-insensitively, or "".
  [[nodiscard]] std::string value(std::string_view name) const;
  [[nodiscard]] bool has(std::string_view name) const { return !all(name).empty(); }
};

struct Response {
  int status = 0;
  std::string version;
  std::string head;  // raw, up to and with the empty line
  Fields fields;
  std::string body;
  Fields trailers;
  std::vector<int> interim;  // 1xx statuses that came before
  bool chunked = false;
};

// Reads from one stream and keeps what is left over between messages (pipelining).
class MessageReader {
 public:
  explicit MessageReader(Stream& stream) : stream_(stream) {}

  // A whole response. Throws on broken framing, timeout or an early end; `head_only` for answers to HEAD.
  Response response(bool head_only = false, Milliseconds patience = kPatience);
  // The raw head (with its empty line) of the next message; nullopt at a clean end before its first byte.
  std::optional<std::string> head(Milliseconds patience = kPatience);
  // The next line without its CRLF.
  std::string line(Milliseconds patience = kPatience);
  std::string bytes(std::size_t count, Milliseconds patience = kPatience);
  // What has arrived, waiting for the first byte only; empty at the end of the stream.
  std::string some(Milliseconds patience = kPatience);
  std::string rest(Milliseconds patience = kPatience);
  // True if the peer closes (or resets) with nothing more to read.
  bool closed(Milliseconds patience = kPatience);
  // A chunked body with its trailers, after the head.
  std::string chunked(Fields& trailers, Milliseconds patience = kPatience);

 private:
  void fill(Milliseconds patience);

  Stream& stream_;
  std::string buffer_;
};

[[nodiscard]] Fields parse_fields(std::string_view head);
[[nodiscard]] bool equal_ignoring_case(std::string_view a, std::string_view b);

}  // namespace holdfast::support
