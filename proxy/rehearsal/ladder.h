// The checks of a request in the order of the story (verification.md, "Order"), for people: which of them a
// reason stands for, and what each of them compared. It decides nothing and reads no request: all it knows is
// the story's own account, whether that was rehearsed for `explain` or remembered by the proxy that served.
// Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/explain.h"
#include "pipeline/account.h"
#include "settings/model.h"

namespace holdfast::rehearsal {

enum class Check : std::uint8_t {
  kRequest,
  kRoute,
  kBody,
  kOrigin,
  kCredentials,
  kProof,
  kHtm,
  kHtu,
  kNonce,
  kIat,
  kAth,
  kToken,
  kIss,
  kKey,
  kTokenSignature,
  kTokenClaims,
  kActive,
  kAud,
  kExp,
  kBinding,
  kScopes,
  kRoles,
  kClaims,
  kLogin,
  kQueue,
  kProofSignature,
  kReplay,
  kExchange,
};

[[nodiscard]] std::string_view check_name(Check check);

// A request's account, and the settings that it was judged by. Both outlive it.
struct Judged {
  const settings::Settings& settings;
  const pipeline::Account& account;
  bool rehearsed = false;       // nobody was served: what only a running proxy knows was left out
  std::string keys_error = {};  // why an issuer's keys could not be had

  [[nodiscard]] const settings::Route* route() const;
  [[nodiscard]] const settings::Listener& listener() const { return settings.listeners[account.listener]; }
  [[nodiscard]] const settings::Issuer* issuer() const;
  // Of a request on a route.
  [[nodiscard]] std::uint64_t max_body() const;
  [[nodiscard]] std::string max_body_key() const;
};

// The check that failed. Where there is a reason.
[[nodiscard]] Check failed_check(const Judged& judged);
// What may be done about it; empty where the check says it all.
[[nodiscard]] std::string mend_of(const Judged& judged);
// All checks that a request like this has to pass, and how it fared.
[[nodiscard]] std::vector<cli::Rung> ladder_of(const Judged& judged);
// The same, after what became of it in a line.
[[nodiscard]] cli::Explanation told(const Judged& judged);

}  // namespace holdfast::rehearsal
