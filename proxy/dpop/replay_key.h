// Under what key, and for how long, a proof is remembered so that it counts once (RFC 9449 11.1, rule 16).
// Remembering is replay/'s. Pure; any thread.
#pragma once

#include <optional>
#include <string_view>

#include "base/time.h"
#include "crypto/digest.h"
#include "dpop/nonce.h"
#include "dpop/window.h"

namespace holdfast::dpop {

// SHA-256 over the four, each behind its length, so that no two different quadruples write the same bytes.
[[nodiscard]] crypto::Digest256 replay_key(std::string_view jkt, std::string_view method,
                                           std::string_view normal_uri, std::string_view jti);

// The last moment at which the proof may be accepted: the later of iat + max_age + skew and the nonce's last
// acceptance.
[[nodiscard]] UnixTime last_acceptance(UnixTime iat, const std::optional<NonceTimes>& nonce,
                                       const Window& window);

// How long from `now` the entry has to be kept, in whole seconds, rounded up: to its last acceptance, plus
// skew. Never less than one second.
[[nodiscard]] std::chrono::seconds replay_lifetime(UnixTime iat, const std::optional<NonceTimes>& nonce,
                                                   const Window& window, UnixTime now);

}  // namespace holdfast::dpop
