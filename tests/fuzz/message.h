// One message, and two readers of HTTP/1 that have to find the same ones in what Holdfast writes: its own
// decoder, and one that is as lax as the laxest backend. What they read differently would be a request
// smuggled.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ascii.h"
#include "http/message.h"
#include "wire/request_decoder.h"

namespace holdfast::fuzz {

inline void check(bool holds) {
  if (!holds) std::abort();
}

struct Message {
  std::string method, target, host, body;
  bool operator==(const Message&) const = default;
};

inline Message message_of(const http::RequestHead& head) {
  return {std::string(head.method),
          std::string(head.target),
          std::string(head.fields.find("host").value_or(head.authority)),
          {}};
}

// Whole messages only; `rest` is what the first that is not whole begins with.
inline std::vector<Message> read_strictly(std::string_view bytes, std::string_view& rest) {
  std::vector<Message> messages;
  wire::RequestDecoder decoder;
  Message message;
  rest = bytes;
  for (;;) {
    const wire::Step step = decoder.feed(bytes);
    bytes.remove_prefix(step.consumed);
    switch (step.event) {
      case wire::Event::kHead:
        message = message_of(decoder.take_head());
        break;
      case wire::Event::kData:
        message.body.append(step.data.begin(), step.data.end());
        break;
      case wire::Event::kEnd:
        messages.push_back(std::move(message));
        decoder.next();
        rest = bytes;
        break;
      default:
        return messages;
    }
  }
}

// Ends lines at CR, LF or both, takes white space for a separator anywhere, unfolds, folds names as CGI does,
// ends values at NUL, takes the last of several lengths and any coding that holds "chunked", reads numbers as
// strtoull does, and takes Host from trailers too.
class LaxReader {
 public:
  explicit LaxReader(std::string_view bytes) : rest_(bytes) {}

  // The next message; nothing where the rest is not a whole one.
  [[nodiscard]] std::optional<Message> next() {
    std::string_view line;
    do {
      if (!take_line(line)) return std::nullopt;
    } while (line.empty());
    Message message;
    length_ = 0;
    chunked_ = false;
    message.method = take_word(line);
    message.target = take_word(line);
    if (!take_fields(message) || !take_body(message)) return std::nullopt;
    return message;
  }
  [[nodiscard]] std::string_view rest() const { return rest_; }

 private:
  bool take_line(std::string_view& line) {
    const std::size_t end = rest_.find_first_of("\r\n");
    if (end == std::string_view::npos) return false;
    line = rest_.substr(0, end);
    rest_.remove_prefix(rest_.substr(end).starts_with("\r\n") ? end + 2 : end + 1);
    return true;
  }

  static std::string take_word(std::string_view& line) {
    line.remove_prefix(std::min(line.find_first_not_of(" \t\v\f"), line.size()));
    const std::string_view word = line.substr(0, line.find_first_of(" \t\v\f"));
    line.remove_prefix(word.size());
    return std::string(word);
  }

  bool take_fields(Message& message) {
    std::string name;
    std::string value;
    for (std::string_view line;;) {
      if (!take_line(line)) return false;
      if (!line.empty() && (line[0] == ' ' || line[0] == '\t')) {
        value.append(line);
        continue;
      }
      use_field(name, value, message);
      if (line.empty()) return true;
      const std::size_t colon = std::min(line.find(':'), line.size());
      name.clear();
      for (const char c : trim_ows(line.substr(0, colon))) {
        name += is_alpha(c) || is_digit(c) ? ascii_lower(c) : '-';
      }
      value = line.substr(std::min(colon + 1, line.size()));
      value.resize(std::min(value.find('\0'), value.size()));
    }
  }

  void use_field(std::string_view name, std::string_view value, Message& message) {
    value = trim_ows(value);
    if (name == "host") message.host = value;
    if (name == "content-length") length_ = std::strtoull(std::string(value).c_str(), nullptr, 10);
    if (name == "transfer-encoding") chunked_ = chunked_ || to_lower(value).contains("chunked");
  }

  bool take(std::size_t size, std::string& body) {
    if (size > rest_.size()) return false;
    body.append(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return true;
  }

  bool take_body(Message& message) {
    if (!chunked_) return take(length_, message.body);
    for (std::string_view line;;) {
      if (!take_line(line)) return false;
      const std::size_t size = std::strtoull(std::string(line).c_str(), nullptr, 16);
      if (size == 0) return take_fields(message);
      if (!take(size, message.body) || !take_line(line)) return false;
    }
  }

  std::string_view rest_;
  std::size_t length_ = 0;
  bool chunked_ = false;
};

// `bytes`, which were written for a backend, are exactly these messages to both.
inline void check_same_to_both(std::string_view bytes, const std::vector<Message>& messages) {
  std::string_view rest;
  check(read_strictly(bytes, rest) == messages && rest.empty());
  LaxReader lax(bytes);
  for (const Message& message : messages) check(lax.next() == message);
  check(lax.rest().empty());
}

}  // namespace holdfast::fuzz
