// The JSON Schema (draft-07) of a configuration, for editors and for checks in other people's pipelines: what
// `holdfast schema` prints and config/holdfast.schema.json is a copy of. It says what every key may hold, not
// what keys must be to each other or to the files around them. Pure; any thread.
#pragma once

#include <string>

namespace holdfast::settings {

[[nodiscard]] std::string file_schema();

}  // namespace holdfast::settings
