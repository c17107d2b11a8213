// What `holdfast test` decides about a case: a token with its claims and a proof that fits it are made with
// keys of this run, and the request is judged by the story that serves (rehearsal.h). Nothing of the
// configuration's files is read, and nobody is asked. One thread.
#pragma once

#include <vector>

#include "cli/test.h"
#include "settings/model.h"

namespace holdfast::rehearsal {

[[nodiscard]] std::vector<cli::Decision> decide(const settings::Settings& settings,
                                                const std::vector<cli::PolicyCase>& cases, UnixTime now);

}  // namespace holdfast::rehearsal
