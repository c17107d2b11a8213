// What routes are warned of beside each other; that one never matches is in refused.txt.
#include "settings/check_coverage.h"

#include <gtest/gtest.h>

#include <string>

#include "world.h"

namespace holdfast::settings {
namespace {

std::string warned(const std::string& routes) {
  const Loaded loaded = load(
      "issuers: [{name: i, url: https://id.example.com, audiences: any}]\n"
      "upstreams: [{name: u, servers: http://127.0.0.1}]\n"
      "listeners: [{name: l, address: 127.0.0.1:1, tls: {certificate: here.pem, key: leaf-key.pem}}]\n"
      "routes:\n" +
          routes,
      "f", a_machine());
  return lines_of(loaded.errors) + lines_of(loaded.warnings);
}

TEST(CheckCoverage, APublicRouteInsideAProtectedTree) {
  EXPECT_EQ(warned("- {name: docs, match: {path: /v1/docs}, access: public}\n"
                   "- {name: api, match: {path: /v1/**}}\n"),
            "5:3: routes[0]: /v1/docs is public, inside what routes[1] protects\n");
  EXPECT_EQ(warned("- {name: api, match: {path: /v1/**, methods: POST}}\n"
                   "- {name: read, match: {path: [/x, /v1/orders/**]}, access: public}\n"),
            "6:3: routes[1]: /v1/orders/** is public, inside what routes[0] protects\n");
  EXPECT_EQ(warned("- {name: read, match: {host: a.example.com, path: /v1/a}, access: public}\n"
                   "- {name: api, match: {host: \"*.example.com\", path: /*/v1/**}}\n"
                   "- {name: all, match: {host: \"*.example.com\", path: /v1/**}, access: dpop_or_bearer}\n"),
            "5:3: routes[0]: /v1/a is public, inside what routes[2] protects\n");
}

// What takes everything protects no tree of its own: every public route would be warned of.
TEST(CheckCoverage, APublicRouteBesideWhatIsProtected) {
  EXPECT_EQ(warned("- {name: health, match: {path: /healthz}, access: public}\n- {name: all}\n"), "");
  EXPECT_EQ(
      warned(
          "- {name: health, match: {path: /healthz}, access: public}\n- {name: all, match: {path: /**}}\n"),
      "");
  EXPECT_EQ(warned("- {name: a, match: {path: /v1}, access: public}\n- {name: b, match: {path: /v1/*}}\n"),
            "");
  EXPECT_EQ(
      warned("- {name: a, match: {path: /v1/**}, access: public}\n- {name: b, match: {path: /v2/**}}\n"), "");
  EXPECT_EQ(warned("- {name: a, match: {path: /v1/a}, access: public}\n"
                   "- {name: b, match: {host: h.example, path: /v1/**}}\n"),
            "");
  EXPECT_EQ(warned("- {name: a, match: {path: /v1/a}, access: public}\n- {name: b, match: {path: /v1/**}, "
                   "access: deny}\n"),
            "")
      << "deny lets nobody in, public or not";
}

TEST(CheckRoutes, ARouteThatOnlyReports) {
  EXPECT_EQ(warned("- {name: a, match: {path: /a}, enforce: true}\n- {name: b, enforce: false}\n"),
            "6:22: routes[1].enforce: is false: what would be refused is logged and counted, and passes\n");
}

TEST(CheckCoverage, GivesUpOnMoreCombinationsThanAnybodyWrites) {
  std::string names;
  for (int i = 0; i < 100; ++i) names += (i == 0 ? "" : ",") + std::string("x") + std::to_string(i);
  std::string paths;
  for (int i = 0; i < 100; ++i) paths += (i == 0 ? "/" : ",/") + std::to_string(i);
  std::string methods;
  for (int i = 0; i < 100; ++i) methods += (i == 0 ? "M" : ",M") + std::to_string(i);
  const std::string match =
      "match: {host: [" + names + "], path: [" + paths + "], methods: [" + methods + "]}";
  EXPECT_EQ(warned("- {name: all}\n- {name: r, " + match + "}\n- {name: s}\n"), "");
}

TEST(CheckCoverage, RefusesMoreThanATableShouldHold) {
  std::string names;
  for (int i = 0; i < 448; ++i) names += (i == 0 ? "x" : ",x") + std::to_string(i);
  std::string paths;
  for (int i = 0; i < 448; ++i) paths += (i == 0 ? "/" : ",/") + std::to_string(i);
  EXPECT_EQ(
      warned("- {name: a, match: {path: /a}}\n- {name: r, match: {host: [" + names + "], path: [" + paths +
             "]}}\n- {name: s}\n"),
      "6:20: routes[1].match: is too much: hosts times paths, of all routes up to this one, are more than "
      "200000\n");
}

}  // namespace
}  // namespace holdfast::settings
