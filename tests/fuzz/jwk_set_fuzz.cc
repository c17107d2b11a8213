// JWK sets: whatever key is usable is written as a JWK that reads as the same key, and can be tried without
// harm.
#include "jose/jwk_set.h"

#include <cstdint>
#include <cstdlib>

#include "jose/json.h"
#include "jose/jwk.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace jose = holdfast::jose;
  namespace crypto = holdfast::crypto;
  const auto set = jose::KeySet::parse({reinterpret_cast<const char*>(data), size});
  if (!set) return 0;
  if (set->keys().empty()) std::abort();
  for (const jose::SetKey& key : set->keys()) {
    const std::string text = jose::canonical_jwk(key.key);
    const auto again =
        jose::parse_public_jwk(jose::parse_json_object(text).value(), crypto::kIssuerRsaBounds);
    if (!again || jose::canonical_jwk(*again) != text) std::abort();
    for (const jose::AlgorithmRow& row : jose::kAlgorithms) {
      if (crypto::verify(key.key, row.signature, "message", std::string(64, '\1'))) std::abort();
      for (const jose::SetKey* chosen : set->candidates(key.kid, row.algorithm)) {
        if (!crypto::fits(row.signature, chosen->key.type())) std::abort();
      }
    }
  }
  return 0;
}
