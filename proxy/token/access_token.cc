// What is asked of a token's facts: see the header.
#include "token/access_token.h"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <utility>

#include "base/ascii.h"

namespace holdfast::token {
namespace {

namespace json = boost::json;

constexpr std::size_t kBlock = 16;  // of an allocation, beside what was asked for

std::size_t footprint(const json::value& value) {
  if (const json::string* const text = value.if_string()) return kBlock + text->capacity();
  std::size_t bytes = 0;
  if (const json::array* const array = value.if_array()) {
    bytes = kBlock + array->capacity() * sizeof(json::value);
    for (const json::value& each : *array) bytes += footprint(each);
  } else if (const json::object* const object = value.if_object()) {
    // and an index of 4 bytes a member and a bucket
    bytes = kBlock + object->capacity() * (sizeof(json::key_value_pair) + 8);
    for (const json::key_value_pair& each : *object) {
      bytes += kBlock + each.key().size() + footprint(each.value());
    }
  }
  return bytes;
}

std::size_t footprint(const std::string& text) {
  return sizeof text + kBlock + text.capacity();
}

std::size_t footprint(const std::vector<std::string>& texts) {
  std::size_t bytes = kBlock;
  for (const std::string& each : texts) bytes += footprint(each);
  return bytes;
}

}  // namespace

std::size_t footprint(const AccessToken& token) {
  std::size_t bytes =
      sizeof token + kBlock + footprint(token.aud) + footprint(token.scopes) + footprint(token.realm_roles);
  for (const auto& [client, role] : token.client_roles) bytes += footprint(client) + footprint(role);
  for (const std::optional<std::string>* const text :
       {&token.sub, &token.client_id, &token.acr, &token.email, &token.preferred_username, &token.kid}) {
    if (*text) bytes += kBlock + (*text)->capacity();
  }
  for (const auto& each : token.claims)
    bytes += kBlock + sizeof each + each.key().size() + footprint(each.value());
  return bytes;
}

Checked<void> check_bearer(const AccessToken& token, bool x5t_satisfied) {
  const auto bound = [](std::string how) { return refuse(Reason::bearer_for_bound_token, std::move(how)); };
  if (token.dpop_by_introspection)
    return bound("the token's token_type is DPoP: send it as DPoP, with a proof");
  if (token.typ && iequals(*token.typ, "DPoP"))
    return bound("the token's typ is DPoP: send it as DPoP, with a proof");
  if (!token.cnf.present) return {};
  // Whatever else stands in `cnf` binds the token to something that Bearer does not show, known to us or not.
  if (!token.cnf.is_only_certificate)
    return bound("the token has cnf, so it is bound to a key: send it as DPoP, with a proof");
  if (x5t_satisfied) return {};
  return refuse(Reason::certificate_mismatch,
                "the token is bound to another client certificate than this connection's");
}

}  // namespace holdfast::token
