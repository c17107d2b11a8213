// What a trusted proxy says about the request it forwards: X-Forwarded-For/-Proto/-Host/-Port and RFC 7239's
// Forwarded. Whether the peer is trusted is the caller's to decide; from any other peer these fields are
// never looked at. A proxy in front that appends instead of replacing would let the client choose, so several
// values for what makes the origin, and fields that disagree, are refused rather than one of them picked.
// Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/reason.h"
#include "http/ip_address.h"
#include "http/message.h"
#include "http/origin.h"

namespace holdfast::http {

// Does a field of this name say how a request reached us, what it was before somebody rewrote it, or who the
// client proved to be: Forwarded, X-Forwarded-*, X-Real-IP, X-Original-*, X-Rewrite-URL, X-HTTP-Method*,
// X-Method-Override and client-certificate fields? Believed from trusted proxies only. Names are compared
// folded (http/field_name.h).
[[nodiscard]] bool is_forwarding_field(std::string_view name);

struct Forwarded {
  std::optional<Scheme> proto;
  std::optional<Authority> host;
};

// request_malformed where a field holds several values, does not parse, or two fields disagree. `scheme` is
// the listener's, for where no field says another.
[[nodiscard]] Checked<Forwarded> parse_forwarded(const Fields& fields, Scheme scheme);

// The client's address: the last in X-Forwarded-For and then `peer` that is not in `trusted`, read from the
// right; `peer` where nothing was forwarded or an entry does not parse.
[[nodiscard]] IpAddress client_address(const Fields& fields, const IpAddress& peer,
                                       const std::vector<Cidr>& trusted);

}  // namespace holdfast::http
