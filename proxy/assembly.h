// `holdfast run`: the one place that names every concrete class, puts them together, and takes them down
// again.
#pragma once

#include "settings/model.h"

namespace holdfast {

// Serves until SIGTERM or SIGINT has drained it. 0 clean; 1: it could not start, said on stderr.
[[nodiscard]] int serve(const settings::Settings& settings);

}  // namespace holdfast
