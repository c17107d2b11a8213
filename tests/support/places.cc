#include "support/places.h"

namespace holdfast::support {

const std::filesystem::path& source_folder() {
  static const std::filesystem::path kFolder = HOLDFAST_SOURCE;
  return kFolder;
}

const std::filesystem::path& vectors_folder() {
  static const std::filesystem::path kFolder = HOLDFAST_VECTORS;
  return kFolder;
}

const std::filesystem::path& holdfast_binary() {
  static const std::filesystem::path kBinary = HOLDFAST_BINARY;
  return kBinary;
}

}  // namespace holdfast::support
