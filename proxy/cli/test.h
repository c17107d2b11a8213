// `holdfast test`: what a configuration decides about the requests of a file of cases, against what that file
// expects. How they are judged is the caller's; here are the reading and the comparing.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/reason.h"
#include "base/time.h"
#include "cli/cases_file.h"
#include "settings/model.h"

namespace holdfast::cli {

struct Decision {
  std::string decision;          // allow, deny or report
  std::optional<Reason> reason;  // of the last two
  int status = 0;                // 0 where the backend answers
  std::string route;             // empty: none was found
  std::string detail;
  std::string impossible;  // why the case could not be tried, "" where it was
};

using Decide = std::function<std::vector<Decision>(const settings::Settings&, const std::vector<PolicyCase>&,
                                                   UnixTime now)>;

// 0 all as expected; 5 one differs; 2 the cases cannot be read from a file; 3 they or the configuration are
// invalid.
[[nodiscard]] int test(const std::filesystem::path& file, const std::filesystem::path& cases,
                       const Decide& decide);

}  // namespace holdfast::cli
