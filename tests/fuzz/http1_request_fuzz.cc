// Requests from hostile bytes: whatever comes, the decoder says the same for the bytes in one piece and in
// pieces, hands out no more than it was given, and what it lets through is free of what another reader could
// see differently.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

#include "wire/request_decoder.h"

namespace {

using holdfast::wire::Event;

void check(bool holds) {
  if (!holds) std::abort();
}

bool is_plain(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

void check_head(const holdfast::http::RequestHead& head) {
  check(!head.method.empty() && is_plain(head.method) && is_plain(head.authority));
  check(head.target.starts_with('/') || head.target == "*" || head.method == "CONNECT");
  check(is_plain(head.target) && !head.target.contains(' ') && !head.target.contains('#'));
  check(head.fields.count("host") <= 1 &&
        head.fields.count("content-length") + head.fields.count("transfer-encoding") <= 1);
  for (const auto& field : head.fields) {
    check(!field.name.empty() && is_plain(field.name) && is_plain(field.value));
    check(!field.name.contains(' ') && !field.name.contains(':'));
  }
}

// A transcript of what came out.
std::string decode(std::span<const char> bytes, std::size_t piece) {
  holdfast::wire::RequestDecoder decoder({.max_head_bytes = 2048, .max_fields = 20, .max_body_bytes = 4096});
  std::string out;
  while (!bytes.empty()) {
    std::span<const char> rest = bytes.first(std::min(piece, bytes.size()));
    bytes = bytes.subspan(rest.size());
    for (bool more = true; more;) {
      const auto step = decoder.feed(rest);
      check(step.consumed <= rest.size() && step.data.size() <= step.consumed);
      rest = rest.subspan(step.consumed);
      switch (step.event) {
        case Event::kHead: {
          const auto head = decoder.take_head();
          check_head(head);
          out.append("H").append(head.method).append(head.target).append(head.authority);
          for (const auto& field : head.fields) out.append(field.name).append(field.value);
          break;
        }
        case Event::kData:
          check(!step.data.empty());
          out.append(step.data.begin(), step.data.end());
          break;
        case Event::kEnd:
          for (const auto& field : decoder.take_trailers()) out.append(field.name).append(field.value);
          out.append("E");
          decoder.next();
          break;
        case Event::kFault:
          check(decoder.fault().status >= 400 && decoder.fault().status < 600);
          return out + "F";  // which of two faults is seen first may depend on the pieces
        case Event::kNeedMore:
          check(rest.empty());
          more = false;
          break;
        case Event::kInterim:
          check(false);
      }
    }
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const char> bytes(reinterpret_cast<const char*>(data), size);
  const std::string whole = decode(bytes, size + 1);
  check(decode(bytes, 1) == whole);
  check(decode(bytes, 7) == whole);
  return 0;
}
