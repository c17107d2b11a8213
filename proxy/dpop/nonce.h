// Stateless nonces (RFC 9449 section 8, rule 13): what one replica issues another accepts, as long as they
// share a secret.
//
//   nonce   = base64url( slot (8, big-endian) || secret id (4) || mark (4) || tag (16) )
//   tag     = first 16 bytes of HMAC-SHA-256( secret, "holdfast nonce" || slot length in ms (8) || slot (8)
//   || secret id (4) || mark (4) )
//
// A slot is a tenth of the lifetime, and every nonce that one process issues in a slot is the same text. It
// is accepted from one slot before its own began (a replica's clock may run ahead) until one slot after its
// lifetime. The mark tells a process's own nonces from those of replicas, and of the process before a
// restart. Pure; any thread, also several at once.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/secret.h"
#include "base/time.h"

namespace holdfast::dpop {

struct NonceTimes {
  UnixTime issued_at;      // the start of its slot
  UnixTime last_accepted;  // no acceptance after this
  bool past_half_life;     // time to hand out the next one
  bool issued_here;        // by this process, or the one that it took over from
};

enum class NonceFlaw : std::uint8_t { kStale, kForged };

// From a nonce's issue, at the start of its slot, to its last acceptance.
[[nodiscard]] Millis nonce_accepted_for(Millis lifetime);

using NonceMark = std::array<char, 4>;

// The mark of who has this secret of a process, that is of it and of what takes over from it.
[[nodiscard]] NonceMark nonce_mark_of(const Secret& of_process);

class NonceIssuer {
 public:
  // Secrets of at least 16 bytes are the caller's duty to demand. `previous` is only accepted, never issued
  // under. `lifetime` is at least 10 ms.
  NonceIssuer(Secret current, std::optional<Secret> previous, Millis lifetime, NonceMark mark = {});

  [[nodiscard]] std::string issue(UnixTime now) const;
  [[nodiscard]] std::expected<NonceTimes, NonceFlaw> judge(std::string_view nonce, UnixTime now) const;

 private:
  struct Key {
    Secret secret;
    std::array<char, 4> id;
  };
  [[nodiscard]] static Key make_key(Secret secret);
  [[nodiscard]] std::string bytes(const Key& key, std::int64_t slot, const NonceMark& mark) const;

  Key current_;
  std::optional<Key> previous_;
  Millis lifetime_;
  Millis slot_length_;
  NonceMark mark_;
};

}  // namespace holdfast::dpop
