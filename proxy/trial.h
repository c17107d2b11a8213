// What `holdfast check` cannot read off a file: whether TLS takes the certificates and keys, which OpenSSL
// and this machine's policy for it decide. Made as a server makes them, and let go again; the program's first
// thread, before anything else runs.
#pragma once

#include <vector>

#include "cli/check.h"
#include "settings/model.h"

namespace holdfast {

[[nodiscard]] std::vector<cli::Unusable> try_out(const settings::Settings& settings);

}  // namespace holdfast
