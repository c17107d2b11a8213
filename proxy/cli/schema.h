// `holdfast schema`: the JSON Schema of the configuration on stdout.
#pragma once

namespace holdfast::cli {

[[nodiscard]] int schema();

}  // namespace holdfast::cli
