// Which check a reason stands for. Some stand for several: what else is known of the request says which.
#include "rehearsal/ladder.h"

namespace holdfast::rehearsal {
namespace {

Check check_of_token(const Judged& judged) {
  if (judged.account.asked && !judged.account.answered) return Check::kActive;
  if (!judged.account.token) return Check::kToken;
  return *judged.account.reason == Reason::token_algorithm ? Check::kKey : Check::kTokenClaims;
}

// One reason for what the proof lacks and for what its other times say.
Check check_of_claim(const Judged& judged) {
  if (!judged.account.proof) return Check::kProof;
  return judged.account.proof->has_ath ? Check::kIat : Check::kAth;
}

// Of memory before anything else is looked at; of an upstream's queue before the proof counts.
Check check_of_overload(const Judged& judged) {
  return judged.account.route ? Check::kQueue : Check::kRequest;
}

// The last words are about a proof's time once more: its time ended meanwhile, or it is older than the store.
Check check_of_age(const Judged& judged, Check first) {
  return judged.account.claims ? Check::kReplay : first;
}

}  // namespace

Check failed_check(const Judged& judged) {
  // What comes to an admitted request comes on its way to the backend and back, whatever it is called.
  if (judged.account.admitted) return Check::kExchange;
  switch (*judged.account.reason) {
    case Reason::request_too_large:
      return judged.account.route ? Check::kBody : Check::kRequest;
    case Reason::request_malformed:
    case Reason::headers_too_large:
    case Reason::request_timeout:
    case Reason::draining:
      return Check::kRequest;
    case Reason::overloaded:
      return check_of_overload(judged);
    case Reason::no_route:
    case Reason::route_denied:
      return Check::kRoute;
    case Reason::origin_unknown:
      return Check::kOrigin;
    case Reason::no_credentials:
    case Reason::authorization_malformed:
    case Reason::authorization_multiple:
    case Reason::bearer_refused:
    case Reason::proof_missing:
    case Reason::proof_multiple:
      return Check::kCredentials;
    case Reason::proof_malformed:
    case Reason::proof_type:
    case Reason::proof_algorithm:
    case Reason::proof_key:
    case Reason::proof_key_private:
    case Reason::proof_critical:
      return Check::kProof;
    case Reason::proof_claim:
      return check_of_claim(judged);
    case Reason::htm_mismatch:
      return Check::kHtm;
    case Reason::htu_mismatch:
      return Check::kHtu;
    case Reason::nonce_required:
    case Reason::nonce_invalid:
      return Check::kNonce;
    case Reason::nonce_stale:
      return check_of_age(judged, Check::kNonce);
    case Reason::iat_too_old:
      return check_of_age(judged, Check::kIat);
    case Reason::iat_in_future:
      return Check::kIat;
    case Reason::ath_mismatch:
      return Check::kAth;
    case Reason::token_malformed:
    case Reason::token_type:
    case Reason::token_algorithm:
      return check_of_token(judged);
    case Reason::token_issuer:
      return Check::kIss;
    case Reason::token_key_unknown:
    case Reason::issuer_unavailable:
      return Check::kKey;
    case Reason::token_signature:
      return Check::kTokenSignature;
    case Reason::token_inactive:
    case Reason::introspection_unavailable:
      return Check::kActive;
    case Reason::token_audience:
      return Check::kAud;
    case Reason::token_expired:
    case Reason::token_not_yet_valid:
      return Check::kExp;
    case Reason::token_unbound:
    case Reason::bearer_for_bound_token:
    case Reason::key_mismatch:
    case Reason::certificate_mismatch:
      return Check::kBinding;
    case Reason::scope_missing:
      return Check::kScopes;
    case Reason::role_missing:
      return Check::kRoles;
    case Reason::claim_mismatch:
      return Check::kClaims;
    case Reason::step_up_required:
      return Check::kLogin;
    case Reason::proof_signature:
      return Check::kProofSignature;
    case Reason::proof_replayed:
    case Reason::replay_store_unavailable:
    case Reason::replay_store_full:
    case Reason::key_quota:
      return Check::kReplay;
    case Reason::upstream_unavailable:
    case Reason::upstream_timeout:
      break;
  }
  return Check::kExchange;
}

}  // namespace holdfast::rehearsal
