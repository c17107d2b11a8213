// Hop-by-hop fields (RFC 9110 7.6.1): what one connection's two ends tell each other and no proxy passes on,
// and what a trailer section may not carry (RFC 9110 6.5.1). What `Connection` lists is removed too, except
// for fields that the message or the decision hangs on: a client that lists `Host` or `Content-Length` may
// not make us forward without. Pure; one thread per message.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace holdfast::http {

// Connection, Proxy-Connection, Keep-Alive, TE, Trailer, Transfer-Encoding, Upgrade, HTTP2-Settings,
// Proxy-Authenticate, Proxy-Authorization, Proxy-Authentication-Info.
[[nodiscard]] bool is_hop_by_hop(std::string_view name);

// The names that all Connection fields list, in order; views into the fields. Nothing else is checked about
// them.
[[nodiscard]] std::vector<std::string_view> connection_options(const Fields& fields);
[[nodiscard]] bool connection_lists(const Fields& fields, std::string_view option);

// Removes hop-by-hop fields and what Connection lists, and returns how many went. Content-Length, Host and
// Trailer-free framing stay the codec's: it writes them anew from BodyLength and authority.
std::size_t remove_hop_by_hop(Fields& fields);

// Max-Forwards (RFC 9110 7.6.2): how many more may pass the request on; nullopt where it does not say so.
[[nodiscard]] std::optional<std::uint32_t> max_forwards(const Fields& fields);

// Removes from a trailer section what changes framing, routing, authentication, or the meaning of the head: a
// backend that merges trailers into the head must learn nothing from them that we check or set there.
std::size_t remove_forbidden_trailers(Fields& trailers);

}  // namespace holdfast::http
