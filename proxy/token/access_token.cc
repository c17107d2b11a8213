// Bearer use of a token: see the header.
#include "token/access_token.h"

#include "base/ascii.h"

namespace holdfast::token {

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
