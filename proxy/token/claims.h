// From the claims of a token, whose authenticity somebody has established, to the facts of an AccessToken:
// presence and types (RFC 7519 4.1, RFC 9068 2.2, RFC 7800, Keycloak's roles). Values are judged by
// verify.h's judge(). Pure; any thread.
#pragma once

#include <boost/json/object.hpp>

#include "base/reason.h"
#include "token/access_token.h"

namespace holdfast::token {

// token_malformed where a claim that decides something has the wrong type, or `exp` or `iss` is missing;
// token_type where the payload's `typ` is that of another kind of token. Claims that only describe are simply
// absent where their type is wrong.
[[nodiscard]] Checked<AccessToken> read_claims(boost::json::object claims);

}  // namespace holdfast::token
