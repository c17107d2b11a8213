// The checks of a request in the order of the story (verification.md, "Order"), for people: which of them a
// reason stands for, and what each of them compared. It decides nothing: the verdict is the story's own, and
// what is shown of the checks before it is read from the request with the same parsers. Any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/explain.h"
#include "http/message.h"
#include "rehearsal/rehearsal.h"
#include "settings/model.h"
#include "token/access_token.h"

namespace holdfast::rehearsal {

enum class Check : std::uint8_t {
  kRequest,
  kRoute,
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
  kProofSignature,
  kReplay,
};

[[nodiscard]] std::string_view check_name(Check check);

// A request and what is known of its judgement. Everything outlives it.
struct Judged {
  const settings::Settings& settings;
  const Verdict& verdict;
  std::size_t listener = 0;
  std::string method;
  std::string target;
  std::string token;       // as sent; empty: none was found
  std::string proof;       // as sent; empty: none was found
  std::string keys_error;  // why an issuer's keys could not be had
  bool asked = false;      // the issuer was asked about the token
  // What it said; null where it was not asked, or had nothing to say for it.
  std::shared_ptr<const token::AccessToken> facts;
  UnixTime now;

  [[nodiscard]] const settings::Route* route() const;
  [[nodiscard]] std::size_t route_index() const;
  // The issuer that the token names or, where it names none, the one that the route would ask about it.
  [[nodiscard]] std::optional<std::size_t> issuer() const;
};

// The check that failed.
[[nodiscard]] Check failed_check(const Judged& judged);
// What may be done about it; empty where the check says it all.
[[nodiscard]] std::string mend_of(const Judged& judged);
// All checks that a request like this has to pass, and how it fared.
[[nodiscard]] std::vector<cli::Rung> ladder_of(const Judged& judged);

}  // namespace holdfast::rehearsal
