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

Keys<Introspection> introspection() {
  return {
      member<Introspection>("mode",
                            choice<IntrospectionMode>({{"off", IntrospectionMode::kOff},
                                                       {"opaque", IntrospectionMode::kOpaque},
                                                       {"always", IntrospectionMode::kAlways}}),
                            &Introspection::mode)
          // whoever names a client means to ask, and would never learn that nobody does
          .required()
          .about("Which tokens the issuer is asked about: none, those that are no JWTs, or all"),
      member<Introspection>("url", url(), &Introspection::url)
          .about("Where it is asked, instead of introspection_endpoint in its metadata"),
      member<Introspection>("client_id", text(), &Introspection::client_id).about("The client that asks"),
      member<Introspection>(
          "auth",
          choice<ClientAuthentication>({{"client_secret_basic", ClientAuthentication::kClientSecretBasic},
                                        {"private_key_jwt", ClientAuthentication::kPrivateKeyJwt}}),
          &Introspection::auth)
          .about("How the client shows who it is"),
      member<Introspection>("client_secret_file", text(), &Introspection::client_secret_file)
          .about("Its secret, in one line; for client_secret_basic"),
      member<Introspection>("key_file", text(), &Introspection::key_file)
          .about("Its private key in PEM; for private_key_jwt"),
      member<Introspection>("kid", text(), &Introspection::kid)
          .about("What the issuer calls that key, where it knows several of this client's"),
      // longer, and a revoked token would be as good as any
      member<Introspection>("cache", time(milliseconds(0), kHour), &Introspection::cache)
          .about("How long an answer counts: a revoked token is refused after that"),
  };
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
      section<IssuerDraft>("introspection", introspection(), &Issuer::introspection)
          .about("Asking the issuer about tokens (RFC 7662)"),
  });
}

}  // namespace holdfast::settings
