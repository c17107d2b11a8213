// Refusals as gRPC clients expect them (gRPC over HTTP/2, "Responses"): they read `grpc-status`, not the HTTP
// status, and take anything else for a broken server. The challenge stays beside it, for clients that know
// how to answer one. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "answer/answer.h"
#include "http/message.h"

namespace holdfast::answer {

// An HTTP/2 POST with content-type `application/grpc` or `application/grpc+*`. gRPC-Web is not: it reads
// HTTP's.
[[nodiscard]] bool is_grpc(const http::RequestHead& head);

inline constexpr unsigned kGrpcCancelled = 1;
inline constexpr unsigned kGrpcResourceExhausted = 8;

// The status code of gRPC for one of HTTP.
[[nodiscard]] unsigned grpc_status(std::uint16_t http_status);

// The status and a sentence, as fields of an answer or as the trailers of one that has begun.
void add_grpc_status(http::Fields& fields, unsigned grpc_status, std::string_view detail);

// HTTP 200 without a body; `grpc-message` is the answer's detail.
[[nodiscard]] Answer as_grpc(Answer answer, unsigned grpc_status);

// What `grpc-status = 1*DIGIT` says in a head or in trailers; nullopt: nothing, twice, or no code that
// anybody could mean (more than three digits).
[[nodiscard]] std::optional<unsigned> read_grpc_status(const http::Fields& fields);

}  // namespace holdfast::answer
