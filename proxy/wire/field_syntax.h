// The grammar of field names and values (RFC 9110 5.1, 5.5) on raw bytes, shared by decoders and encoders.
// Pure; any thread.
#pragma once

#include <cstddef>
#include <string_view>

#include "http/message.h"

namespace holdfast::wire {

// NUL, CR, LF or any other control byte but HTAB: what ends or hides a line for some reader.
[[nodiscard]] bool has_control(std::string_view bytes);

// token = 1*tchar
[[nodiscard]] bool is_token(std::string_view text);

// Fields of one hop: Connection, Keep-Alive, Proxy-Connection, TE, Transfer-Encoding, Upgrade; and
// Content-Length, because a length is made from the body that is really sent.
[[nodiscard]] bool belongs_to_connection(std::string_view name);

// May not stand in trailers: framing, routing, credentials, and what changes how the message is handled
// (RFC 9110 6.5.1).
[[nodiscard]] bool forbidden_in_trailers(std::string_view name);

// Not Content-Length or Transfer-Encoding, but the same to a server that takes other characters for `-`, as
// CGI's and WSGI's environments do.
[[nodiscard]] bool is_disguised_framing(std::string_view name);

// Among trailers: a reader that merges them into the head would see another message than we did.
[[nodiscard]] bool frames_or_routes(std::string_view name);

// Reads `*( field-name ":" OWS field-value OWS CRLF )`, already scanned by HeadScanner, into `fields` as
// views. false: a line is not a field.
[[nodiscard]] bool read_field_lines(std::string_view lines, http::Fields& fields);

}  // namespace holdfast::wire
