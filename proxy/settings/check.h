// What the values of a configuration must be to each other: unique names, origins beside trusted proxies, no
// plain http to an issuer. Pure.
#pragma once

#include "settings/model.h"
#include "settings/report.h"
#include "settings/world.h"

namespace holdfast::settings {

void check(const Settings& settings, const World& world, Report& report);

}  // namespace holdfast::settings
