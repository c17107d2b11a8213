// A request's bytes as a listener would take them, for commands that judge requests without sockets. Any
// thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "http/message.h"
#include "settings/model.h"
#include "wire/http1.h"

namespace holdfast::rehearsal {

struct Decoded {
  http::RequestHead head;
  std::optional<wire::Fault> fault;
};

[[nodiscard]] Decoded decode(std::string_view bytes, const settings::ListenerLimits& limits);

// The listener that the client would have come to: one of whose public origins the URL names, else one of its
// scheme, else the first. `scheme` may be empty.
[[nodiscard]] std::size_t fitting_listener(const settings::Settings& settings, const std::string& scheme,
                                           std::string_view authority);

}  // namespace holdfast::rehearsal
