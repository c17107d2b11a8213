// Stripping: see the header.
#include "identity/header_plan.h"

#include <algorithm>
#include <utility>

#include "base/ascii.h"
#include "http/field_name.h"
#include "http/forwarded.h"
#include "http/hop_by_hop.h"

namespace holdfast::identity {
namespace {

constexpr std::size_t kLongest = 255;  // longer names share this one's bit

// Does one of the credentials in an Authorization value, joined by commas or alone, have the scheme DPoP?
bool holds_dpop(std::string_view value) {
  while (!value.empty()) {
    const std::size_t comma = std::min(value.find(','), value.size());
    const std::string_view credential = trim_ows(value.substr(0, comma));
    if (iequals(credential.substr(0, credential.find_first_of(" \t")), "dpop")) return true;
    value.remove_prefix(std::min(comma + 1, value.size()));
  }
  return false;
}

bool is_credential_to_remove(const http::Field& field, const StripContext& context) {
  if (context.credentials_pass) return false;
  if (http::name_is(field.name, "dpop")) return true;
  if (!http::name_is(field.name, "authorization")) return false;
  return context.protected_route || holds_dpop(field.value);
}

bool is_for_trusted_proxies(std::string_view name) {
  return http::is_forwarding_field(name) || http::name_is(name, "x-request-id");
}

}  // namespace

HeaderPlan::HeaderPlan(IdentityHeaders headers) : headers_(std::move(headers)) {
  const auto take = [this](const std::string& name) {
    std::string folded = http::fold_name(name);
    if (name.empty() || std::ranges::find(folded_, folded) != folded_.end()) return;
    folded_.push_back(std::move(folded));
    const std::size_t length = std::min(name.size(), kLongest);
    lengths_[length / 64] |= std::uint64_t{1} << length % 64;
  };
  // The usual names as well, where one is off or called something else: a backend may know no other.
  for (const IdentityHeaders& names : {headers_, IdentityHeaders()}) {
    for (const std::string* name :
         {&names.sub, &names.client_id, &names.preferred_username, &names.email, &names.scope, &names.roles,
          &names.iss, &names.jkt, &names.client_certificate}) {
      take(*name);
    }
  }
  for (const std::string& name : headers_.others) take(name);
}

bool HeaderPlan::is_identity_header(std::string_view name) const {
  const std::size_t length = std::min(name.size(), kLongest);
  if ((lengths_[length / 64] >> length % 64 & 1) == 0) return false;
  return std::ranges::any_of(folded_,
                             [name](const std::string& folded) { return http::name_is(name, folded); });
}

void HeaderPlan::strip_request(http::Fields& fields, const StripContext& context) const {
  http::remove_hop_by_hop(fields);
  fields.remove_if([&](const http::Field& field) {
    return is_identity_header(field.name) || is_credential_to_remove(field, context) ||
           (!context.from_trusted_proxy && is_for_trusted_proxies(field.name));
  });
}

void HeaderPlan::strip_trailers(http::Fields& trailers) const {
  http::remove_forbidden_trailers(trailers);
  trailers.remove_if([this](const http::Field& field) { return is_identity_header(field.name); });
}

}  // namespace holdfast::identity
