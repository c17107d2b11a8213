#include "settings/keys_dpop.h"

#include "settings/key_forms.h"

namespace holdfast::settings {
namespace {

Value<int> key_mismatch_status() {
  return number([](std::string_view text) -> Parsed<int> {
    if (text == "401") return 401;
    if (text == "403") return 403;
    return std::unexpected("401 or 403");
  });
}

Keys<Nonce> nonce() {
  return {
      member<Nonce>("mode", nonce_mode(), &Nonce::mode),
      // a slot is a tenth of it, and a nonce must outlive a client's round trip
      member<Nonce>("lifetime", time(kSecond, 24 * kHour), &Nonce::lifetime),
      member<Nonce>("secret_file", text(), &Nonce::secret_file),
  };
}

Keys<Replay> replay() {
  return {
      not_yet<Replay>("store", {"memory"}),
      member<Replay>("capacity", whole<std::size_t>(1'000, 1'000'000'000), &Replay::capacity),
      member<Replay>("per_key", scalar(parse_share), &Replay::per_key),
      member<Replay>("cold_start",
                     choice<ColdStart>({{"fresh", ColdStart::kFresh}, {"accept", ColdStart::kAccept}}),
                     &Replay::cold_start),
      not_yet<Replay>("on_unavailable", {"refuse"}),
      not_yet<Replay>("redis"),
  };
}

}  // namespace

Keys<Dpop> dpop() {
  return {
      member<Dpop>("algorithms", one_or_list(algorithm()), &Dpop::algorithms),
      member<Dpop>("max_age", time(kSecond, 24 * kHour), &Dpop::max_age),
      member<Dpop>("clock_skew", time(milliseconds(0), kHour), &Dpop::clock_skew),
      member<Dpop>("key_mismatch_status", key_mismatch_status(), &Dpop::key_mismatch_status),
      section<Dpop>("nonce", nonce(), &Dpop::nonce),
      section<Dpop>("replay", replay(), &Dpop::replay),
  };
}

}  // namespace holdfast::settings
