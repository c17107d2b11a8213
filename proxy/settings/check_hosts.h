// Hosts that routes match, held against those that listeners answer for (policy/origin.h): a route of a host
// that no listener is called by never lets a request in (a warning). Pure; any thread.
#pragma once

#include "settings/model.h"
#include "settings/report.h"

namespace holdfast::settings {

void check_hosts(const Settings& settings, Report& report);

}  // namespace holdfast::settings
