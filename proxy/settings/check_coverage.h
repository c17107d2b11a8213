// Routes held against each other: one that never gets a request, because routes above it take all that it
// would (an error), and one that is public inside a tree of paths that another route protects (a warning).
// Pure; any thread.
#pragma once

#include "settings/model.h"
#include "settings/report.h"

namespace holdfast::settings {

void check_coverage(const Settings& settings, Report& report);

}  // namespace holdfast::settings
