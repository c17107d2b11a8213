// Rows of "this request gets that refusal", and the ways to spoil a good request that the suites on
// credentials, proofs and tokens share.
#pragma once

#include "sidecar.h"

namespace holdfast::integration {

struct Case {
  const char* name;
  int status;
  const char* error;  // in the challenge, "" for a bare one; nullptr: no challenge at all
  const char* reason;
  std::function<Request(const Sidecar&)> make;
};

using MakeRequest = std::function<Request(const Sidecar&)>;

inline constexpr const char* kTarget = "/orders/42";

// A good request whose proof, or whose token, was changed before signing.
[[nodiscard]] MakeRequest proof_with(std::function<void(Proof&)> change);
[[nodiscard]] MakeRequest token_with(std::function<void(AccessToken&)> change);
// A good token with exactly these bytes as its proof; exactly these as the token, with a proof that fits
// them.
[[nodiscard]] MakeRequest proof_bytes(std::function<std::string(const Sidecar&)> make);
[[nodiscard]] MakeRequest token_bytes(std::function<std::string(const Sidecar&)> make);
// No credentials but these fields.
[[nodiscard]] MakeRequest plain_request(std::vector<std::pair<std::string, std::string>> fields);

[[nodiscard]] std::string good_proof(const Sidecar& sidecar);
[[nodiscard]] std::vector<std::string> segments(const std::string& jws);

// `holdfast explain` on these bytes, with this sidecar's configuration. What it prints holds no credential.
[[nodiscard]] support::Finished explain(const Sidecar& sidecar, std::string_view request,
                                        std::vector<std::string> more = {});
// The same on a request that this sidecar refused, by its id. Its admin listener is at kAdmin.
[[nodiscard]] support::Finished explain_id(const Sidecar& sidecar, std::string_view id);
// The checks of a ladder that passed, failed or were not evaluated; of the one that failed all that is said,
// but for the time of day.
[[nodiscard]] std::string shape_of(const support::Finished& explained);

class RefusalTest : public SharedSidecar {
 protected:
  // Sends each, expects its refusal, that `explain` says the same of the request and of its id, and that none
  // of them reached the backend.
  static void check(const std::vector<Case>& cases);
};

}  // namespace holdfast::integration
