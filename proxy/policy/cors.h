// Cross-origin requests of browsers (Fetch 3.3): which origins' pages may read a route's answers, and what is
// said so. Where a route has rules, they are the only ones: what its backend says of the matter is taken out.
// CORS stops pages, not requests; who may come in is the route's other business. Pure; any thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace holdfast::policy {

struct CorsRules {
  bool any_origin = false;           // never with credentials
  std::vector<std::string> origins;  // as browsers write them: "https://app.example.com"
  bool credentials = false;
  std::chrono::seconds max_age{600};
};

// Asking before the request itself (Fetch 3.3.2): OPTIONS with Origin and one Access-Control-Request-Method.
// The method that it names; nullopt: no preflight.
[[nodiscard]] std::optional<std::string_view> preflight_method(const http::RequestHead& head);

// Access-Control-Allow-Origin for a request, a view of the rules. Empty where none is sent: unless every
// origin may read, the request has to name one that is among the rules'.
[[nodiscard]] std::string_view allowed_origin(const CorsRules& rules, const http::Fields& request);

// What every answer of the route's carries, a refusal or the backend's: with `allowed` as allowed_origin()
// has it. The rules outlive the fields.
void set_cors(const CorsRules& rules, std::string_view allowed, http::Fields& response);

// The answer to a preflight for `method`; the status is 204. A foreign origin is told nothing that would let
// its page go on.
void answer_preflight(const CorsRules& rules, const http::RequestHead& head, std::string_view method,
                      http::Fields& response);

}  // namespace holdfast::policy
