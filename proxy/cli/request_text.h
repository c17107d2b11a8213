// A request as people have it at hand, turned into the bytes that a client would send:
//
//   text   = curl / raw / ">"-lines
//   curl   = "curl" and its words, as a shell would part them: blanks, 'literal', "with \" and \\",
//            $'with \n', a backslash before a line end. What the shell would replace ($NAME, $(...)) is
//            refused.
//   raw    = a request line, fields, an empty line, a body
//   ">"-lines: what `curl -v` prints, of which the lines that begin with "> " are the request; what it says
//            before them, and a progress meter, are passed over
//
// Raw text with a carriage return in it is taken byte for byte. Without one somebody typed or pasted it:
// lines get the ends that HTTP wants, "HTTP/2" becomes "HTTP/1.1", and a missing empty line is added. If its
// first line names no version of HTTP it is something else (wget, JavaScript) and refused; whether it is good
// HTTP is the decoder's to say. At most 1 MiB. Errors never quote a value: it may be a token. Pure; any
// thread.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>

namespace holdfast::cli {

inline constexpr std::size_t kMaxRequestText = 1024 * 1024;

struct RequestText {
  std::string bytes;
  std::string scheme;  // of the URL, where there is one: "https" or "http"
};

[[nodiscard]] std::expected<RequestText, std::string> read_request(std::string_view text);

}  // namespace holdfast::cli
