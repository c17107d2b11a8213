#include "policy/route_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <initializer_list>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace holdfast::policy {
namespace {

Route make_route(std::string name, RouteMatch match) {
  Route route;
  route.name = std::move(name);
  route.match = std::move(match);
  return route;
}

// The name of the route that takes a request, or the reason why none does.
std::string match(const RouteTable& table, std::string_view host, std::string_view path,
                  std::string_view method = "GET") {
  const auto matched = table.match(host, path, method);
  return matched ? (*matched)->name : std::string(reason_name(matched.error().reason));
}

RouteTable gateway() {
  return RouteTable({
      make_route("health", {{}, {"/healthz"}, {}}),
      make_route("orders-write", {{"api.example.com"}, {"/v1/orders/**"}, {"POST", "PUT"}}),
      make_route("order-items", {{"API.example.com"}, {"/v1/orders/*/items"}, {}}),
      make_route("orders", {{"api.example.com"}, {"/v1/orders/**"}, {"GET"}}),
      make_route("tenants", {{"*.tenants.example.com"}, {}, {}}),
      make_route("root", {{"api.example.com"}, {"/"}, {}}),
      make_route("two", {{}, {"/x", "/y/**"}, {}}),
      make_route("purge", {{}, {}, {"PURGE"}}),
  });
}

TEST(RouteTable, TakesTheFirstThatMatches) {
  struct Case {
    std::string_view host, path, method, name;
  };
  const RouteTable table = gateway();
  for (const Case& c : std::initializer_list<Case>{
           {"anything", "/healthz", "GET", "health"},
           {"", "/healthz", "GET", "health"},
           {"a", "/healthz/x", "GET", "no_route"},
           {"api.example.com", "/v1/orders", "GET", "orders"},
           {"api.example.com", "/v1/orders/1", "GET", "orders"},
           {"api.example.com", "/v1/orders/1/items", "GET", "order-items"},
           {"api.example.com", "/v1/orders/1/items", "POST", "orders-write"},
           {"api.example.com", "/v1/orders/1/items/2", "GET", "orders"},
           {"api.example.com", "/v1/orders//items", "GET", "orders"},
           {"api.example.com", "/v1/orders2", "GET", "no_route"},
           {"api.example.com", "/v1/orders/1", "DELETE", "no_route"},
           {"api.example.com", "/v1/orders/1", "get", "no_route"},
           {"www.example.com", "/v1/orders/1", "GET", "no_route"},
           {"api.example.com", "/", "GET", "root"},
           {"api.example.com", "//", "GET", "no_route"},
           {"a.tenants.example.com", "/any/where", "GET", "tenants"},
           {"a.b.tenants.example.com", "/", "GET", "tenants"},
           {"tenants.example.com", "/any", "GET", "no_route"},
           {".tenants.example.com", "/any", "GET", "no_route"},
           {"xtenants.example.com", "/any", "GET", "no_route"},
           {"a", "/x", "GET", "two"},
           {"a", "/y", "GET", "two"},
           {"a", "/y/z/z", "GET", "two"},
           {"a", "/z", "PURGE", "purge"},
       }) {
    EXPECT_EQ(match(table, c.host, c.path, c.method), c.name) << c.host << c.path << " " << c.method;
  }
}

// The traps of verification.md: a route chosen by one reading of the path, a backend acting on another.
TEST(RouteTable, RefusesAPathThatReadsTwoWays) {
  const RouteTable table({
      make_route("public", {{}, {"/public/**"}, {}}),
      make_route("admin", {{}, {"/admin/**"}, {}}),
      make_route("health", {{}, {"/healthz"}, {}}),
      make_route("post", {{}, {"/upload"}, {"POST"}}),
      make_route("rest", {{}, {"/**"}, {}}),
  });
  for (const std::string_view path : {"/public/..%2Fadmin",
                                      "/public/..%2fadmin",
                                      "/public/%252E%252E/admin",
                                      "/public/%25252e%25252e%25252fadmin",
                                      "//admin",
                                      "///admin/x",
                                      "/a/..;/admin",
                                      "/a/..;jsessionid=1/admin",
                                      "/Admin",
                                      "/ADMIN/x",
                                      "/admin%3Bx",
                                      "/admin%2F",
                                      "/%2Fadmin",
                                      R"(/a\..\admin)",
                                      "/a/..%5C..%5cadmin",
                                      R"(/\admin)",
                                      "/admin%3F",
                                      "/admin%23",
                                      "/admin%2500",
                                      "/healthz/",
                                      "/HEALTHZ",
                                      "/public/..%2Fadmin/..;/..;/public/x",
                                      "/public;/../admin%2F..",
                                      "/public/..%2Fother",
                                      "/%70ublic/%2e%2e%2fadmin%2F"}) {
    EXPECT_EQ(match(table, "h", path), "request_malformed") << path;
  }
  // Another reading, the same route: it may pass.
  struct Case {
    std::string_view path, name;
  };
  for (const Case& c : std::initializer_list<Case>{
           {"/public/a%2Fb", "public"},
           {"/public//a", "public"},
           {"/public/A;v=1/", "public"},
           {"/public/a%20b", "public"},
           {"/public/100%25", "public"},
           {"/public/%C3%A9", "public"},
           {"/public/", "public"},
           {"/admin/Users", "admin"},
           {"/admin/", "admin"},
           {"/Other/", "rest"},
           {"/", "rest"},
           {"//", "rest"},
           {"/Upload", "rest"},  // only as GET: the other route is not for it
       }) {
    EXPECT_EQ(match(table, "h", c.path), c.name) << c.path;
  }
  EXPECT_EQ(match(table, "h", "/Upload", "POST"), "request_malformed");
}

TEST(RouteTable, RefusesAReadingThatLeavesTheRoutes) {
  const RouteTable table(
      {make_route("public", {{}, {"/public/**"}, {}}), make_route("one", {{}, {"/one/*"}, {}})});
  EXPECT_EQ(match(table, "h", "/public/..%2Finternal"), "request_malformed");
  EXPECT_EQ(match(table, "h", "/public/..;/internal"), "request_malformed");
  EXPECT_EQ(match(table, "h", "/one/a%2Fb"), "request_malformed");
  EXPECT_EQ(match(table, "h", "/one/a%20b"), "one");
  EXPECT_EQ(match(table, "h", "/public/..%2Fpublic/x"), "public");
  // No route at all is no route, however it reads.
  EXPECT_EQ(match(table, "h", "/other/..%2Fpublic"), "no_route");
}

TEST(RouteTable, RefusesAnotherHostsPath) {
  const RouteTable table(
      {make_route("admin", {{}, {"/admin/**"}, {}}), make_route("rest", {{}, {"/**"}, {}})});
  EXPECT_EQ(match(table, "h", "//x/admin/users"), "request_malformed");
  EXPECT_EQ(match(table, "h", R"(/\x/admin/users)"), "request_malformed");
  EXPECT_EQ(match(table, "h", "//x/other"), "rest");
}

// "/v1//x/admin" comes to the backend as "//x/admin".
TEST(RouteTable, ReadsWhatIsLeftOfAStrippedPath) {
  Route stripped = make_route("stripped", {{}, {"/v1/**"}, {}});
  stripped.strip_prefix = "/v1";
  Route capitals = make_route("capitals", {{}, {"/V2/**"}, {}});
  capitals.strip_prefix = "/V2";
  const RouteTable table({make_route("secret", {{}, {"/v1/secret/**"}, {}}),
                          make_route("again", {{}, {"/v1/v1/x/**"}, {}}), std::move(stripped),
                          std::move(capitals)});
  EXPECT_EQ(match(table, "h", "/v1//x/secret"), "request_malformed");
  EXPECT_EQ(match(table, "h", R"(/v1/\x/secret)"), "request_malformed");
  EXPECT_EQ(match(table, "h", "/v1/a/..%2F..%2F..%2Fv1/x"), "request_malformed");
  EXPECT_EQ(match(table, "h", "/v1//secret"), "request_malformed");
  EXPECT_EQ(match(table, "h", "/v1//x/other"), "stripped");
  EXPECT_EQ(match(table, "h", "/v1/Users/"), "stripped");
  EXPECT_EQ(match(table, "h", "/v1"), "stripped");
  EXPECT_EQ(match(table, "h", "/V2/Users/"), "capitals");
  EXPECT_EQ(match(table, "h", "/V2//x/Users"), "capitals");
}

// Some frameworks act on "delete" as on DELETE.
TEST(RouteTable, RefusesAMethodThatLeadsElsewhereInCapitals) {
  const RouteTable table(
      {make_route("delete", {{}, {"/orders/**"}, {"DELETE"}}), make_route("orders", {{}, {"/orders/**"}, {}}),
       make_route("own", {{}, {"/own"}, {"frob"}}), make_route("get", {{}, {"/get"}, {"GET"}})});
  EXPECT_EQ(match(table, "h", "/orders/1", "DELETE"), "delete");
  EXPECT_EQ(match(table, "h", "/orders/1", "delete"), "request_malformed");
  EXPECT_EQ(match(table, "h", "/orders/1", "Delete"), "request_malformed");
  EXPECT_EQ(match(table, "h", "/Orders/1", "delete"), "no_route");
  EXPECT_EQ(match(table, "h", "/orders/1", "get"), "orders");
  EXPECT_EQ(match(table, "h", "/own", "frob"), "own");
  EXPECT_EQ(match(table, "h", "/own", "FROB"), "no_route");
  EXPECT_EQ(match(table, "h", "/get", "get"), "no_route");
}

TEST(RouteTable, CapitalsInPatternsAreReadBothWays) {
  const RouteTable table({make_route("admin", {{}, {"/Admin/**"}, {}}),
                          make_route("slash", {{}, {"/dir/"}, {}}), make_route("rest", {{}, {"/**"}, {}})});
  EXPECT_EQ(match(table, "h", "/Admin/x"), "admin");
  EXPECT_EQ(match(table, "h", "/Admin/X/"), "admin");
  EXPECT_EQ(match(table, "h", "/admin/x"), "request_malformed");
  EXPECT_EQ(match(table, "h", "/aDMIN"), "request_malformed");
  EXPECT_EQ(match(table, "h", "/dir"), "request_malformed");
  EXPECT_EQ(match(table, "h", "/dir/"), "slash");
  EXPECT_EQ(match(table, "h", "/other"), "rest");
}

TEST(RouteTable, RoutesThatDifferInCaseOrSlashAloneCannotBeToldApart) {
  const RouteTable table({make_route("upper", {{}, {"/Orders"}, {}}),
                          make_route("lower", {{}, {"/orders"}, {}}), make_route("slash", {{}, {"/x/"}, {}}),
                          make_route("none", {{}, {"/x"}, {}})});
  for (const std::string_view path : {"/Orders", "/orders", "/x/", "/x"}) {
    EXPECT_EQ(match(table, "h", path), "request_malformed") << path;
  }
}

TEST(RouteTable, ManyRoutesAreFoundByTheirPath) {
  std::vector<Route> routes;
  for (int i = 0; i < 10000; ++i) {
    routes.push_back(
        make_route("r" + std::to_string(i), {{}, {"/v1/service" + std::to_string(i) + "/**"}, {}}));
  }
  RouteTable table(std::move(routes));
  EXPECT_EQ(match(table, "h", "/v1/service9999/x"), "r9999");
  const Route* const before = *table.match("h", "/v1/service7", "GET");
  const RouteTable moved = std::move(table);
  EXPECT_EQ(*moved.match("h", "/v1/service7", "GET"), before) << "routes stay where they are";
  EXPECT_EQ(before->index, 7U);
  EXPECT_EQ(moved.routes().size(), 10000U);
}

// What the header says of patterns, word for word, one route after the other.
bool takes(std::string_view pattern, std::string_view path) {
  if (pattern == "/**") return true;
  if (pattern.empty() || path.empty()) return pattern.empty() && path.empty();
  const auto cut = [](std::string_view& text) {
    const std::size_t end = std::min(text.find('/', 1), text.size());
    const std::string_view segment = text.substr(1, end - 1);
    text.remove_prefix(end);
    return segment;
  };
  const std::string_view wanted = cut(pattern);
  const std::string_view segment = cut(path);
  return (wanted == "*" ? !segment.empty() : wanted == segment) && takes(pattern, path);
}

std::string slowly(const std::vector<Route>& routes, std::string_view host, std::string_view path,
                   std::string_view method) {
  const auto is_any = [](const std::vector<std::string>& list, const auto& fits) {
    return list.empty() || std::ranges::any_of(list, fits);
  };
  for (const Route& route : routes) {
    const bool here = is_any(route.match.hosts, [&](const std::string& each) {
      return each.starts_with("*.") ? host.ends_with(each.substr(1)) : host == each;
    });
    if (here && is_any(route.match.paths, [&](const std::string& each) { return takes(each, path); }) &&
        is_any(route.match.methods, [&](const std::string& each) { return each == method; })) {
      return route.name;
    }
  }
  return "no_route";
}

TEST(RouteTable, FindsWhatALookAtEachRouteWouldFind) {
  std::mt19937 random(7);  // the same routes every time
  const auto one_of = [&random](std::initializer_list<const char*> words) {
    return std::string(words.begin()[random() % words.size()]);
  };
  const auto path_of = [&](bool pattern) {
    std::string path;
    for (std::size_t left = 1 + random() % 5; left != 0; --left) {
      path += '/' + (pattern ? one_of({"a", "b", "c", "*", "*"}) : one_of({"a", "b", "c", "d"}));
    }
    if (pattern && random() % 4 == 0) path += "/**";
    return path;
  };
  const auto some = [&random](std::size_t most, const auto& make) {
    std::vector<std::string> list;
    for (std::size_t left = random() % (most + 1); left != 0; --left) list.push_back(make());
    return list;
  };
  for (int round = 0; round < 200; ++round) {
    std::vector<Route> routes;
    for (int i = 0; i < 30; ++i) {
      routes.push_back(make_route(
          std::to_string(i),
          {some(2, [&] { return one_of({"h.example", "*.example", "*.x.example"}); }),
           some(12, [&] { return path_of(true); }), some(2, [&] { return one_of({"GET", "PUT"}); })}));
      if (routes.back().match.paths.empty()) routes.back().match.paths.push_back(path_of(true));
    }
    const RouteTable table(routes);
    for (int i = 0; i < 100; ++i) {
      const std::string host = one_of({"h.example", "a.x.example", "example", "other"});
      const std::string path = path_of(false);
      const std::string method = one_of({"GET", "PUT", "POST"});
      EXPECT_EQ(match(table, host, path, method), slowly(routes, host, path, method))
          << host << path << ' ' << method;
    }
  }
}

// Too many to be copied under each other: '*' and literals are walked beside each other there.
TEST(RouteTable, ManyLiteralsBesideAStarThatLeadsToMany) {
  std::vector<Route> routes;
  for (int i = 0; i < 300; ++i) {
    const std::string n = std::to_string(i);
    routes.push_back(make_route("own" + n, {{}, {"/t" + n + "/own"}, {}}));
    routes.push_back(make_route("all" + n, {{}, {"/*/b" + n}, {}}));
  }
  const RouteTable table(routes);
  EXPECT_EQ(match(table, "", "/t7/own"), "own7");
  EXPECT_EQ(match(table, "", "/t7/b299"), "all299");
  EXPECT_EQ(match(table, "", "/other/b299"), "all299");
  EXPECT_EQ(match(table, "", "/t7/t7"), "no_route");
}

TEST(RouteTable, OneRouteMayHaveManyPatterns) {
  std::vector<std::string> patterns;
  for (int i = 0; i < 1000; ++i) patterns.push_back("/p" + std::to_string(i) + "/*");
  patterns.push_back("/Admin/**");
  const RouteTable table({make_route("many", {{}, patterns, {}}), make_route("rest", {{}, {"/**"}, {}})});
  EXPECT_EQ(match(table, "", "/p999/x"), "many");
  EXPECT_EQ(match(table, "", "/Admin/x"), "many");
  EXPECT_EQ(match(table, "", "/p1000/x"), "rest");
  EXPECT_EQ(match(table, "", "/x/..%2Fp7%2Fx"), "request_malformed");
}

TEST(Patterns, AreHeldToTheirGrammar) {
  for (const std::string_view pattern :
       {"/", "/a", "/a/", "/*", "/**", "/a/*/b/**", "/a%2Fb", "/A/~x", "//"}) {
    EXPECT_FALSE(path_pattern_error(pattern)) << pattern;
  }
  for (const std::string_view pattern : {"", "a", "*", "/a*", "/*a", "/**/a", "/a/***", "/a/**b", "/a/../b",
                                         "/./a", "/%7Ea", "/a%2fb", "/a?b", "/a#b", "/a b"}) {
    EXPECT_TRUE(path_pattern_error(pattern)) << pattern;
  }
  for (const std::string_view pattern : {"a", "API.example.com", "*.example.com", "127.0.0.1", "[::1]"}) {
    EXPECT_FALSE(host_pattern_error(pattern)) << pattern;
  }
  for (const std::string_view pattern : {"", "*", "*.", "a.*", "*a.example.com", "a:80", "*.127.0.0.1",
                                         "https://a", "a/b", "[::01]", "*.*.a"}) {
    EXPECT_TRUE(host_pattern_error(pattern)) << pattern;
  }
  EXPECT_THROW(RouteTable({make_route("r", {{}, {"a"}, {}})}), std::invalid_argument);
  EXPECT_THROW(RouteTable({make_route("r", {{"a:1"}, {}, {}})}), std::invalid_argument);
}

TEST(StripPrefix, TakesWholeSegments) {
  EXPECT_TRUE(pattern_starts_with("/v1/orders/**", "/v1"));
  EXPECT_TRUE(pattern_starts_with("/v1", "/v1"));
  EXPECT_TRUE(pattern_starts_with("/v1/**", "/v1/"));
  EXPECT_FALSE(pattern_starts_with("/v10/**", "/v1"));
  EXPECT_FALSE(pattern_starts_with("/**", "/v1"));
  EXPECT_FALSE(pattern_starts_with("/*/a", "/v1"));
  Route route;
  EXPECT_EQ(backend_path(route, "/v1/a"), "/v1/a");
  route.strip_prefix = "/v1";
  EXPECT_EQ(backend_path(route, "/v1/a"), "/a");
  EXPECT_EQ(backend_path(route, "/v1"), "/");
  EXPECT_EQ(backend_path(route, "/v1/"), "/");
  EXPECT_EQ(backend_path(route, "/v10"), "/v10");
}

}  // namespace
}  // namespace holdfast::policy

