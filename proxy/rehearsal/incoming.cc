#include "rehearsal/incoming.h"

#include <span>

#include "http/origin.h"
#include "wire/request_decoder.h"

namespace holdfast::rehearsal {

Decoded decode(std::string_view bytes, const settings::ListenerLimits& limits) {
  wire::RequestDecoder decoder({.max_head_bytes = limits.max_header_bytes, .max_fields = limits.max_headers});
  const wire::Step step = decoder.feed(std::span(bytes.data(), bytes.size()));
  Decoded out;
  out.head = decoder.take_head();
  if (step.event == wire::Event::kFault) out.fault = decoder.fault();
  if (step.event == wire::Event::kNeedMore)
    out.fault = wire::Fault{{Reason::request_malformed, "the request's head does not end"}, 400};
  return out;
}

std::size_t fitting_listener(const settings::Settings& settings, const std::string& scheme,
                             std::string_view authority) {
  const auto named = http::parse_authority(authority);
  for (std::size_t i = 0; named && i < settings.listeners.size(); ++i) {
    for (const settings::Origin& origin : settings.listeners[i].public_origins) {
      const auto known = http::parse_scheme(origin.scheme);
      if (http::uri_host(origin.host) == named->host && known &&
          named->port.value_or(http::default_port(*known)) == origin.port &&
          (scheme.empty() || scheme == origin.scheme)) {
        return i;
      }
    }
  }
  for (std::size_t i = 0; !scheme.empty() && i < settings.listeners.size(); ++i) {
    if (settings.listeners[i].tls.has_value() == (scheme == "https")) return i;
  }
  return 0;
}

}  // namespace holdfast::rehearsal
