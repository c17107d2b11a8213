#include "settings/running.h"

#include <gtest/gtest.h>

#include <string>

#include "settings/load.h"
#include "world.h"

namespace holdfast::settings {
namespace {

constexpr std::string_view kRunning = R"(workers: 2
listeners:
  - {name: public, address: ":8443", tls: {certificate: a.crt, key: a.key}}
  - {name: mesh, address: "127.0.0.1:8080", tls: off}
issuers:
  - {name: one, url: "https://one.example.com", audiences: [api]}
upstreams:
  - {name: orders, servers: "http://127.0.0.1:8000"}
  - {name: carts, servers: "http://127.0.0.1:8001"}
routes:
  - {name: orders, match: {path: /orders/**}, upstream: orders}
  - {name: carts, match: {path: /carts/**}, upstream: carts}
)";

Settings running() {
  return load(kRunning, "f", a_machine()).settings.value();
}

std::string with(std::string_view old, std::string_view now) {
  std::string text(kRunning);
  const std::size_t at = text.find(old);
  EXPECT_NE(at, std::string::npos) << old;
  return text.replace(at, old.size(), now);
}

std::string refused(const std::string& text) {
  const Settings now = running();
  const Loaded loaded = load(text, "f", a_machine(), &now);
  EXPECT_EQ(loaded.settings.has_value(), loaded.errors.empty());
  return lines_of(loaded.errors);
}

std::string changed(const std::string& text) {
  const Settings now = running();
  const Loaded loaded = load(text, "f", a_machine(), &now);
  EXPECT_EQ(lines_of(loaded.errors), "");
  if (!loaded.settings) return "";
  std::string all;
  for (const std::string& change : changes(now, *loaded.settings)) all += change + '\n';
  return all;
}

TEST(Running, TheSameFileChangesNothing) {
  EXPECT_EQ(changed(std::string(kRunning)), "");
}

TEST(Running, WhatNeedsARestartIsRefusedAtItsPlace) {
  EXPECT_EQ(refused(with("workers: 2", "workers: 3")),
            "1:10: workers: needs a restart to change; this process goes on with 2\n");
  EXPECT_EQ(refused(with(":8443", ":8444")),
            "3:3: listeners: leaves out listener public on :8443, which needs a restart to end\n"
            "3:29: listeners[0].address: is no listener of this process: a new or changed address, or tls "
            "turned on or off, needs a restart\n");
  EXPECT_EQ(refused(with("{certificate: a.crt, key: a.key}", "off")),
            "3:3: listeners: leaves out listener public on :8443, which needs a restart to end\n"
            "3:29: listeners[0].address: is no listener of this process: a new or changed address, or tls "
            "turned on or off, needs a restart\n");
  EXPECT_EQ(refused(std::string(kRunning) + "probes: off\n"),
            "13:9: probes: needs a restart to change; this process goes on with :9080\n");
  EXPECT_EQ(refused(std::string(kRunning) + "admin: unix:/run/a\n"),
            "13:8: admin: needs a restart to change; this process goes on with off\n");
  EXPECT_EQ(
      refused(std::string(kRunning) + "dpop: {replay: {capacity: 1000}}\n"),
      "13:16: dpop.replay: needs a restart to change; this process goes on with the store that it has\n");
}

TEST(Running, ListenersKeepTheirNumbersInWhateverOrderTheyStand) {
  const std::string mesh = "  - {name: mesh, address: \"127.0.0.1:8080\", tls: off}\n";
  std::string text = with(mesh, "");
  text.insert(text.find("  - {name: public"), mesh);
  const Settings now = running();
  const Loaded loaded = load(text, "f", a_machine(), &now);
  ASSERT_TRUE(loaded.settings) << lines_of(loaded.errors);
  EXPECT_EQ(loaded.settings->listeners, now.listeners);
}

TEST(Running, WhatChangedIsSaidInWords) {
  EXPECT_EQ(changed(with("name: carts, match: {path: /carts/**}", "name: basket, match: {path: /carts/**}")),
            "route carts removed\nroute basket added\n");
  EXPECT_EQ(changed(with("path: /carts/**}", "path: /carts}")), "route carts changed\n");
  EXPECT_EQ(changed(with("upstream: carts}", "upstream: orders}")), "route carts changed\n");
  EXPECT_EQ(changed(with("name: public", "name: front")), "listener public removed\nlistener front added\n");
  EXPECT_EQ(changed(with("audiences: [api]", "audiences: any")), "issuer one changed\n");
  EXPECT_EQ(
      changed(std::string(kRunning) + "dpop: {max_age: 30s}\nlog: {level: debug}\nshutdown: {drain: 1s}\n"
                                      "identity: {headers: {sub: X-User}}\n"),
      "dpop changed\nidentity headers changed\nlog changed\nshutdown changed\n");
}

TEST(Running, AnUpstreamBeforeAnotherDoesNotChangeTheRoutesOfThatOne) {
  EXPECT_EQ(
      changed(with("upstreams:\n", "upstreams:\n  - {name: new, servers: \"http://127.0.0.1:8002\"}\n")),
      "upstream new added\n");
}

TEST(Running, TheOrderOfRoutesIsAChange) {
  const std::string carts = "  - {name: carts, match: {path: /carts/**}, upstream: carts}\n";
  std::string text = with(carts, "");
  text.insert(text.find("  - {name: orders, match"), carts);
  EXPECT_EQ(changed(text), "routes in another order\n");
}

}  // namespace
}  // namespace holdfast::settings
