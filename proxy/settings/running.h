// What a configuration that is read anew may change in a process that already serves: everything but what
// was settled when its sockets and its store were made (the contract's "Ending"). What needs a restart is an
// error like any other, at its place in the file, so that nothing of such a file is taken. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "settings/model.h"
#include "settings/report.h"

namespace holdfast::settings {

// Reports what `next` would change that only a restart can. Brings next.listeners into the order of
// `running`, because connections are known by it; without errors each stands at its own number afterwards.
void check_running(Settings& next, const Settings& running, Report& report);

// The difference in words, one entry a thing: "route orders-write changed", "upstream orders added". Empty:
// nothing that the file says.
[[nodiscard]] std::vector<std::string> changes(const Settings& before, const Settings& after);

}  // namespace holdfast::settings
