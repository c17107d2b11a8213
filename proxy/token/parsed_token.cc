// Taking a token apart: see the header.
#include "token/parsed_token.h"

#include <boost/json/value.hpp>

#include <utility>

#include "base/ascii.h"
#include "base/base64url.h"
#include "jose/json.h"
#include "jose/jws.h"

namespace holdfast::token {
namespace {

Checked<boost::json::object> parse_segment(std::string_view segment, std::string_view name) {
  const auto text = base64url_decode(segment);
  if (!text) return refuse(Reason::token_malformed, "the token's " + std::string(name) + " is not base64url");
  auto object = jose::parse_json_object(*text);
  // No word of what stands in it: nothing of a token is shown before it verified.
  if (!object)
    return refuse(Reason::token_malformed, "the token's " + std::string(name) + " is no strict JSON object");
  return *std::move(object);
}

// RFC 8725 3.11: the `typ` keeps ID tokens, logout tokens and proofs from passing for access tokens.
Checked<bool> is_at_jwt(const boost::json::object& header) {
  if (!header.contains("typ")) return false;
  const auto typ = jose::string_member(header, "typ");
  if (typ && iequals(*typ, "JWT")) return false;
  if (typ && (iequals(*typ, "at+jwt") || iequals(*typ, "application/at+jwt"))) return true;
  return refuse(Reason::token_type, "the token header's typ is none of an access token's");
}

}  // namespace

bool looks_like_jwt(std::string_view credential) {
  const auto jws = jose::split_compact(credential, credential.size());
  if (!jws) return false;
  const auto header = base64url_decode(jws->header);
  if (!header) return false;
  const std::size_t first = header->find_first_not_of(" \t\r\n");
  return first != std::string::npos && (*header)[first] == '{';
}

Checked<ParsedToken> parse(std::string_view credential) {
  const auto jws = jose::split_compact(credential, jose::kMaxTokenSize);
  if (!jws) return refuse(Reason::token_malformed, "the token is " + jws.error());
  const auto header = parse_segment(jws->header, "header");
  if (!header) return std::unexpected(header.error());

  ParsedToken token;
  // `jwk`, `jku`, `x5u` and `x5c` are not even looked at: whoever writes the header would choose his own
  // judge.
  for (const char* const name : {"crit", "b64"}) {
    if (header->contains(name)) {
      return refuse(Reason::token_malformed,
                    std::string("the token's header has ") + name + ", and no extension is known here");
    }
  }
  const auto at_jwt = is_at_jwt(*header);
  if (!at_jwt) return std::unexpected(at_jwt.error());
  token.is_at_jwt = *at_jwt;

  const auto alg_name = jose::string_member(*header, "alg");
  const auto alg = alg_name ? jose::algorithm_named(*alg_name) : std::nullopt;
  if (!alg) return refuse(Reason::token_algorithm, "the token's alg is no asymmetric algorithm known here");
  token.alg = *alg;
  if (header->contains("kid")) {
    const auto kid = jose::string_member(*header, "kid");
    if (!kid) return refuse(Reason::token_malformed, "the token's kid is no string");
    token.kid.emplace(*kid);
  }

  auto claims = parse_segment(jws->payload, "payload");
  if (!claims) return std::unexpected(std::move(claims).error());
  token.unverified_claims = *std::move(claims);
  const auto iss = jose::string_member(token.unverified_claims, "iss");
  if (!iss) return refuse(Reason::token_issuer, "the token's iss is missing or no string");
  token.unverified_iss = *iss;

  auto signature = base64url_decode(jws->signature);
  if (!signature) return refuse(Reason::token_malformed, "the token's signature is not base64url");
  token.signature = *std::move(signature);
  token.signing_input = jws->signing_input;
  return token;
}

}  // namespace holdfast::token
