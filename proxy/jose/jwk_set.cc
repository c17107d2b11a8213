// JWK sets: see the header.
#include "jose/jwk_set.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/value.hpp>
#include <utility>

#include "jose/json.h"
#include "jose/jwk.h"

namespace holdfast::jose {
namespace {

// Whether two names mean the same signature: a key marked EdDSA serves a token marked Ed25519.
bool same_signature(Algorithm a, Algorithm b) {
  return row_of(a).signature == row_of(b).signature;
}

// RFC 7517 4.2 and 4.3: what the issuer marked for something else does not verify signatures.
bool is_for_signatures(const boost::json::object& jwk) {
  if (const auto* const use = jwk.if_contains("use"); use != nullptr && *use != "sig") return false;
  const auto* const operations = jwk.if_contains("key_ops");
  if (operations == nullptr) return true;
  if (!operations->is_array()) return false;
  return std::ranges::any_of(operations->get_array(),
                             [](const auto& operation) { return operation == "verify"; });
}

// Nothing for a key that is not for us.
std::optional<SetKey> usable_key(const boost::json::value& value) {
  if (!value.is_object()) return std::nullopt;
  const boost::json::object& jwk = value.get_object();
  if (!is_for_signatures(jwk)) return std::nullopt;
  auto key = parse_public_jwk(jwk, crypto::kIssuerRsaBounds);
  if (!key) return std::nullopt;
  std::optional<Algorithm> alg;
  if (jwk.contains("alg")) {
    const auto name = string_member(jwk, "alg");
    if (name) alg = algorithm_named(*name);
    if (!alg || !crypto::fits(row_of(*alg).signature, key->type())) return std::nullopt;
  }
  std::optional<std::string> kid;
  if (jwk.contains("kid")) {
    const auto name = string_member(jwk, "kid");
    if (!name) return std::nullopt;
    kid.emplace(*name);
  }
  return SetKey{*std::move(key), std::move(kid), alg};
}

}  // namespace

std::expected<KeySet, std::string> KeySet::parse(std::string_view json) {
  if (json.size() > kMaxJwkSetSize)
    return std::unexpected("larger than " + std::to_string(kMaxJwkSetSize) + " bytes");
  boost::json::monotonic_resource memory;
  const auto document = parse_json_object(json, &memory);
  if (!document) return std::unexpected(document.error());
  const auto* const keys = document->if_contains("keys");
  if (keys == nullptr || !keys->is_array()) return std::unexpected("no array \"keys\"");
  if (keys->get_array().size() > kMaxJwkSetKeys) {
    return std::unexpected("more than " + std::to_string(kMaxJwkSetKeys) + " keys");
  }
  KeySet set;
  for (const boost::json::value& value : keys->get_array()) {
    if (auto key = usable_key(value)) {
      set.keys_.push_back(*std::move(key));
    } else {
      ++set.skipped_;
    }
  }
  if (set.keys_.empty()) {
    return std::unexpected("no usable signature key among " + std::to_string(keys->get_array().size()));
  }
  return set;
}

std::vector<const SetKey*> KeySet::candidates(std::optional<std::string_view> kid, Algorithm alg) const {
  std::vector<const SetKey*> found;
  for (const SetKey& key : keys_) {
    if (kid && (!key.kid || *key.kid != *kid)) continue;
    if (key.alg ? !same_signature(*key.alg, alg) : !crypto::fits(row_of(alg).signature, key.key.type()))
      continue;
    found.push_back(&key);
    if (found.size() == kMaxCandidates) break;
  }
  return found;
}

}  // namespace holdfast::jose
