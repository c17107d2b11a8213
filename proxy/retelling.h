// What the admin listener answers about a request that workers may remember: why it was refused, under the
// settings that it was judged by, or why nothing can be said. Pure; any thread.
#pragma once

#include "admin/plain_server.h"
#include "settings/model.h"
#include "telemetry/remembered.h"

namespace holdfast {

// `judged_by`: of the newest that was found; null where they are not kept any more.
[[nodiscard]] admin::PlainAnswer retell(const telemetry::Recollection& found,
                                        const settings::Settings* judged_by);

}  // namespace holdfast
