#include "settings/keys_issuers.h"

#include "settings/key_forms.h"

namespace holdfast::settings {
namespace {

Keys<Jwks> jwks() {
  return {
      member<Jwks>("refresh", time(kSecond), &Jwks::refresh),
      member<Jwks>("min_refetch_interval", time(kSecond), &Jwks::min_refetch_interval),
      member<Jwks>("max_stale", time(kSecond), &Jwks::max_stale),
  };
}

// `mode: off` is what exists; every other key only has a meaning with another mode.
Key<IssuerDraft> introspection() {
  struct Introspection {};
  Keys<Introspection> keys;
  keys.push_back(not_yet<Introspection>("mode", {"off"}));
  for (const char* name : {"client_id", "auth", "client_secret_file", "key_file", "cache"}) {
    keys.push_back(not_yet<Introspection>(name));
  }
  const auto value = map<Introspection>(keys);
  return {"introspection", [value](const Node& node, const Place& place, IssuerDraft&, Report& report) {
            value.read(node, place, report);
          }};
}

}  // namespace

Value<IssuerDraft> issuer() {
  return map<IssuerDraft>({
      member<IssuerDraft>("name", text(), &Issuer::name).required(),
      member<IssuerDraft>("url", url(), &Issuer::url).required(),
      member<IssuerDraft>("discovery_url", url(), &Issuer::discovery_url),
      member<IssuerDraft>("jwks_url", url(), &Issuer::jwks_url),
      member<IssuerDraft>("audiences", audiences(), &IssuerDraft::audiences_written).required(),
      member<IssuerDraft>("algorithms", one_or_list(algorithm()), &Issuer::algorithms),
      member<IssuerDraft>("token_type",
                          choice<TokenType>({{"any", TokenType::kAny}, {"at+jwt", TokenType::kAtJwt}}),
                          &Issuer::token_type),
      member<IssuerDraft>("clock_skew", time(milliseconds(0), kHour), &Issuer::clock_skew),
      member<IssuerDraft>("allow_http", boolean(), &Issuer::allow_http),
      member<IssuerDraft>("ca", text(), &Issuer::ca),
      section<IssuerDraft>("jwks", jwks(), &Issuer::jwks),
      introspection(),
  });
}

}  // namespace holdfast::settings
