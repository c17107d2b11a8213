// Proofs, from the field's value to the signature. The input is the field's value; where it begins with '{'
// it is two lines, header and payload as JSON, which are encoded first, so that mutations reach the claims.
#include "dpop/proof.h"

#include <cstdint>
#include <cstdlib>
#include <span>

#include "base/base64url.h"
#include "dpop/check.h"

namespace {

std::string encoded(std::string_view text) {
  return holdfast::base64url_encode(
      std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace dpop = holdfast::dpop;
  std::string value(reinterpret_cast<const char*>(data), size);
  if (value.starts_with('{')) {
    const std::size_t line = value.find('\n');
    if (line == std::string::npos) return 0;
    value = encoded(value.substr(0, line)) + "." + encoded(value.substr(line + 1)) + "." +
            encoded(std::string(64, '\1'));
  }
  const auto proof = dpop::parse_proof(value);
  if (!proof) return 0;
  if (proof->jti.empty() || proof->header->jkt.size() != 43) std::abort();

  static const dpop::NonceIssuer nonces(holdfast::Secret(std::string(32, 's')), std::nullopt,
                                        holdfast::Millis(300'000));
  dpop::Expectation expected;
  expected.method = "GET";
  expected.normal_uri = "https://resource.example.org/protectedresource";
  expected.token_digest = holdfast::crypto::sha256("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU");
  const holdfast::UnixTime now(std::chrono::seconds(1'562'262'618));
  const auto fresh = dpop::check_claims(*proof, expected, now);
  if (fresh && (proof->htm != "GET" || !proof->ath)) std::abort();
  expected.nonces = &nonces;
  if (dpop::check_claims(*proof, expected, now) && !proof->nonce) std::abort();
  // Either outcome is fine: the corpus holds genuine proofs.
  static_cast<void>(dpop::verify_signature(*proof).has_value());
  return 0;
}
