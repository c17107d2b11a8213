// The table: see the header.
#include "answer/reason_table.h"

#include <array>

namespace holdfast::answer {
namespace {

using enum Challenge;

constexpr std::string_view kInvalidRequest = "invalid_request";
constexpr std::string_view kInvalidProof = "invalid_dpop_proof";
constexpr std::string_view kUseNonce = "use_dpop_nonce";
constexpr std::string_view kInvalidToken = "invalid_token";

constexpr After kRetry = After::retry;
constexpr After kClose = After::close;

// One row a reason, in the enumeration's order.
constexpr auto kRows = std::to_array<ReasonRow>({
    {Reason::no_credentials, 401, bare, "", "Credentials required"},
    {Reason::authorization_malformed, 400, on_each, kInvalidRequest, "Authorization is malformed"},
    {Reason::authorization_multiple, 400, on_each, kInvalidRequest, "More than one credential"},
    {Reason::origin_unknown, 421, none, "", "Not an origin of this server"},
    {Reason::bearer_refused, 401, bare, "", "Bearer tokens are not taken here"},
    {Reason::bearer_for_bound_token, 401, on_tried, kInvalidToken, "A bound token was sent as Bearer"},
    {Reason::proof_missing, 401, on_dpop, kInvalidProof, "No DPoP proof"},
    {Reason::proof_multiple, 401, on_dpop, kInvalidProof, "More than one DPoP proof"},
    {Reason::proof_malformed, 401, on_dpop, kInvalidProof, "The DPoP proof is malformed"},
    {Reason::proof_type, 401, on_dpop, kInvalidProof, "The DPoP proof has the wrong typ"},
    {Reason::proof_algorithm, 401, on_dpop, kInvalidProof, "The DPoP proof's alg is not taken"},
    {Reason::proof_key, 401, on_dpop, kInvalidProof, "The DPoP proof's jwk is no usable key"},
    {Reason::proof_key_private, 401, on_dpop, kInvalidProof, "The DPoP proof's jwk is a private key"},
    {Reason::proof_critical, 401, on_dpop, kInvalidProof, "The DPoP proof demands an unknown extension"},
    {Reason::proof_claim, 401, on_dpop, kInvalidProof, "A claim of the DPoP proof is missing or malformed"},
    {Reason::htm_mismatch, 401, on_dpop, kInvalidProof, "The DPoP proof is for another method"},
    {Reason::htu_mismatch, 401, on_dpop, kInvalidProof, "The DPoP proof is for another URI"},
    {Reason::iat_too_old, 401, on_dpop, kInvalidProof, "The DPoP proof is too old"},
    {Reason::iat_in_future, 401, on_dpop, kInvalidProof, "The DPoP proof is from the future"},
    {Reason::ath_mismatch, 401, on_dpop, kInvalidProof, "The DPoP proof is for another token"},
    {Reason::proof_signature, 401, on_dpop, kInvalidProof, "The DPoP proof's signature does not verify"},
    {Reason::proof_replayed, 401, on_dpop, kInvalidProof, "The DPoP proof was used before"},
    {Reason::nonce_required, 401, on_dpop, kUseNonce, "A nonce is required in the DPoP proof"},
    {Reason::nonce_stale, 401, on_dpop, kUseNonce, "The DPoP proof's nonce is stale"},
    {Reason::nonce_invalid, 401, on_dpop, kUseNonce, "The DPoP proof's nonce is not ours"},
    {Reason::token_malformed, 401, on_tried, kInvalidToken, "The access token is malformed"},
    {Reason::token_type, 401, on_tried, kInvalidToken, "The token is no access token"},
    {Reason::token_algorithm, 401, on_tried, kInvalidToken, "The access token's alg is not taken"},
    {Reason::token_issuer, 401, on_tried, kInvalidToken, "The access token's issuer is not trusted"},
    {Reason::token_audience, 401, on_tried, kInvalidToken, "The access token is for another audience"},
    {Reason::token_key_unknown, 401, on_tried, kInvalidToken, "The access token's key is unknown"},
    {Reason::token_signature, 401, on_tried, kInvalidToken, "The access token's signature does not verify"},
    {Reason::token_expired, 401, on_tried, kInvalidToken, "The access token has expired"},
    {Reason::token_not_yet_valid, 401, on_tried, kInvalidToken, "The access token is not valid yet"},
    {Reason::token_unbound, 401, on_tried, kInvalidToken, "The access token is not bound to a key"},
    {Reason::token_inactive, 401, on_tried, kInvalidToken, "The access token is not active"},
    // The status is the configuration's: dpop.key_mismatch_status.
    {Reason::key_mismatch, 403, on_dpop, kInvalidToken, "The access token is bound to another key"},
    {Reason::certificate_mismatch, 401, on_tried, kInvalidToken,
     "The access token is bound to another certificate"},
    {Reason::scope_missing, 403, on_tried, "insufficient_scope", "A scope is missing"},
    {Reason::role_missing, 403, none, "", "A role is missing"},
    {Reason::claim_mismatch, 403, none, "", "A claim does not allow this"},
    {Reason::step_up_required, 401, on_tried, "insufficient_user_authentication",
     "A stronger or newer login is needed"},
    {Reason::route_denied, 403, none, "", "This route is closed"},
    {Reason::no_route, 404, none, "", "No such route"},
    {Reason::issuer_unavailable, 503, none, "", "The issuer's keys are not there yet", kRetry},
    {Reason::introspection_unavailable, 503, none, "", "The issuer does not answer", kRetry},
    {Reason::replay_store_unavailable, 503, none, "", "The replay store does not answer", kRetry},
    {Reason::replay_store_full, 503, none, "", "The replay store is full", kRetry},
    {Reason::key_quota, 429, none, "", "Too many requests under one key", kRetry},
    {Reason::upstream_unavailable, 502, none, "", "The backend cannot be reached or broke off"},
    {Reason::upstream_timeout, 504, none, "", "The backend is too slow"},
    {Reason::overloaded, 503, none, "", "Overloaded", kRetry},
    {Reason::draining, 503, none, "", "Shutting down", kRetry},
    {Reason::request_malformed, 400, none, "", "The request is malformed or ambiguous", kClose},
    {Reason::request_too_large, 413, none, "", "The request's body is too large", kClose},
    {Reason::headers_too_large, 431, none, "", "The request's head is too large", kClose},
    {Reason::request_timeout, 408, none, "", "The request came too slowly", kClose},
});

static_assert(kRows.size() == kAllReasons.size());
static_assert([] {
  for (std::size_t i = 0; i < kRows.size(); ++i) {
    if (kRows[i].reason != kAllReasons[i]) return false;
  }
  return true;
}());

}  // namespace

const ReasonRow& reason_row(Reason reason) {
  return kRows[static_cast<std::size_t>(reason)];
}

}  // namespace holdfast::answer
