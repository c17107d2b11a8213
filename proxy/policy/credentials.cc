// Evidence: see the header.
#include "policy/credentials.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"

namespace holdfast::policy {
namespace {

AuthScheme scheme_of(std::string_view word) {
  if (iequals(word, "DPoP")) return AuthScheme::dpop;
  if (iequals(word, "Bearer")) return AuthScheme::bearer;
  return AuthScheme::none;
}

std::string_view scheme_word(std::string_view authorization) {
  return authorization.substr(0, authorization.find_first_of(" \t,"));
}

// RFC 9110 11.2: 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="
constexpr auto kToken68Chars = [] {
  std::array<bool, 256> table{};
  for (unsigned c = 0; c < 128; ++c) {
    const char letter = static_cast<char>(c);
    table[c] = is_alpha(letter) || is_digit(letter) || std::string_view("-._~+/").contains(letter);
  }
  return table;
}();

bool is_token68(std::string_view text) {
  while (text.ends_with('=')) text.remove_suffix(1);
  return !text.empty() &&
         std::ranges::all_of(text, [](char c) { return kToken68Chars[static_cast<unsigned char>(c)]; });
}

Checked<Credentials> parse_authorization(std::string_view value) {
  const std::string_view word = scheme_word(value);
  if (word.empty() || !std::ranges::all_of(word, is_token_char)) {
    return refuse(Reason::authorization_malformed, "Authorization does not begin with a scheme");
  }
  Credentials credentials;
  credentials.scheme = scheme_of(word);
  if (credentials.scheme == AuthScheme::none) {
    return refuse(Reason::no_credentials, "this route does not take the Authorization scheme sent");
  }
  std::string_view rest = value.substr(word.size());
  if (rest.contains(','))
    return refuse(Reason::authorization_multiple, "Authorization holds more than one credential");
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  if (!is_token68(rest)) {
    return refuse(Reason::authorization_malformed, "Authorization is not a scheme, a space and one token");
  }
  credentials.token = rest;
  return credentials;
}

}  // namespace

Checked<Credentials> gather_credentials(const http::Fields& fields, Access access) {
  const auto authorization = fields.find("authorization");
  if (!authorization) return refuse(Reason::no_credentials, "the request has no Authorization field");
  if (fields.count("authorization") > 1) {
    return refuse(Reason::authorization_multiple, "the request has more than one Authorization field");
  }
  auto credentials = parse_authorization(*authorization);
  if (!credentials) return credentials;
  const bool bearer = credentials->scheme == AuthScheme::bearer;
  if (bearer && !takes_bearer(access)) {
    return refuse(Reason::bearer_refused, "this route takes DPoP, and the token was sent as Bearer");
  }
  const auto proof = fields.find("dpop");
  if (fields.count("dpop") > 1 || (proof && proof->contains(','))) {
    return refuse(Reason::proof_multiple, "the request has more than one DPoP proof");
  }
  if (bearer) return credentials;
  if (!proof) return refuse(Reason::proof_missing, "the request has no DPoP field");
  credentials->proof = *proof;
  return credentials;
}

AuthScheme tried_scheme(const http::Fields& fields) {
  const auto authorization = fields.find("authorization");
  return authorization ? scheme_of(scheme_word(*authorization)) : AuthScheme::none;
}

}  // namespace holdfast::policy
