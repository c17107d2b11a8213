// `holdfast explain --id`: asks the process that runs with a configuration, over its admin listener, why it
// refused a request. The program's first thread.
#pragma once

#include <expected>
#include <string_view>

#include "cli/explain.h"
#include "settings/model.h"

namespace holdfast {

[[nodiscard]] std::expected<cli::Explanation, cli::Unsaid> recall(const settings::Settings& settings,
                                                                  std::string_view request_id);

}  // namespace holdfast
