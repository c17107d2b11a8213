// What can be told of a judged request when somebody asks why it came out as it did: how far it got, and what
// its checks compared. There is no place in it for a secret: no token, proof, signature, nonce, jti, key,
// cookie or query string; what a token claims is here once it has verified. Every text is cut, so whoever
// keeps accounts knows what they cost at most. Values; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/reason.h"
#include "base/time.h"
#include "http/message.h"
#include "jose/algorithm.h"
#include "pipeline/ports.h"
#include "pipeline/verifier.h"

namespace holdfast::pipeline {

enum class Decision : std::uint8_t { kAllow, kReport, kDeny };

struct Account {
  // Of a proof that could be read, whether or not it was good.
  struct Proof {
    jose::Algorithm alg{};
    std::string jkt;
    std::string names;  // htu in normal form; empty where it has none
    UnixTime iat;
    bool has_ath = false;
  };
  // Of a JWT that could be read: its header's, which verifies nothing.
  struct TokenHeader {
    jose::Algorithm alg{};
    std::string kid;
  };
  // Of a token that verified, or that its issuer spoke for; lists are joined by spaces.
  struct Claims {
    std::string sub, client_id;
    std::string aud, scopes, roles;
    std::string acr;
    UnixTime exp;
    std::optional<UnixTime> auth_time;
    bool names_key = false;   // cnf.jkt
    std::string certificate;  // cnf.x5t#S256
  };

  std::uint64_t rules = 0;  // Rules::number that it was judged by; the indexes below are of those
  UnixTime time;            // when it began, and was judged by
  std::string request_id, client_ip, method, path, host;
  std::string certificate;  // x5t#S256 of the one that the client showed
  std::size_t listener = 0;
  std::optional<std::size_t> route;
  http::BodyLength body;  // as announced, where it was held against a limit
  Decision decision = Decision::kAllow;
  std::uint16_t status = 0;
  std::optional<Reason> reason;
  std::string detail;                 // of the refusal, or of what would be one, as its client reads it
  bool bearer = false;                // how the token was sent
  bool opaque = false;                // the token is no JWT, and its issuer is the one to ask
  bool asked = false;                 // the issuer was asked about it
  bool answered = false;              // and said something for it
  bool admitted = false;              // nothing spoke against it any more
  bool forwarded = false;             // it went to a backend
  std::optional<std::size_t> issuer;  // that the token names, or that is asked about it
  std::optional<Proof> proof;
  std::optional<TokenHeader> token;
  std::optional<Claims> claims;
};

// No account takes more, all texts at their longest.
inline constexpr std::size_t kLargestAccount = 5 * 1024;

// The same as the story has it, while AccessLog::record() runs.
struct Grounds {
  const Subject& subject;
  const Evidence& evidence;
  std::size_t listener;
  http::BodyLength body;
  std::string_view detail;
  policy::AuthScheme tried;
  bool asked;
  bool answered;
  bool admitted;
  bool forwarded;
};

// `record` has grounds.
[[nodiscard]] Account account_of(const AccessRecord& record);

}  // namespace holdfast::pipeline
