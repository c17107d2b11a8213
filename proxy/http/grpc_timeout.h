// A gRPC call's deadline as its client sends it, in the field `grpc-timeout` (gRPC over HTTP/2, "Requests"):
//
//   Timeout = 1*8DIGIT ( "H" / "M" / "S" / "m" / "u" / "n" )
//
// hours, minutes, seconds, milliseconds, microseconds, nanoseconds. The protocol asks for a positive number,
// and clients send 0 for a deadline that has passed already. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "http/message.h"

namespace holdfast::http {

// Rounded up, so that nothing ends before its time; nullopt: malformed.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_grpc_timeout(std::string_view text);

// nullopt where there is none, or none that could be meant: servers refuse those, and read one of two each as
// it likes.
[[nodiscard]] std::optional<std::chrono::milliseconds> grpc_timeout(const Fields& fields);

}  // namespace holdfast::http
