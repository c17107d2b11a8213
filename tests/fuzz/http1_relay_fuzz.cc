// The relay as a backend sees it: every request that is taken is encoded anew, and those bytes must decode to
// exactly as many requests with the same method, target, host and body. A difference would be a request
// smuggled.

#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <vector>

#include "http/hop_by_hop.h"
#include "wire/encoder.h"
#include "wire/request_decoder.h"

namespace {

using holdfast::wire::Event;
using holdfast::wire::RequestDecoder;

void check(bool holds) {
  if (!holds) std::abort();
}

struct Message {
  std::string method, target, host, body;
  bool operator==(const Message&) const = default;
};

// Decodes `bytes`; where `out` is given, encodes each message into it as it comes.
std::vector<Message> relay(std::span<const char> bytes, std::string* out) {
  std::vector<Message> messages;
  RequestDecoder decoder;
  holdfast::wire::RequestEncoder encoder;
  std::string unfinished;  // goes out only as a whole, to leave out what was cut off
  for (;;) {
    const auto step = decoder.feed(bytes);
    bytes = bytes.subspan(step.consumed);
    switch (step.event) {
      case Event::kHead: {
        auto head = decoder.take_head();
        if (head.method == "CONNECT") return messages;  // never forwarded
        messages.push_back({std::string(head.method),
                            std::string(head.target),
                            std::string(head.fields.find("host").value_or("")),
                            {}});
        if (out == nullptr) break;
        holdfast::http::remove_hop_by_hop(head.fields);
        check(encoder.head(head, unfinished));
        break;
      }
      case Event::kData:
        messages.back().body.append(step.data.begin(), step.data.end());
        if (out != nullptr) check(encoder.data(step.data, unfinished));
        break;
      case Event::kEnd:
        if (out != nullptr) {
          check(encoder.end(decoder.take_trailers(), unfinished));
          out->append(unfinished);
          unfinished.clear();
        }
        decoder.next();
        break;
      default:
        // The message that was cut off or malformed is not among those that count.
        if (decoder.in_message() && !messages.empty() && !unfinished.empty()) messages.pop_back();
        return messages;
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const char> bytes(reinterpret_cast<const char*>(data), size);
  std::string relayed;
  std::vector<Message> seen = relay(bytes, &relayed);
  const std::vector<Message> again = relay(relayed, nullptr);
  // HTTP/1.0 without Host goes on as HTTP/1.1 with an empty one, which is nothing that we would take
  // ourselves.
  for (const Message& message : seen) {
    if (message.host.empty()) return 0;
  }
  check(again == seen);
  return 0;
}
