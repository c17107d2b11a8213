// Splitting a compact JWS: see the header.
#include "jose/jws.h"

namespace holdfast::jose {

std::expected<CompactJws, std::string> split_compact(std::string_view text, std::size_t max_size) {
  if (text.size() > max_size) return std::unexpected("larger than " + std::to_string(max_size) + " bytes");
  const std::size_t first = text.find('.');
  if (first == std::string_view::npos) return std::unexpected("not a compact JWS: no '.'");
  const std::size_t second = text.find('.', first + 1);
  if (second == std::string_view::npos) return std::unexpected("not a compact JWS: one '.' alone");
  if (text.find('.', second + 1) != std::string_view::npos) {
    return std::unexpected("not a compact JWS: more than two '.'");
  }
  const CompactJws jws{text.substr(0, first), text.substr(first + 1, second - first - 1),
                       text.substr(second + 1), text.substr(0, second)};
  if (jws.header.empty()) return std::unexpected("an empty header segment");
  if (jws.payload.empty()) return std::unexpected("an empty payload segment");
  if (jws.signature.empty()) return std::unexpected("an empty signature segment");
  return jws;
}

}  // namespace holdfast::jose
