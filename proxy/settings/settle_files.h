// The files that a configuration names: they are there, no one else reads the secret ones, and they hold what
// they should: certificates of today, keys that fit them. Pure: files are asked for by a function.
#pragma once

#include "settings/model.h"
#include "settings/report.h"
#include "settings/world.h"

namespace holdfast::settings {

// Makes every relative path one beside the file that named it (settings.file) and sees to it that it is
// there.
void settle_files(Settings& settings, const World& world, Report& report);

}  // namespace holdfast::settings
