// The closed vocabulary of why a request was refused: one word each, the same in log, metric, problem
// document and docs. Which status and challenge a reason gets is answer/'s; here are only the words. Pure;
// any thread.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace holdfast {

// clang-format off: it never comes to rest on this list
#define HOLDFAST_REASONS(X) \
  X(no_credentials) X(authorization_malformed) X(authorization_multiple) X(origin_unknown) \
  X(bearer_refused) X(bearer_for_bound_token) X(proof_missing) X(proof_multiple) X(proof_malformed) \
  X(proof_type) X(proof_algorithm) X(proof_key) X(proof_key_private) X(proof_critical) X(proof_claim) \
  X(htm_mismatch) X(htu_mismatch) X(iat_too_old) X(iat_in_future) X(ath_mismatch) X(proof_signature) \
  X(proof_replayed) X(nonce_required) X(nonce_stale) X(nonce_invalid) X(token_malformed) X(token_type) \
  X(token_algorithm) X(token_issuer) X(token_audience) X(token_key_unknown) X(token_signature) \
  X(token_expired) X(token_not_yet_valid) X(token_unbound) X(token_inactive) X(key_mismatch) \
  X(certificate_mismatch) X(scope_missing) X(role_missing) X(claim_mismatch) X(step_up_required) \
  X(route_denied) X(no_route) X(issuer_unavailable) X(introspection_unavailable) \
  X(replay_store_unavailable) X(replay_store_full) X(key_quota) X(upstream_unavailable) \
  X(upstream_timeout) X(overloaded) X(draining) X(request_malformed) X(request_too_large) \
  X(headers_too_large) X(request_timeout)
// clang-format on

enum class Reason : std::uint8_t {
#define HOLDFAST_REASON_ENUMERATOR(name) name,
  HOLDFAST_REASONS(HOLDFAST_REASON_ENUMERATOR)
#undef HOLDFAST_REASON_ENUMERATOR
};

inline constexpr auto kAllReasons = std::to_array<Reason>({
#define HOLDFAST_REASON_VALUE(name) Reason::name,
    HOLDFAST_REASONS(HOLDFAST_REASON_VALUE)
#undef HOLDFAST_REASON_VALUE
});

// The word of a reason, as the contract spells it.
[[nodiscard]] constexpr std::string_view reason_name(Reason reason) {
  constexpr auto names = std::to_array<std::string_view>({
#define HOLDFAST_REASON_NAME(name) #name,
      HOLDFAST_REASONS(HOLDFAST_REASON_NAME)
#undef HOLDFAST_REASON_NAME
  });
  return names[static_cast<std::size_t>(reason)];
}

// A refused check. `detail` is a sentence for the caller's developer that names the check and, where that
// gives nothing away, both values; it may hold bytes that the client sent, so answer/ reduces and cuts it
// before it leaves.
struct Refusal {
  Reason reason;
  std::string detail;
};

template <typename T>
using Checked = std::expected<T, Refusal>;

[[nodiscard]] inline std::unexpected<Refusal> refuse(Reason reason, std::string detail = {}) {
  return std::unexpected(Refusal{reason, std::move(detail)});
}

}  // namespace holdfast
