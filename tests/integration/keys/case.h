// One key of the configuration and what it changes: what a client, a backend or an operator sees (`look`)
// with two configurations that differ in that key. Tables of cases stand in a file a section.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace holdfast::integration::keys {

class World;
using Look = std::function<std::string(World&)>;

// How a configuration comes into force.
enum class By {
  kReload,   // SIGHUP
  kRestart,  // a process of its own: the key needs that, or what it changes outlives a reload
  kCheck,    // `holdfast check` is what sees it
};

// The change is the one that makes something happen: with it a look waits as long as it takes, without it
// only so long that it would be seen to happen.
struct Case {
  std::string key;                  // as the schema has it, without indexes: listeners.timeouts.idle
  std::vector<std::string> base;    // lines (configuration.h) put over what all cases share
  std::vector<std::string> change;  // and over that
  Look look;
  std::string before;  // what it sees with base
  std::string after;   // and with the change
  By by = By::kReload;
};

// A key whose outcome another test holds: the file in tests/integration without _test.cc, and the test.
struct HeldElsewhere {
  std::string key;
  std::string file;
  std::string suite;
  std::string test;
};

// A key, or a value, that the contract names and that does not exist yet: `line` has it.
struct NotYet {
  std::string key;
  std::string line;
};

[[nodiscard]] std::vector<Case> listener_cases();
[[nodiscard]] std::vector<Case> issuer_cases();
[[nodiscard]] std::vector<Case> dpop_cases();
[[nodiscard]] std::vector<Case> upstream_cases();
[[nodiscard]] std::vector<Case> route_cases();
[[nodiscard]] std::vector<Case> identity_cases();
[[nodiscard]] std::vector<Case> rest_cases();
[[nodiscard]] std::vector<HeldElsewhere> held_elsewhere();
[[nodiscard]] std::vector<NotYet> not_yet();

}  // namespace holdfast::integration::keys
