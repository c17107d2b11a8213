// Where in a configuration a key belongs, for whoever wrote it into another map: `path` beside `match`, or
// `require` a level too far out. Read from the schema, so that it knows every key there is. Immutable; any
// thread.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "settings/schema.h"

namespace holdfast::settings {

class KeyPlaces {
 public:
  explicit KeyPlaces(const Schema& file);

  // "; there is one under routes[].match", or nothing. `map` is where it was found, such as "routes[3]".
  [[nodiscard]] std::string hint(std::string_view key, std::string_view map) const;

 private:
  void enter(const boost::json::value& schema, const std::string& map);

  std::map<std::string, std::set<std::string>, std::less<>> maps_;  // by key: "", "routes[].match"
};

// Of the whole file.
[[nodiscard]] const KeyPlaces& key_places();

}  // namespace holdfast::settings
