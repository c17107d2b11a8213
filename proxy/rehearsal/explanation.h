// What `holdfast explain` says about a request: read by the decoder that serves, judged by the story that
// serves (rehearsal.h), told as a ladder (ladder.h). Fetches issuers' keys when the story asks for them. The
// program's first thread.
#pragma once

#include "cli/explain.h"
#include "settings/model.h"

namespace holdfast::rehearsal {

// Throws cli::BadOption, and parts::StartError where the configuration would not start.
[[nodiscard]] cli::Explanation explain(const settings::Settings& settings, const cli::ExplainInput& input);

}  // namespace holdfast::rehearsal
