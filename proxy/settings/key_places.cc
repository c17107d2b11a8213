#include "settings/key_places.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "settings/keys.h"

namespace holdfast::settings {
namespace {

// More than that and nobody would know which.
constexpr std::size_t kMostPlaces = 3;

// "routes[3].match" -> "routes[].match"
std::string without_indexes(std::string_view path) {
  std::string out;
  bool inside = false;
  for (const char c : path) {
    if (c == ']') inside = false;
    if (!inside) out += c;
    if (c == '[') inside = true;
  }
  return out;
}

std::size_t depth(std::string_view map) {
  return map.empty() ? 0 : static_cast<std::size_t>(std::ranges::count(map, '.')) + 1;
}

bool stands_in(std::string_view map, std::string_view around) {
  return map.starts_with(around) &&
         (around.empty() || map.size() == around.size() || map[around.size()] == '.');
}

}  // namespace

KeyPlaces::KeyPlaces(const Schema& file) {
  enter(file, "");
}

void KeyPlaces::enter(const boost::json::value& schema, const std::string& map) {
  const auto* const object = schema.if_object();
  if (object == nullptr) return;
  if (const auto* alternatives = object->if_contains("anyOf")) {
    for (const auto& each : alternatives->as_array()) enter(each, map);
  }
  if (const auto* item = object->if_contains("items")) enter(*item, map + "[]");
  const auto* properties = object->if_contains("properties");
  if (properties == nullptr) return;
  for (const auto& [key, value] : properties->as_object()) {
    maps_[std::string(key)].insert(map);
    enter(value, map.empty() ? std::string(key) : map + '.' + std::string(key));
  }
}

std::string KeyPlaces::hint(std::string_view key, std::string_view map) const {
  const auto known = maps_.find(key);
  if (known == maps_.end()) return "";
  const std::string here = without_indexes(map);
  // deeper in the same map is the likeliest, then whatever is least deep
  std::vector<std::string> places;
  std::ranges::copy_if(known->second, std::back_inserter(places),
                       [&here](const std::string& place) { return stands_in(place, here); });
  if (places.empty()) places.assign(known->second.begin(), known->second.end());
  const std::size_t least = depth(*std::ranges::min_element(places, {}, depth));
  std::erase_if(places, [least](const std::string& place) { return depth(place) > least; });
  if (places.size() > kMostPlaces) return "";
  if (places.front().empty()) return "; there is one at the top of the file";
  return "; there is one under " + one_of(places);
}

const KeyPlaces& key_places() {
  static const KeyPlaces places(schema_of(file_keys()));
  return places;
}

}  // namespace holdfast::settings
