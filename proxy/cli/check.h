// `holdfast check`: every problem of a configuration, and with --online whether what it names is reached, for
// people on stderr or as JSON on stdout (docs/operations.md has its members).
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "settings/model.h"

namespace holdfast::cli {

struct CheckOptions {
  bool online = false;
  bool strict = false;
  bool json = false;
};

// Something that a configuration names, and what came of the attempt to reach it.
struct Reached {
  std::string path;    // in the configuration: "upstreams[0].servers[1]"
  std::string target;  // a URL
  bool reached = false;
  std::string detail;  // what was found; where it was not reached, what was tried and why it failed
};
using Reach = std::function<std::vector<Reached>(const settings::Settings&)>;

// A part that no server can be made with, although nothing is wrong with it by itself.
struct Unusable {
  std::string path;  // in the configuration: "listeners[0].tls"
  std::string why;
};
using TryOut = std::function<std::vector<Unusable>(const settings::Settings&)>;

// 0 valid; 3 invalid (with `strict`: or warned of); 4 valid, but not all of it was reached.
[[nodiscard]] int check(const std::filesystem::path& file, const CheckOptions& options, const TryOut& try_out,
                        const Reach& reach);

}  // namespace holdfast::cli
