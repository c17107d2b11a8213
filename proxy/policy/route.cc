// What the backend sees of a path: see the header.
#include "policy/route.h"

namespace holdfast::policy {

std::string_view backend_path(const Route& route, std::string_view path) {
  const std::string_view prefix = route.strip_prefix;
  if (prefix.empty() || !path.starts_with(prefix)) return path;
  const std::string_view rest = path.substr(prefix.size());
  if (rest.empty()) return "/";
  // "/v1" is no prefix of "/v10": whole segments only.
  return rest[0] == '/' ? rest : path;
}

}  // namespace holdfast::policy
