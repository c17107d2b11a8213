#include "settings/keys_dpop.h"

#include "settings/key_forms.h"

namespace holdfast::settings {
namespace {

Value<int> key_mismatch_status() {
  auto value = scalar(
      [](std::string_view text) -> Parsed<int> {
        if (text == "401") return 401;
        if (text == "403") return 403;
        return std::unexpected("401 or 403");
      },
      {{"enum", {401, 403}}});
  value.write = [](int written) { return boost::json::value(written); };
  return value;
}

Keys<Nonce> nonce() {
  return {
      member<Nonce>("mode", nonce_mode(), &Nonce::mode)
          .about("required: a proof must hold a nonce that this server gave out"),
      // a slot is a tenth of it, and a nonce must outlive a client's round trip
      member<Nonce>("lifetime", time(kSecond, 24 * kHour), &Nonce::lifetime)
          .about("How long a nonce is good for"),
      member<Nonce>("secret_file", text(), &Nonce::secret_file)
          .about("What nonces are made from, the same on every replica; without it a secret per process"),
  };
}

Keys<Replay> replay() {
  return {
      not_yet<Replay>("store", {"memory"}).about("Where proofs are remembered"),
      member<Replay>("capacity", whole<std::size_t>(1'000, 1'000'000'000), &Replay::capacity)
          .about("Proofs remembered at a time; when it is full, requests are refused"),
      member<Replay>("per_key", share(), &Replay::per_key)
          .about("The share of them that one client key may fill"),
      member<Replay>("cold_start",
                     choice<ColdStart>({{"fresh", ColdStart::kFresh}, {"accept", ColdStart::kAccept}}),
                     &Replay::cold_start)
          .about("fresh: refuses proofs made before this process started; accept: takes them"),
      not_yet<Replay>("on_unavailable", {"refuse"}).about("What happens while the store cannot be reached"),
      not_yet<Replay>("redis"),
  };
}

}  // namespace

Keys<Dpop> dpop() {
  return {
      member<Dpop>("algorithms", one_or_list(algorithm()), &Dpop::algorithms)
          .about("What a proof may be signed with"),
      member<Dpop>("max_age", time(kSecond, 24 * kHour), &Dpop::max_age)
          .about("A proof's iat lies in [now - max_age - clock_skew, now + clock_skew]"),
      member<Dpop>("clock_skew", time(milliseconds(0), kHour), &Dpop::clock_skew)
          .about("How far a client's clock may be off"),
      member<Dpop>("key_mismatch_status", key_mismatch_status(), &Dpop::key_mismatch_status)
          .about("For a token that is bound to another key; 401 for FAPI 2.0 conformance"),
      section<Dpop>("nonce", nonce(), &Dpop::nonce).about("Nonces that this server gives out"),
      section<Dpop>("replay", replay(), &Dpop::replay).about("The store of proofs that were used"),
  };
}

}  // namespace holdfast::settings
