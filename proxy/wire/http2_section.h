// HTTP/2's field sections to heads and trailers (RFC 9113 8.1-8.3). libnghttp2 has enforced the grammar of
// names and values, the order of pseudo-header fields and what may not stand in HTTP/2 before a field comes
// here; what a head must mean, so that HTTP/1 and HTTP/2 refuse alike, is decided here. A section larger than
// the limits is read on, for HPACK's sake, and not kept. Pure; any thread.
#pragma once

#include <nghttp2/nghttp2.h>

#include <cstddef>
#include <string_view>

#include "http/message.h"
#include "wire/http1.h"
#include "wire/http2.h"

namespace holdfast::wire {

// A section as far as it is decoded. Views are into what `fields.arena()` holds: a copy of what is short,
// else libnghttp2's own buffer, which its HPACK table and all sections that name the entry share. Were each a
// copy, one octet that names an entry of 4 KiB would cost us 4 KiB, a hundred streams a connection.
struct Http2Section {
  http::Fields fields;
  std::string_view method, scheme, authority, path, protocol, status;
  std::size_t bytes = 0;
  std::size_t count = 0;
  bool has_cookie = false;
  bool too_large = false;
  bool odd_pseudo = false;  // a pseudo-header field that is unknown, empty, repeated or late

  // false: so far beyond the limits that it can only be an attack on memory or HPACK.
  [[nodiscard]] bool add(nghttp2_rcbuf* name, nghttp2_rcbuf* value, const Http2Limits& limits);
};

// `ended`: no body follows. false: `fault` says why, 400, 413 or 431, and `head` holds what could be read.
[[nodiscard]] bool make_request_head(Http2Section section, bool ended, const Http2Limits& limits,
                                     http::RequestHead& head, Fault& fault);
// A trailer section. false: `fault` says why.
[[nodiscard]] bool make_trailers(Http2Section section, http::Fields& trailers, Fault& fault);
// A backend's answer; 1xx included. The result names the fault, or is empty.
[[nodiscard]] std::string_view make_response_head(Http2Section section, bool ended, bool head_request,
                                                  http::ResponseHead& head);

}  // namespace holdfast::wire
