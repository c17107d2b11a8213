// Access tokens: the credential as it comes, and, where the input begins with '{', claims as if they had
// verified.
#include <cstdint>
#include <cstdlib>
#include <utility>

#include "jose/json.h"
#include "token/claims.h"
#include "token/verify.h"

namespace {

using namespace holdfast;

const jose::KeySet& keys() {
  static const jose::KeySet set =
      jose::KeySet::parse(
          R"({"keys":[{"kty":"EC","crv":"P-256","x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs","y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA"},)"
          R"({"kty":"OKP","crv":"Ed25519","kid":"ed","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})")
          .value();
  return set;
}

token::IssuerRules rules() {
  token::IssuerRules rules;
  rules.issuer = "https://id.example/";
  rules.audiences = {"orders-api"};
  return rules;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const UnixTime now(std::chrono::seconds(1'700'000'000));
  if (text.starts_with('{')) {
    auto claims = jose::parse_json_object(text);
    if (!claims) return 0;
    const bool has_cnf = claims->contains("cnf");
    const auto token = token::read_claims(*std::move(claims));
    if (!token) return 0;
    if (token::judge(*token, rules(), now) && token->iss != "https://id.example/") std::abort();
    if (has_cnf && token::check_bearer(*token, false)) std::abort();
    return 0;
  }
  auto token = token::parse(text);
  if (!token) return 0;
  if (!token::looks_like_jwt(text)) std::abort();
  const auto chosen = token::choose_keys(*token, keys(), rules());
  if (chosen) static_cast<void>(token::verify(*std::move(token), *chosen, rules()).has_value());
  return 0;
}
