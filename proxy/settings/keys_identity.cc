#include "settings/keys_identity.h"

#include "settings/key_forms.h"

namespace holdfast::settings {
namespace {

Value<Assertion> assertion() {
  return map<Assertion>({
      member<Assertion>("header", field_name(), &Assertion::header).about("The header that carries it"),
      member<Assertion>("key", text(), &Assertion::key)
          .required()
          .about("A PEM file: the private key, P-256 (`holdfast keygen`)"),
      member<Assertion>("previous_key", text(), &Assertion::previous_key)
          .about("A PEM file: published beside key, and signs nothing; for rotation"),
      member<Assertion>("audience", text(), &Assertion::audience)
          .about("Its `aud`; without it the name of the upstream"),
      member<Assertion>("issuer", text(), &Assertion::issuer).about("Its `iss`"),
      // shorter ones would not outlast a request's way to a busy backend with a clock of its own
      member<Assertion>("lifetime", time(10 * kSecond, kHour), &Assertion::lifetime)
          .about("How long it is good for, and never beyond the access token"),
  });
}

}  // namespace

Key<Draft> identity() {
  const Keys<IdentityHeaders> headers{
      member<IdentityHeaders>("sub", header_name(), &IdentityHeaders::sub).about("The token's subject"),
      member<IdentityHeaders>("client_id", header_name(), &IdentityHeaders::client_id)
          .about("The client, azp where the token has no client_id"),
      member<IdentityHeaders>("preferred_username", header_name(), &IdentityHeaders::preferred_username)
          .about("The user's name"),
      member<IdentityHeaders>("email", header_name(), &IdentityHeaders::email)
          .about("The user's address, only where email_verified is true"),
      member<IdentityHeaders>("scope", header_name(), &IdentityHeaders::scope)
          .about("The scopes, with one space between"),
      member<IdentityHeaders>("roles", header_name(), &IdentityHeaders::roles)
          .about("Realm roles and CLIENT:ROLE, joined by commas"),
      member<IdentityHeaders>("iss", header_name(), &IdentityHeaders::iss).about("The issuer"),
      member<IdentityHeaders>("jkt", header_name(), &IdentityHeaders::jkt)
          .about("The thumbprint of the proof's key (RFC 7638)"),
  };
  return group<Draft>(
             "identity",
             {section<Draft>("headers", headers, &Settings::identity_headers)
                  .about("The header that carries each claim of a verified token; off leaves one out"),
              member<Draft>("assertion", or_off(assertion()), &Settings::assertion)
                  .about("The same, signed (ES256), for backends that check for themselves; or off"),
              within<Draft>(&Settings::identity_headers,
                            member<IdentityHeaders>("client_certificate", header_name(),
                                                    &IdentityHeaders::client_certificate))
                  .about("A header for the subject of the client's certificate (RFC 4514), or off")})
      .about("What the API is told about the caller");
}

}  // namespace holdfast::settings
