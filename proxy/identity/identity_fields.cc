// Identity headers: see the header.
#include "identity/identity_fields.h"

#include <algorithm>
#include <string>

#include "token/access_token.h"

namespace holdfast::identity {
namespace {

void append_encoded(std::string& out, std::string_view text, std::string_view also) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  const auto passes = [also](char c) { return c > 0x20 && c < 0x7F && c != '%' && !also.contains(c); };
  while (!text.empty()) {
    const auto odd = std::ranges::find_if_not(text, passes);
    out.append(text.begin(), odd);
    if (odd == text.end()) return;
    const auto byte = static_cast<unsigned char>(*odd);
    out += '%';
    out += kHex[byte >> 4];
    out += kHex[byte & 0xF];
    text = {odd + 1, text.end()};
  }
}

// Adds headers, building their values in one string.
class Writer {
 public:
  explicit Writer(http::Fields& fields) : fields_(fields) {}

  void add(std::string_view name, std::string_view claim) {
    if (name.empty() || claim.empty()) return;
    value_.clear();
    append_encoded(value_, claim, "");
    fields_.add(name, value_);
  }

  void add_scopes(std::string_view name, const std::vector<std::string>& scopes) {
    if (name.empty() || scopes.empty()) return;
    value_.clear();
    for (const std::string& scope : scopes) {
      if (!value_.empty()) value_ += ' ';
      append_encoded(value_, scope, "");
    }
    fields_.add(name, value_);
  }

  // ':' in a realm role or in a client's name is encoded, so the first ':' of an item always parts client and
  // role.
  void add_roles(std::string_view name, const token::AccessToken& token) {
    if (name.empty() || (token.realm_roles.empty() && token.client_roles.empty())) return;
    value_.clear();
    for (const std::string& role : token.realm_roles) {
      if (!value_.empty()) value_ += ',';
      append_encoded(value_, role, ",:");
    }
    for (const auto& [client, role] : token.client_roles) {
      if (!value_.empty()) value_ += ',';
      append_encoded(value_, client, ",:");
      value_ += ':';
      append_encoded(value_, role, ",");
    }
    fields_.add(name, value_);
  }

 private:
  http::Fields& fields_;
  std::string value_;
};

}  // namespace

void set_identity(const HeaderPlan& plan, http::Fields& fields, const token::AccessToken& token,
                  std::string_view jkt) {
  const IdentityHeaders& names = plan.headers();
  Writer writer(fields);
  writer.add(names.sub, token.sub.value_or(""));
  writer.add(names.client_id, token.client_id.value_or(""));
  writer.add(names.preferred_username, token.preferred_username.value_or(""));
  // An address that nobody verified is whatever its owner typed: a backend that looks users up by it would be
  // fooled.
  if (token.email_verified) writer.add(names.email, token.email.value_or(""));
  writer.add_scopes(names.scope, token.scopes);
  writer.add_roles(names.roles, token);
  writer.add(names.iss, token.iss);
  writer.add(names.jkt, jkt);
}

void set_client_certificate(const HeaderPlan& plan, http::Fields& fields, std::string_view subject) {
  Writer(fields).add(plan.headers().client_certificate, subject);
}

}  // namespace holdfast::identity
