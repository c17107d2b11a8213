// An issuer's JWK set (RFC 7517 section 5): which of its keys may have signed a token. Choosing is here;
// fetching is issuer/'s. Keys for encryption, of unknown types, weak or broken are skipped, because one odd
// key must not take the issuer away; a set without any usable key is an error, so that it counts as a failed
// refresh. Immutable; any thread.
#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/public_key.h"
#include "jose/algorithm.h"

namespace holdfast::jose {

inline constexpr std::size_t kMaxJwkSetSize = 1024 * 1024;
inline constexpr std::size_t kMaxJwkSetKeys = 256;
// A token without `kid` is tried against no more keys than this: each try costs a verification.
inline constexpr std::size_t kMaxCandidates = 4;

struct SetKey {
  crypto::PublicKey key;
  std::optional<std::string> kid;
  std::optional<Algorithm> alg;  // the only algorithm that the key is for
};

class KeySet {
 public:
  [[nodiscard]] static std::expected<KeySet, std::string> parse(std::string_view json);

  // The keys that may have signed with `alg`: those with the `kid`, or, without one, the first few whose type
  // and use fit. Empty: the key is unknown here. Valid as long as the set.
  [[nodiscard]] std::vector<const SetKey*> candidates(std::optional<std::string_view> kid,
                                                      Algorithm alg) const;

  [[nodiscard]] const std::vector<SetKey>& keys() const { return keys_; }
  // How many keys of the document were skipped, for the log.
  [[nodiscard]] std::size_t skipped() const { return skipped_; }

 private:
  std::vector<SetKey> keys_;
  std::size_t skipped_ = 0;
};

}  // namespace holdfast::jose
