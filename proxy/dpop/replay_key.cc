// Replay keys: see the header.
#include "dpop/replay_key.h"

#include <algorithm>
#include <array>

namespace holdfast::dpop {

crypto::Digest256 replay_key(std::string_view jkt, std::string_view method, std::string_view normal_uri,
                             std::string_view jti) {
  const std::array<std::string_view, 4> parts{jkt, method, normal_uri, jti};
  std::array<std::array<char, 4>, 4> lengths;
  std::array<std::string_view, 8> framed;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    for (std::size_t octet = 0; octet < 4; ++octet) {
      lengths[i][octet] = static_cast<char>(parts[i].size() >> (24 - 8 * octet) & 0xFF);
    }
    framed[2 * i] = {lengths[i].data(), lengths[i].size()};
    framed[2 * i + 1] = parts[i];
  }
  return crypto::sha256(framed);
}

UnixTime last_acceptance(UnixTime iat, const std::optional<NonceTimes>& nonce, const Window& window) {
  const UnixTime by_iat = iat + window.reach(iat);
  return nonce ? std::max(by_iat, nonce->last_accepted) : by_iat;
}

std::chrono::seconds replay_lifetime(UnixTime iat, const std::optional<NonceTimes>& nonce,
                                     const Window& window, UnixTime now) {
  const UnixTime last = last_acceptance(iat, nonce, window);
  const auto kept = std::chrono::ceil<std::chrono::seconds>(last + window.clock_skew - now);
  return std::max(kept, std::chrono::seconds(1));
}

}  // namespace holdfast::dpop
