// What of a client's request never reaches the backend. Everything under an identity header's name goes, the
// usual names also where they are not in use, whatever its case and with any non-alphanumeric taken as '-'
// (CGI-style backends read X_Auth_Subject and X-Auth-Subject as one variable); it goes by removal here,
// before the client's Connection list is looked at, so that listing a name saves or kills nothing.
// Credentials go because the backend must not be able to use them; forwarding fields go unless a trusted
// proxy sent them. A plan is compiled once from the configuration and read-only afterwards; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace holdfast::identity {

// identity.headers: the header for each fact; empty: none.
struct IdentityHeaders {
  std::string sub = "X-Auth-Subject";
  std::string client_id = "X-Auth-Client-Id";
  std::string preferred_username = "X-Auth-Username";
  std::string email = "X-Auth-Email";
  std::string scope = "X-Auth-Scope";
  std::string roles = "X-Auth-Roles";
  std::string iss = "X-Auth-Issuer";
  std::string jkt = "X-Auth-Key-Thumbprint";
  std::string client_certificate;   // its subject; none unless it was asked for
  std::vector<std::string> others;  // removed here all the same: the assertion's, which is set elsewhere
};

struct StripContext {
  bool protected_route = true;      // Authorization goes, too
  bool credentials_pass = false;    // a report-only route: Authorization and DPoP stay
  bool from_trusted_proxy = false;  // forwarding and client-certificate fields stay
};

class HeaderPlan {
 public:
  explicit HeaderPlan(IdentityHeaders headers);

  // Everything that the contract removes ("To the backend"), hop-by-hop fields included.
  void strip_request(http::Fields& fields, const StripContext& context) const;
  // The same names, and what http::remove_forbidden_trailers removes.
  void strip_trailers(http::Fields& trailers) const;

  [[nodiscard]] const IdentityHeaders& headers() const { return headers_; }
  // Does `name` read as one of the identity headers?
  [[nodiscard]] bool is_identity_header(std::string_view name) const;

 private:
  IdentityHeaders headers_;
  std::vector<std::string> folded_;  // identity headers' names, folded: lower-case, '-' for the rest
  std::array<std::uint64_t, 4>
      lengths_{};  // which lengths those names have: one bit test rules most fields out
};

}  // namespace holdfast::identity
