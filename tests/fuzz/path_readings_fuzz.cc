// The looser readings of a path, and the router that asks for them: no input may crash or take long, the
// readings keep their limits, and no request that reads two ways comes through to another route than the one
// its plainest reading names.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "http/path_readings.h"
#include "http/target_uri.h"
#include "policy/route_table.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

const holdfast::policy::RouteTable& table() {
  static const holdfast::policy::RouteTable routes = [] {
    std::vector<holdfast::policy::Route> list;
    for (const std::string_view path : {"/admin/**", "/public/**", "/a/*/b", "/Mixed/**"}) {
      holdfast::policy::Route route;
      route.name = path;
      route.match.paths = {std::string(path)};
      list.push_back(std::move(route));
    }
    return holdfast::policy::RouteTable(std::move(list));
  }();
  return routes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  holdfast::Arena arena;
  const auto target =
      holdfast::http::normalize_target(std::string_view(reinterpret_cast<const char*>(data), size), arena);
  if (!target) return 0;
  const std::string_view path = target->path;
  const holdfast::http::PathReadings readings = holdfast::http::looser_readings(path);
  require(readings.paths.size() <= holdfast::http::kMaxPathReadings);
  require(readings.paths.empty() || holdfast::http::has_looser_readings(path));
  for (const std::string& reading : readings.paths) require(reading.starts_with('/') && reading != path);

  const auto matched = table().match("h", path, "GET");
  if (!matched || !readings.complete) {
    require(readings.complete || !matched);
    return 0;
  }
  for (const std::string& reading : readings.paths) {
    const auto other = table().match("h", reading, "GET");
    require(!other || (*other)->name == (*matched)->name);
  }
  return 0;
}