namespace holdfast::policy {
namespace {

// What the dot segments took with them counts too: the path as sent is read by whoever stood before us.
TEST(RouteTable, ThePathAsSentHasToLeadToTheSameRoute) {
  std::vector<Route> routes(2);
  routes[0].name = "public";
  routes[0].match.paths = {"/public/**"};
  routes[1].name = "rest";
  routes[1].match.paths = {"/**"};
  const RouteTable table(std::move(routes));
  struct Case {
    std::string_view sent, path;
    bool taken;
  };
  for (const Case& each :
       {Case{"/public/x", "/public/x", true}, Case{"/public/a/../x", "/public/x", true},
        Case{"/public/%7Ex", "/public/~x", true}, Case{"/public//x/../y", "/public//y", true},
        Case{"/public//../admin", "/public/admin", false}, Case{"/public/;/../admin", "/public/admin", false},
        Case{"/public//%2e%2e/admin", "/public/admin", false},
        Case{"/public//../../admin", "/admin", false}}) {
    const auto matched = table.match_sent("", each.sent, each.path, "GET");
    EXPECT_EQ(matched.has_value(), each.taken) << each.sent;
    if (!matched) {
      EXPECT_EQ(matched.error().reason, Reason::request_malformed);
    }
  }
}

TEST(RouteTable, FindsTheFirstThatTakesAllOfAPattern) {
  struct Case {
    std::string_view host, path, method, name;
  };
  const RouteTable table = gateway();
  for (const Case& c : std::initializer_list<Case>{
           {"", "/healthz", "", "health"},
           {"a", "/healthz", "GET", "health"},
           {"api.example.com", "/v1/orders/**", "PUT", "orders-write"},
           {"api.example.com", "/v1/orders", "GET", "orders"},
           {"api.example.com", "/v1/orders/*", "GET", "orders"},
           {"api.example.com", "/v1/orders/*/items", "", "order-items"},
           {"api.example.com", "/v1/orders/7/items", "", "order-items"},
           {"", "/v1/orders/**", "GET", "none"},
           {"api.example.com", "/v1/**", "GET", "none"},
           {"*.a.tenants.example.com", "/**", "", "tenants"},
           {"*.tenants.example.com", "/x/**", "", "tenants"},
           {"tenants.example.com", "/y/**", "", "two"},
           {"*.example.com", "/**", "", "none"},
           {"", "/y", "", "two"},
           {"", "/x/**", "", "none"},
           {"", "/**", "PURGE", "purge"},
       }) {
    const Route* over = table.first_over(c.host, c.path, c.method);
    EXPECT_EQ(over == nullptr ? "none" : over->name, c.name) << c.host << ' ' << c.path << ' ' << c.method;
  }
}

// Held against every path of up to four segments: with a letter that no pattern names, those stand for all.
TEST(RouteTable, APatternIsTakenByWhatTakesEveryPathOfIt) {
  const std::vector<std::string> segments{"", "a", "b", "z"};
  std::vector<std::string> paths;
  std::vector<std::string> open{""};
  for (int depth = 0; depth < 4; ++depth) {
    std::vector<std::string> longer;
    for (const std::string& begin : open) {
      for (const std::string& segment : segments) longer.push_back(begin + '/' + segment);
    }
    paths.insert(paths.end(), longer.begin(), longer.end());
    open = std::move(longer);
  }
  std::vector<std::string> patterns{"/**"};
  std::vector<std::string> begins{""};
  for (int depth = 0; depth < 2; ++depth) {
    std::vector<std::string> longer;
    for (const std::string& begin : begins) {
      for (const char* segment : {"", "a", "b", "*"}) longer.push_back(begin + '/' + segment);
    }
    for (const std::string& pattern : longer) {
      patterns.push_back(pattern);
      patterns.push_back(pattern + "/**");
    }
    begins = std::move(longer);
  }
  const auto takes = [](const RouteTable& table, const std::string& path) {
    const auto matched = table.match("h", path, "GET");
    return matched || matched.error().reason != Reason::no_route;
  };
  for (const std::string& above : patterns) {
    const RouteTable table({make_route("above", {{}, {above}, {}})});
    for (const std::string& pattern : patterns) {
      const RouteTable below({make_route("below", {{}, {pattern}, {}})});
      bool all = true;
      for (const std::string& path : paths) all = all && (!takes(below, path) || takes(table, path));
      EXPECT_EQ(table.first_over("", pattern, "") != nullptr, all) << above << " over " << pattern;
    }
  }
}

}  // namespace
}  // namespace holdfast::policy
