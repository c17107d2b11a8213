// Introspection responses, of an opaque token and of a JWT that has verified. An answer that is not `active:
// true` never becomes a token, and nobody's answer takes the token's own binding away.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "jose/json.h"
#include "token/claims.h"
#include "token/introspection_response.h"
#include "token/verify.h"

namespace {

using namespace holdfast;

constexpr std::string_view kIssuer = "https://id.example/";

token::AccessToken bound_jwt() {
  return token::read_claims(
             jose::parse_json_object(
                 R"({"iss":"https://id.example/","exp":1700000300,"aud":"orders-api","cnf":{"jkt":"own"}})")
                 .value())
      .value();
}

void check(std::string_view text, const token::AccessToken* jwt) {
  const UnixTime now(std::chrono::seconds(1'700'000'000));
  const auto answer = token::read_introspection(text, kIssuer, jwt);
  const Millis kept = token::introspection_lifetime(answer, std::chrono::seconds(30), now);
  if (kept < Millis(0) || kept > std::chrono::seconds(30)) std::abort();
  if (!answer) return;
  if (answer->claims.at("active") != true) std::abort();
  if (now + kept > std::max(answer->exp, now)) std::abort();
  token::IssuerRules rules;
  rules.issuer = kIssuer;
  rules.audiences = {"orders-api"};
  if (token::judge(*answer, rules, now) && (answer->iss != kIssuer || answer->aud.empty())) std::abort();
  if (jwt != nullptr && token::check_bearer(*answer, true)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const token::AccessToken jwt = bound_jwt();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check(text, nullptr);
  check(text, &jwt);
  return 0;
}
