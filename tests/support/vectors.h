// Reads the public test vectors. A missing folder is no failure, but the test that wanted it has to say that
// it was skipped.
#pragma once

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

#include "base/ascii.h"
#include "support/places.h"

namespace holdfast::testing {

// The file below the vectors' folder; nothing where it does not exist.
inline std::optional<boost::json::value> load_vectors(const std::string& file) {
  std::ifstream in(support::vectors_folder() / file, std::ios::binary);
  if (!in) return std::nullopt;
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  return boost::json::parse(text);
}

inline std::string text_at(const boost::json::value& object, std::string_view name) {
  return std::string(object.at(boost::json::string_view(name)).as_string());
}

inline std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(hex_value(hex[i]) * 16 + hex_value(hex[i + 1])));
  }
  return bytes;
}

}  // namespace holdfast::testing
