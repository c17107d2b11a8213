#include "settings/keys_issuers.h"

#include "settings/key_forms.h"

namespace holdfast::settings {
namespace {

Keys<Jwks> jwks() {
  return {
      member<Jwks>("refresh", time(kSecond), &Jwks::refresh).about("How often the keys are fetched"),
      member<Jwks>("min_refetch_interval", time(kSecond), &Jwks::min_refetch_interval)
          .about("How often they are fetched for a key that is not known yet, after a burst of three"),
      member<Jwks>("max_stale", time(kSecond), &Jwks::max_stale)
          .about("How long the last good keys serve while the issuer is away"),
  };
}

// `mode: off` is what exists; every other key only has a meaning with another mode.
Key<IssuerDraft> introspection() {
  Keys<IssuerDraft> keys;
  keys.push_back(not_yet<IssuerDraft>("mode", {"off"}).about("Which tokens the issuer is asked about"));
  for (const char* name : {"client_id", "auth", "client_secret_file", "key_file", "cache"}) {
    keys.push_back(not_yet<IssuerDraft>(name));
  }
  return group<IssuerDraft>("introspection", keys).about("Token introspection (RFC 7662)");
}

}  // namespace

Value<IssuerDraft> issuer() {
  return map<IssuerDraft>({
      member<IssuerDraft>("name", text(), &Issuer::name).required().about("What routes call it"),
      member<IssuerDraft>("url", url(), &Issuer::url)
          .required()
          .about("The exact `iss` of its tokens, byte for byte; discovery finds the rest"),
      member<IssuerDraft>("discovery_url", url(), &Issuer::discovery_url)
          .about("The metadata document, where it is not where url says (OpenID Connect, RFC 8414)"),
      member<IssuerDraft>("jwks_url", url(), &Issuer::jwks_url)
          .about("The keys, instead of discovery or beside it"),
      member<IssuerDraft>("audiences", audiences(), &IssuerDraft::audiences_written)
          .required()
          .about("What must be in `aud`: one name of these, or any for whatever it is"),
      member<IssuerDraft>("algorithms", one_or_list(algorithm()), &Issuer::algorithms)
          .about("What its tokens may be signed with"),
      member<IssuerDraft>("token_type",
                          choice<TokenType>({{"any", TokenType::kAny}, {"at+jwt", TokenType::kAtJwt}}),
                          &Issuer::token_type)
          .about("at+jwt: only tokens that keep to RFC 9068"),
      member<IssuerDraft>("clock_skew", time(milliseconds(0), kHour), &Issuer::clock_skew)
          .about("How far its clock may be off"),
      member<IssuerDraft>("allow_http", boolean(), &Issuer::allow_http)
          .about("true: plain http:// to it is taken outside loopback, too"),
      member<IssuerDraft>("ca", text(), &Issuer::ca)
          .about("A PEM file of the authorities that its certificate is held to; without it the system's"),
      section<IssuerDraft>("jwks", jwks(), &Issuer::jwks).about("When its keys are fetched"),
      introspection(),
  });
}

}  // namespace holdfast::settings
