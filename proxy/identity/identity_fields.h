// Tells the backend who is calling, from verified claims only. Values are safe in a field and in a list:
// bytes outside 0x21-0x7E and '%' are percent-encoded, in list items ',' too, and ':' in a realm role, so
// that no role can pose as a client's. An absent claim is no header. Pure; one thread per message.
#pragma once

#include <string_view>

#include "http/message.h"
#include "identity/header_plan.h"

namespace holdfast::token {
struct AccessToken;
}

namespace holdfast::identity {

// Adds the identity headers to fields that HeaderPlan::strip_request went over. `jkt` is the proof key's
// thumbprint; empty for a Bearer token.
void set_identity(const HeaderPlan& plan, http::Fields& fields, const token::AccessToken& token,
                  std::string_view jkt);

// Adds the subject of the client's certificate, as TLS verified it; on routes that ask for no token, too.
void set_client_certificate(const HeaderPlan& plan, http::Fields& fields, std::string_view subject);

}  // namespace holdfast::identity
