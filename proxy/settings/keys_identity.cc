#include "settings/keys_identity.h"

#include "settings/key_forms.h"

namespace holdfast::settings {
namespace {

Value<Assertion> assertion() {
  return map<Assertion>({
      member<Assertion>("header", field_name(), &Assertion::header),
      member<Assertion>("key", text(), &Assertion::key).required(),
      member<Assertion>("previous_key", text(), &Assertion::previous_key),
      member<Assertion>("audience", text(), &Assertion::audience),
      member<Assertion>("issuer", text(), &Assertion::issuer),
      // shorter ones would not outlast a request's way to a busy backend with a clock of its own
      member<Assertion>("lifetime", time(10 * kSecond, kHour), &Assertion::lifetime),
  });
}

}  // namespace

Key<Draft> identity() {
  const Keys<IdentityHeaders> headers{
      member<IdentityHeaders>("sub", header_name(), &IdentityHeaders::sub),
      member<IdentityHeaders>("client_id", header_name(), &IdentityHeaders::client_id),
      member<IdentityHeaders>("preferred_username", header_name(), &IdentityHeaders::preferred_username),
      member<IdentityHeaders>("email", header_name(), &IdentityHeaders::email),
      member<IdentityHeaders>("scope", header_name(), &IdentityHeaders::scope),
      member<IdentityHeaders>("roles", header_name(), &IdentityHeaders::roles),
      member<IdentityHeaders>("iss", header_name(), &IdentityHeaders::iss),
      member<IdentityHeaders>("jkt", header_name(), &IdentityHeaders::jkt),
  };
  const Keys<Draft> keys{
      section<Draft>("headers", headers, &Settings::identity_headers),
      member<Draft>("assertion", or_off(assertion()), &Settings::assertion),
      {"client_certificate",
       [name = header_name()](const Node& node, const Place& place, Draft& draft, Report& report) {
         if (auto read = name.read(node, place, report)) {
           draft.identity_headers.client_certificate = *std::move(read);
         }
       }},
  };
  return {"identity", [keys](const Node& node, const Place& place, Draft& draft, Report& report) {
            if (node.kind == Node::Kind::kMap) {
              read_map(node, place, keys, draft, report);
            } else {
              refuse(node, place, report, "a map");
            }
          }};
}

}  // namespace holdfast::settings
