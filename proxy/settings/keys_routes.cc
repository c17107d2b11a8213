#include "settings/keys_routes.h"

#include "settings/key_forms.h"

namespace holdfast::settings {
namespace {

Value<std::string> host() {
  return scalar(parse_host_pattern);
}

Value<std::string> method() {
  return scalar([](std::string_view text) -> Parsed<std::string> {
    if (text == "CONNECT" || text == "TRACE")
      return std::unexpected("a method other than CONNECT and TRACE (always 405)");
    bool has_lower = false;
    for (const char c : text) has_lower = has_lower || (c >= 'a' && c <= 'z');
    if (!is_token(text) || has_lower) return std::unexpected("a method in upper case, such as GET");
    return std::string(text);
  });
}

Value<std::string> scope() {
  return scalar([](std::string_view text) -> Parsed<std::string> {
    if (!is_scope(text)) return std::unexpected("one scope, without spaces, quotes and backslashes");
    return std::string(text);
  });
}

Keys<Match> match() {
  return {
      member<Match>("host", one_or_list(host()), &Match::hosts),
      member<Match>("path", one_or_list(path_pattern()), &Match::paths),
      member<Match>("methods", one_or_list(method()), &Match::methods),
  };
}

Key<Require> roles() {
  const Keys<Require> keys{
      member<Require>("any", one_or_list(text()), &Require::roles_any),
      member<Require>("all", one_or_list(text()), &Require::roles_all),
  };
  return {"roles", [keys](const Node& node, const Place& place, Require& require, Report& report) {
            if (node.kind == Node::Kind::kMap) {
              read_map(node, place, keys, require, report);
            } else {
              refuse(node, place, report, "a map with any or all");
            }
          }};
}

Keys<Require> require() {
  return {
      member<Require>("scopes", one_or_list(scope()), &Require::scopes),
      roles(),
      not_yet<Require>("claims"),
      not_yet<Require>("acr"),
      not_yet<Require>("max_auth_age"),
  };
}

}  // namespace

Value<RouteDraft> route() {
  return map<RouteDraft>({
      member<RouteDraft>("name", text(), &Route::name).required(),
      section<RouteDraft>("match", match(), &Route::match),
      member<RouteDraft>("access",
                         choice<Access>({{"dpop", Access::kDpop},
                                         {"dpop_or_bearer", Access::kDpopOrBearer},
                                         {"public", Access::kPublic},
                                         {"deny", Access::kDeny}}),
                         &Route::access),
      member<RouteDraft>("issuers", one_or_list(text()), &RouteDraft::issuer_names),
      not_yet<RouteDraft>("resource"),
      section<RouteDraft>("require", require(), &Route::require),
      member<RouteDraft>("nonce", nonce_mode(), &RouteDraft::own_nonce),
      not_yet<RouteDraft>("enforce", {"true"}),
      member<RouteDraft>("upstream", text(), &RouteDraft::upstream_name),
      member<RouteDraft>("strip_prefix", path_pattern(), &Route::strip_prefix),
      not_yet<RouteDraft>("cors", {"off"}),
      member<RouteDraft>("close_at_expiry", boolean(), &Route::close_at_expiry),
      not_yet<RouteDraft>("timeouts"),
      not_yet<RouteDraft>("limits"),
  });
}

}  // namespace holdfast::settings
