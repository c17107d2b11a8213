// Answers from a hostile backend's bytes: the first byte chooses the request's method; the rest decodes to
// the same in one piece and in pieces, and a whole answer is the same answer to a client.

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "answer.h"
#include "wire/response_decoder.h"

namespace {

using holdfast::fuzz::check;
using holdfast::wire::Event;

std::string decode(std::span<const char> bytes, std::size_t piece, bool head_request) {
  holdfast::wire::ResponseDecoder decoder({.max_head_bytes = 2048, .max_fields = 20});
  decoder.begin(head_request ? "HEAD" : "GET");
  std::string out;
  const auto take = [&](const holdfast::wire::Step& step) {
    switch (step.event) {
      case Event::kInterim:
      case Event::kHead: {
        const auto head = decoder.take_head();
        check(head.status >= 100 && head.status < 1000 && head.status != 101);
        check((step.event == Event::kInterim) == (head.status < 200));
        out.append(std::to_string(head.status)).append(head.close ? "c" : "k");
        for (const auto& field : head.fields) {
          check(!field.value.contains('\n') && !field.value.contains('\r') && !field.value.contains('\0'));
          out.append(field.name).append(field.value);
        }
        return true;
      }
      case Event::kData:
        check(!head_request && !step.data.empty());
        out.append(step.data.begin(), step.data.end());
        return true;
      case Event::kEnd:
        for (const auto& field : decoder.take_trailers()) out.append(field.name).append(field.value);
        out.append("E");
        return false;
      case Event::kFault:
        check(!decoder.fault().empty());
        out.append("F");  // which of two faults is named first may depend on the pieces
        return false;
      case Event::kNeedMore:
        return false;
    }
    return false;
  };
  while (!bytes.empty()) {
    std::span<const char> rest = bytes.first(std::min(piece, bytes.size()));
    bytes = bytes.subspan(rest.size());
    for (;;) {
      const auto step = decoder.feed(rest);
      check(step.consumed <= rest.size() && step.data.size() <= step.consumed);
      rest = rest.subspan(step.consumed);
      if (take(step)) continue;
      if (step.event == Event::kEnd || step.event == Event::kFault) return out;
      check(rest.empty());
      break;
    }
  }
  take(decoder.finish());
  return out;
}

// As a client gets it.
void relay(std::span<const char> bytes, bool head_request) {
  holdfast::wire::ResponseDecoder decoder({.max_head_bytes = 2048, .max_fields = 20});
  decoder.begin(head_request ? "HEAD" : "GET");
  holdfast::http::ResponseHead head;
  std::string body;
  for (;;) {
    const auto step = decoder.feed(bytes);
    bytes = bytes.subspan(step.consumed);
    switch (step.event) {
      case Event::kInterim:
      case Event::kHead:
        head = decoder.take_head();
        break;
      case Event::kData:
        body.append(step.data.begin(), step.data.end());
        break;
      case Event::kFault:
        return;
      case Event::kEnd:
      case Event::kNeedMore:
        if (decoder.finish().event == Event::kEnd) {
          holdfast::fuzz::check_answer(std::move(head), body, decoder.take_trailers(), head_request);
        }
        return;
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const bool head_request = data[0] == 'H';
  const std::span<const char> bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string whole = decode(bytes, size, head_request);
  check(decode(bytes, 1, head_request) == whole);
  check(decode(bytes, 5, head_request) == whole);
  relay(bytes, head_request);
  return 0;
}
