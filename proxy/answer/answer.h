// The answer to a refused request: status, problem document (RFC 9457) and challenges (RFC 6750 3, RFC
// 9449 7.1, RFC 9470 3). Never holds a token, a proof or a key; what it quotes is cut and reduced to RFC
// 6750's characters. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/reason.h"
#include "http/message.h"
#include "policy/credentials.h"
#include "policy/route.h"

namespace holdfast::answer {

// From the configuration, for all answers.
struct AnswerSettings {
  std::string algs = "ES256";  // dpop.algorithms joined by one space
  std::uint16_t key_mismatch_status = 403;
};

// What is known about the request when it is refused.
struct AnswerContext {
  std::string_view request_id = {};
  const policy::Route* route = nullptr;  // null: refused before a route was found
  policy::AuthScheme tried = policy::AuthScheme::none;
  std::string_view nonce = {};              // a fresh one, where the route requires nonces
  std::string_view resource_metadata = {};  // its URL (RFC 9728 5.1); empty: not named
  std::uint32_t retry_after = 1;            // seconds, where the reason has Retry-After
};

struct Answer {
  std::uint16_t status = 0;
  http::Fields fields;  // Content-Type included; Content-Length and Connection are the codec's
  std::string body;
  std::string detail;  // the body's, alone
  bool close = false;  // the connection must end after this answer
};

[[nodiscard]] Answer make_answer(const AnswerSettings& settings, const Refusal& refusal,
                                 const AnswerContext& context);

// A refusal of malformed HTTP with a status of its own (408, 413, 414, 431, 501, 505): closes the connection.
[[nodiscard]] Answer make_malformed_answer(std::uint16_t status, const Refusal& refusal,
                                           std::string_view request_id);

// 405 with Allow, for CONNECT and TRACE.
[[nodiscard]] Answer make_method_not_allowed(std::string_view request_id);
// 204 with Allow, for an OPTIONS that no proxy is to pass on (RFC 9110 7.6.2).
[[nodiscard]] Answer make_options_answer();
[[nodiscard]] bool is_forbidden_method(std::string_view method);

// DPoP-Nonce and Cache-Control: no-store on a success (RFC 9449 8.2).
void offer_nonce(http::Fields& response, std::string_view nonce);

// `text` cut at 256 bytes and reduced to RFC 6750 3's error_description: 0x20-0x7E without '"' and '\'.
[[nodiscard]] std::string reduce_detail(std::string_view text);

}  // namespace holdfast::answer
