#include "settings/file_schema.h"

#include "settings/keys.h"
#include "settings/schema.h"

namespace holdfast::settings {

std::string file_schema() {
  Schema document{
      {"$schema", "http://json-schema.org/draft-07/schema#"},
      {"title", "Holdfast configuration"},
      {"description",
       "What `holdfast check` wants of every key; it also holds them against each other and against the "
       "files that they name."}};
  for (auto& [key, value] : schema_of(file_keys())) document[key] = std::move(value);
  return print(document);
}

}  // namespace holdfast::settings
