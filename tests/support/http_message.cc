// See http_message.h.
#include "support/http_message.h"

#include <strings.h>

#include <charconv>
#include <stdexcept>

namespace holdfast::support {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::size_t number(std::string_view text, int base) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end == text.data())
    throw std::runtime_error("bad number: " + std::string(text));
  return value;
}

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

std::vector<std::string> Fields::all(std::string_view name) const {
  std::vector<std::string> values;
  for (const auto& [field, value] : list) {
    if (equal_ignoring_case(field, name)) values.push_back(value);
  }
  return values;
}

std::string Fields::value(std::string_view name) const {
  const auto values = all(name);
  return values.empty() ? "" : values.front();
}

Fields parse_fields(std::string_view head) {
  Fields fields;
  for (std::size_t at = head.find("\r\n"); at != std::string_view::npos;) {
    const std::size_t begin = at + 2;
    at = head.find("\r\n", begin);
    if (at == std::string_view::npos || at == begin) break;
    const std::string_view line = head.substr(begin, at - begin);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos)
      throw std::runtime_error("field without colon: " + std::string(line));
    fields.list.emplace_back(line.substr(0, colon), trimmed(line.substr(colon + 1)));
  }
  return fields;
}

void MessageReader::fill(Milliseconds patience) {
  switch (stream_.read_some(buffer_, patience)) {
    case ReadResult::kBytes:
      return;
    case ReadResult::kEnd:
      throw std::runtime_error("stream ended early; so far: " + buffer_.substr(0, 200));
    case ReadResult::kReset:
      throw std::runtime_error("stream reset; so far: " + buffer_.substr(0, 200));
    case ReadResult::kTimeout:
      throw std::runtime_error("nothing came; so far: " + buffer_.substr(0, 200));
  }
}

std::optional<std::string> MessageReader::head(Milliseconds patience) {
  for (;;) {
    if (const std::size_t end = buffer_.find("\r\n\r\n"); end != std::string::npos) {
      std::string head = buffer_.substr(0, end + 4);
      buffer_.erase(0, end + 4);
      return head;
    }
    if (buffer_.empty()) {
      const ReadResult result = stream_.read_some(buffer_, patience);
      if (result == ReadResult::kTimeout) throw std::runtime_error("no head came");
      if (result != ReadResult::kBytes) return std::nullopt;
    } else {
      fill(patience);
    }
  }
}

std::string MessageReader::line(Milliseconds patience) {
  for (;;) {
    if (const std::size_t end = buffer_.find("\r\n"); end != std::string::npos) {
      std::string line = buffer_.substr(0, end);
      buffer_.erase(0, end + 2);
      return line;
    }
    fill(patience);
  }
}

std::string MessageReader::bytes(std::size_t count, Milliseconds patience) {
  while (buffer_.size() < count) fill(patience);
  std::string taken = buffer_.substr(0, count);
  buffer_.erase(0, count);
  return taken;
}

std::string MessageReader::some(Milliseconds patience) {
  if (buffer_.empty() && stream_.read_some(buffer_, patience) == ReadResult::kTimeout) {
    throw std::runtime_error("nothing came");
  }
  return std::exchange(buffer_, {});
}

std::string MessageReader::rest(Milliseconds patience) {
  for (;;) {
    const ReadResult result = stream_.read_some(buffer_, patience);
    if (result == ReadResult::kTimeout) throw std::runtime_error("the peer did not close");
    if (result != ReadResult::kBytes) return std::exchange(buffer_, {});
  }
}

bool MessageReader::closed(Milliseconds patience) {
  if (!buffer_.empty()) return false;
  const ReadResult result = stream_.read_some(buffer_, patience);
  return result == ReadResult::kEnd || result == ReadResult::kReset;
}

std::string MessageReader::chunked(Fields& trailers, Milliseconds patience) {
  std::string body;
  for (;;) {
    const std::size_t size = number(line(patience), 16);
    if (size == 0) break;
    body += bytes(size, patience);
    if (bytes(2, patience) != "\r\n") throw std::runtime_error("chunk without CRLF");
  }
  std::string section = "\r\n";
  for (std::string field = line(patience); !field.empty(); field = line(patience)) section += field + "\r\n";
  trailers = parse_fields(section);
  return body;
}

Response MessageReader::response(bool head_only, Milliseconds patience) {
  Response answer;
  for (;;) {
    const auto raw = head(patience);
    if (!raw) throw std::runtime_error("closed without an answer");
    if (raw->size() < 12 || raw->compare(0, 5, "HTTP/") != 0)
      throw std::runtime_error("no status line: " + *raw);
    answer.head = *raw;
    answer.version = raw->substr(0, 8);
    answer.status = static_cast<int>(number(raw->substr(9, 3), 10));
    answer.fields = parse_fields(*raw);
    if (answer.status >= 200 || answer.status == 101) break;
    answer.interim.push_back(answer.status);
  }
  const auto lengths = answer.fields.all("Content-Length");
  answer.chunked = answer.fields.has("Transfer-Encoding");
  if (answer.chunked && !lengths.empty()) throw std::runtime_error("both lengths in an answer");
  if (head_only || answer.status == 204 || answer.status == 304 || answer.status == 101) return answer;
  if (answer.chunked) {
    answer.body = chunked(answer.trailers, patience);
  } else if (!lengths.empty()) {
    answer.body = bytes(number(lengths.front(), 10), patience);
  } else {
    answer.body = rest(patience);
  }
  return answer;
}

}  // namespace holdfast::support
