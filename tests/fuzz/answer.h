// What a backend answered, as Holdfast passes it on: encoded for a client, it must decode to the same answer,
// whole.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "http/hop_by_hop.h"
#include "message.h"
#include "wire/encoder.h"
#include "wire/response_decoder.h"

namespace holdfast::fuzz {

// Fields that are not made anew, in their order.
inline std::string fields_of(const http::Fields& fields) {
  std::string text;
  for (const http::Field& field : fields) {
    if (iequals(field.name, "content-length") || iequals(field.name, "transfer-encoding") ||
        iequals(field.name, "connection")) {
      continue;
    }
    text += to_lower(field.name) + ":" + std::string(field.value) + "\n";
  }
  return text;
}

// `body` is all of it.
inline void check_answer(http::ResponseHead head, std::string_view body, const http::Fields& trailers,
                         bool head_request) {
  if (head.status == 101) return;
  http::remove_hop_by_hop(head.fields);
  head.close = false;
  const std::string fields = fields_of(head.fields);
  for (const std::uint8_t minor : {std::uint8_t{1}, std::uint8_t{0}}) {
    std::string bytes;
    wire::ResponseEncoder encoder;
    check(encoder.head(head, {.head_request = head_request, .version_minor = minor}, bytes));
    if (!body.empty()) check(encoder.data(body, bytes));
    check(encoder.end(trailers, bytes));

    wire::ResponseDecoder decoder;
    decoder.begin(head_request ? "HEAD" : "GET", false);
    std::string_view rest = bytes;
    std::string received;
    for (bool more = true; more;) {
      const wire::Step step = decoder.feed(rest);
      rest.remove_prefix(step.consumed);
      switch (step.event) {
        case wire::Event::kHead: {
          const http::ResponseHead again = decoder.take_head();
          check(again.status == head.status && fields_of(again.fields) == fields);
          check(again.close == encoder.close());
          break;
        }
        case wire::Event::kData:
          received.append(step.data.begin(), step.data.end());
          break;
        default:
          check(step.event == wire::Event::kEnd || (step.event == wire::Event::kNeedMore && encoder.close()));
          check(decoder.finish().event == wire::Event::kEnd);
          more = false;
      }
    }
    check(rest.empty() && received == body);
  }
}

}  // namespace holdfast::fuzz
