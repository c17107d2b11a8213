// The checks of one section of a configuration each, for check.h. Pure; any thread.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "settings/model.h"
#include "settings/report.h"

namespace holdfast::settings {

void check_listeners(const Settings& settings, Report& report);
void check_admin(const Settings& settings, Report& report);
void check_issuers(const Settings& settings, Report& report);
void check_routes(const Settings& settings, Report& report);
void check_identity(const Settings& settings, Report& report);

// Each value once. One that was refused is T() here, and passed over.
template <class T>
void check_unique(const std::vector<T>& values, const std::string& path, Report& report) {
  std::set<T> seen;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i] == T()) continue;
    if (!seen.insert(values[i]).second) report.error_at(item(path, i), "stands in the list already");
  }
}

}  // namespace holdfast::settings
