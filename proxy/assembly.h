// `holdfast run`: what happens around serving (server.h has that).
#pragma once

#include "cli/command_line.h"

namespace holdfast {

// Serves until SIGTERM or SIGINT has drained it. 0 clean; 1: it could not start, said on stderr.
[[nodiscard]] int serve(cli::RunOptions options);

}  // namespace holdfast
