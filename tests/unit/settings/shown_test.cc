#include "settings/shown.h"

#include <gtest/gtest.h>

#include "settings/load.h"
#include "world.h"

namespace holdfast::settings {
namespace {

TEST(Shown, ReplacesNothingAndReadsAsTheSameFile) {
  const World world = a_machine({{"HOST", "id.example.com"}, {"KEY", "top-secret"}});
  const std::string text =
      "issuer: https://${HOST}/realms/demo  # a comment\n"
      "audience: [\"orders api\", 'it''s', \"-x\"]\n"
      "upstream: http://127.0.0.1:8000\n"
      "dpop: {nonce: {secret_file: nonce.key}, replay: {per_key: 5%}}\n"
      "identity: {headers: {sub: \"X-${KEY}\"}}\n";
  const Loaded loaded = load(text, "f", world);
  ASSERT_TRUE(loaded.settings) << lines_of(loaded.errors);
  EXPECT_EQ(loaded.shown,
            "issuer: \"https://${HOST}/realms/demo\"\n"
            "audience:\n  - \"orders api\"\n  - \"it's\"\n  - \"-x\"\n"
            "upstream: \"http://127.0.0.1:8000\"\n"
            "dpop:\n  nonce:\n    secret_file: nonce.key\n  replay:\n    per_key: \"5%\"\n"
            "identity:\n  headers:\n    sub: \"X-${KEY}\"\n");
  EXPECT_EQ(loaded.shown.find("top-secret"), std::string::npos);
  const Loaded again = load(loaded.shown, "f", world);
  EXPECT_EQ(again.settings, loaded.settings) << lines_of(again.errors);
}

TEST(Shown, ListsOfMapsKeepTheirShape) {
  const std::string text =
      "listeners: [{name: a, address: ':1', tls: off}]\n"
      "upstreams: [{name: u, servers: ['http://127.0.0.1:1', {url: 'http://127.0.0.1:2', weight: 2}]}]\n"
      "routes: [{name: r, access: public}]\n";
  const Loaded loaded = load(text, "f", a_machine());
  ASSERT_TRUE(loaded.settings) << lines_of(loaded.errors);
  const Loaded again = load(loaded.shown, "f", a_machine());
  EXPECT_EQ(again.settings, loaded.settings) << loaded.shown << lines_of(again.errors);
}

}  // namespace
}  // namespace holdfast::settings
