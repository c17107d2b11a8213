// The relay as backends see it: every request that is taken goes through the story and is encoded anew, and
// what is written must be exactly as many requests with the same method, target, host and body, to a strict
// reader and to a lax one, over HTTP/1 and over HTTP/2. A difference would be a request smuggled.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "forwarding.h"
#include "http2_hop.h"
#include "message.h"
#include "wire/encoder.h"
#include "wire/request_decoder.h"

namespace {

using namespace holdfast;
using fuzz::check;

// One request on its way through.
struct Passing {
  fuzz::Message message;
  http::RequestHead head;
  wire::RequestEncoder encoder;
  std::string bytes;  // go out only as a whole, to leave out what was cut off
};

fuzz::Forwarding& story() {
  static fuzz::Forwarding forwarding;
  return forwarding;
}

class Relay {
 public:
  void read(std::span<const char> bytes) {
    wire::RequestDecoder decoder;
    for (;;) {
      const auto step = decoder.feed(bytes);
      bytes = bytes.subspan(step.consumed);
      switch (step.event) {
        case wire::Event::kHead:
          begin(decoder.take_head());
          break;
        case wire::Event::kData:
          if (!passing_) break;
          passing_->message.body.append(step.data.begin(), step.data.end());
          check(passing_->encoder.data(step.data, passing_->bytes));
          break;
        case wire::Event::kEnd:
          end(decoder.take_trailers());
          decoder.next();
          break;
        default:
          return fuzz::check_same_to_both(written_, messages_);
      }
    }
  }

 private:
  void begin(http::RequestHead head) {
    passing_.reset();
    auto forwarded = story().forward(std::move(head));
    if (!forwarded) return;
    passing_ = std::make_unique<Passing>();
    passing_->message = fuzz::message_of(*forwarded);
    check(passing_->encoder.head(*forwarded, passing_->bytes));
    passing_->head = std::move(*forwarded);
  }

  void end(http::Fields trailers) {
    if (!passing_) return;
    plan_.strip_trailers(trailers);
    check(passing_->encoder.end(trailers, passing_->bytes));
    // HTTP/1.0 without Host goes on as HTTP/1.1 with an empty one, which is nothing that we would take
    // ourselves; and WebSocket goes over HTTP/1 only.
    const bool has_host = !passing_->message.host.empty();
    if (has_host && passing_->head.protocol.empty()) {
      if (!hop_) hop_ = std::make_unique<fuzz::Http2Hop>();
      check(hop_->send(passing_->head, passing_->message.body, trailers) == passing_->message);
    }
    if (has_host) {
      written_ += passing_->bytes;
      messages_.push_back(std::move(passing_->message));
    }
    passing_.reset();
  }

  std::unique_ptr<fuzz::Http2Hop> hop_;
  identity::HeaderPlan plan_{identity::IdentityHeaders()};
  std::unique_ptr<Passing> passing_;
  std::string written_;
  std::vector<fuzz::Message> messages_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Relay().read({reinterpret_cast<const char*>(data), size});
  return 0;
}
