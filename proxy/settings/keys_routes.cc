#include "settings/keys_routes.h"

#include "settings/key_forms.h"
#include "settings/keys_claims.h"
#include "settings/keys_cors.h"

namespace holdfast::settings {
namespace {

Value<std::string> method() {
  const std::string expected = "a method in upper case, such as GET";
  Schema form = text_schema("[!#$%&'*+.^_`|~0-9A-Z-]+", expected);
  form["not"] = words_schema({"CONNECT", "TRACE"});
  return scalar(
      [expected](std::string_view text) -> Parsed<std::string> {
        if (text == "CONNECT" || text == "TRACE")
          return std::unexpected("a method other than CONNECT and TRACE (always 405)");
        bool has_lower = false;
        for (const char c : text) has_lower = has_lower || (c >= 'a' && c <= 'z');
        if (!is_token(text) || has_lower) return std::unexpected(expected);
        return std::string(text);
      },
      named("method", std::move(form)));
}

// A word that an answer's quoted string names beside others, with spaces between: a scope (RFC 6750 3), an
// acr value (RFC 9470 3).
Value<std::string> word(std::string_view name, const std::string& expected) {
  Schema form = dollars_schema(R"([!#-[\]-~]+)", expected);
  form["type"] = {"string", "number"};
  return scalar(
      [expected](std::string_view text) -> Parsed<std::string> {
        if (!is_scope(text)) return std::unexpected(expected);
        return std::string(text);
      },
      named(name, std::move(form)));
}

Value<std::string> scope() {
  return word("scope", "one scope, without spaces, quotes and backslashes");
}

Value<std::string> acr() {
  return word("acr", "one acr value, without spaces, quotes and backslashes");
}

Keys<Match> match() {
  return {
      member<Match>("host", one_or_list(host_pattern()), &Match::hosts)
          .about("A host or *.DOMAIN, without a port; one or a list"),
      member<Match>("path", one_or_list(path_pattern()), &Match::paths)
          .about("* is one segment, ** any rest; /v1/orders/** also takes /v1/orders; one or a list"),
      member<Match>("methods", one_or_list(method()), &Match::methods).about("In upper case; one or a list"),
  };
}

Key<Require> roles() {
  Key<Require> key = group<Require>(
      "roles",
      {member<Require>("any", one_or_list(text()), &Require::roles_any).about("One of these is enough"),
       member<Require>("all", one_or_list(text()), &Require::roles_all)
           .about("All of these have to be there")},
      "a map with any or all");
  // one that asks for nothing would be believed to ask for something
  key.read = [read = std::move(key.read)](const Node& node, const Place& place, Require& owner,
                                          Report& report) {
    if (node.kind != Node::Kind::kMap || !node.entries.empty()) return read(node, place, owner, report);
    report.error(node, place, "must not be empty; leave the key out instead");
  };
  key.schema["minProperties"] = 1;
  return std::move(key).about("Realm roles, and CLIENT:ROLE for client roles");
}

// A key of listeners that counts when nobody knows yet which route a request will take.
template <class Owner>
Key<Owner> before_the_route(std::string_view section, const std::string& name) {
  return elsewhere<Owner>(
      name, "applies before a route is known; set listeners[]." + std::string(section) + '.' + name);
}

// Those of a listener's that come into play once the route is known, and those of an upstream's that belong
// to one request.
Keys<RouteTimeouts> route_timeouts() {
  return {
      member<RouteTimeouts>("body_idle", time(), &RouteTimeouts::body_idle)
          .about("Between two pieces of a body"),
      member<RouteTimeouts>("stream_idle", time(), &RouteTimeouts::stream_idle)
          .about("For a client that takes nothing of its answer, and a gRPC call at rest"),
      member<RouteTimeouts>("tunnel", time(), &RouteTimeouts::tunnel)
          .about("For a WebSocket through which nothing moves"),
      member<RouteTimeouts>("response", time(), &RouteTimeouts::response)
          .about("From the request sent to the head of the response, instead of what the upstream says"),
      before_the_route<RouteTimeouts>("timeouts", "handshake"),
      before_the_route<RouteTimeouts>("timeouts", "headers"),
      before_the_route<RouteTimeouts>("timeouts", "idle"),
      elsewhere<RouteTimeouts>("connect",
                               "is for connections, which routes share; set upstreams[].timeouts.connect"),
  };
}

Keys<RouteLimits> route_limits() {
  return {
      member<RouteLimits>("max_body", size_or_unlimited(), &RouteLimits::max_body)
          .about("Of one request's body, or unlimited"),
      before_the_route<RouteLimits>("limits", "max_header_bytes"),
      before_the_route<RouteLimits>("limits", "max_headers"),
      before_the_route<RouteLimits>("limits", "max_connections"),
  };
}

Keys<Require> require() {
  return {
      member<Require>("scopes", one_or_list(scope()), &Require::scopes)
          .about("All of these have to be in the token"),
      roles(),
      claims().about("Each claim (dots go into objects) equals one of these, or one of its elements does"),
      member<Require>("acr", one_or_list(acr()), &Require::acr)
          .about("How the user logged in, one of these; the most wanted first (RFC 9470)"),
      member<Require>("max_auth_age", time(kSecond), &Require::max_auth_age)
          .about("How long ago the user may have logged in"),
  };
}

}  // namespace

Value<RouteDraft> route() {
  return map<RouteDraft>({
      member<RouteDraft>("name", text(), &Route::name).required().about("What logs and metrics call it"),
      section<RouteDraft>("match", match(), &Route::match)
          .about("Which requests the route takes; what is left out takes any"),
      member<RouteDraft>("access",
                         choice<Access>({{"dpop", Access::kDpop},
                                         {"dpop_or_bearer", Access::kDpopOrBearer},
                                         {"public", Access::kPublic},
                                         {"deny", Access::kDeny}}),
                         &Route::access)
          .about("Who may come in: whoever proves to hold a token's key, everybody, nobody"),
      member<RouteDraft>("issuers", one_or_list(text()), &RouteDraft::issuer_names)
          .about("Whose tokens count, by name; must be said where several are configured"),
      member<RouteDraft>("resource", url(), &Route::resource)
          .about(
              "What clients call the API that the route is part of (RFC 9728); without it the first public "
              "origin"),
      section<RouteDraft>("require", require(), &Route::require).about("What the token must hold beside"),
      member<RouteDraft>("nonce", nonce_mode(), &RouteDraft::own_nonce)
          .about("Whether the proof must hold a nonce; without it as dpop.nonce.mode says"),
      member<RouteDraft>("enforce", boolean(), &Route::enforce)
          .about("Whether a refusal refuses; false tells it to log and metrics only"),
      member<RouteDraft>("upstream", text(), &RouteDraft::upstream_name)
          .about("The API that requests go to, by name; must be said where several are configured"),
      member<RouteDraft>("strip_prefix", path_pattern(), &Route::strip_prefix)
          .about("Whole segments that the API does not see, removed after all checks, such as /v1"),
      member<RouteDraft>("cors", cors(), &RouteDraft::own_cors)
          .about("Cross-origin requests of browsers; without it as the file's cors says"),
      member<RouteDraft>("close_at_expiry", boolean(), &Route::close_at_expiry)
          .about("Ends WebSockets (1008) and streamed responses when the token expires"),
      section<RouteDraft>("timeouts", route_timeouts(), &Route::timeouts)
          .about("How long client and backend may take, instead of what listener and upstream say"),
      section<RouteDraft>("limits", route_limits(), &Route::limits)
          .about("How much a client may send, instead of what its listener says"),
  });
}

}  // namespace holdfast::settings
