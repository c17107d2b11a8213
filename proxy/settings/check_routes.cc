// Routes, each by itself; check_coverage.h holds them against each other. See check_sections.h.
#include <algorithm>
#include <map>
#include <optional>
#include <string>

#include "http/target_uri.h"
#include "policy/route_table.h"
#include "settings/check_sections.h"
#include "settings/words.h"

namespace holdfast::settings {
namespace {

void check_strip_prefix(const Route& route, const std::string& path, Report& report) {
  if (route.strip_prefix.empty()) return;
  if (route.strip_prefix.ends_with('/') || route.strip_prefix.contains('*')) {
    report.error_at(path, "must be whole segments without a / at the end and without wildcards, such as /v1");
    return;
  }
  if (route.match.paths.empty()) {
    report.error_at(path, "needs match.path patterns that start with it");
    return;
  }
  for (const std::string& pattern : route.match.paths) {
    if (pattern.empty() || policy::pattern_starts_with(pattern, route.strip_prefix)) continue;
    report.error_at(path, "is not a prefix of the path pattern \"" + pattern + '"');
    return;
  }
}

// A token that is asked about is shown to the issuer. Were there two, one would be shown the other's.
void check_one_introspects(const Settings& settings, const Route& route, const std::string& path,
                           Report& report) {
  const Issuer* first = nullptr;
  for (const std::size_t index : route.issuers) {
    const Issuer& issuer = settings.issuers[index];
    if (issuer.introspection.mode == IntrospectionMode::kOff) continue;
    if (first != nullptr) {
      report.error_at(path, "names two issuers with introspection, " + first->name + " and " + issuer.name +
                                ": one would be asked about the other's tokens");
      return;
    }
    first = &issuer;
  }
}

// Clients compare these texts byte for byte, so each resource has one only; `names` has those so far.
void check_resource(const Settings& settings, const std::string& resource, const std::string& path,
                    std::map<std::string, std::string>& names, Report& report) {
  const auto normal = http::normalize_absolute_uri(resource);
  if (!normal) return report.error_at(path, "must have a path that a request can have");
  if (*normal != resource && *normal != resource + '/')
    return report.error_at(path, "must be written in its normal form, " + *normal);
  if (const auto& name = names.emplace(*normal, resource).first->second; name != resource)
    return report.error_at(path, "is called " + name + " by another route; a resource has one name");
  const auto origin = parse_url(resource);
  const auto lacks = [&origin](const Listener& listener) {
    const auto& origins = listener.public_origins;
    return !origins.empty() && std::ranges::find(origins, *origin) == origins.end();
  };
  if (std::ranges::all_of(settings.listeners, lacks))
    report.warning_at(path, "is at none of the public_origins, so nobody can ask about it here");
}

// The wildcards of other programs are words here like any other, and a rule that takes nothing is believed.
void check_wildcards(const Match& match, const std::string& path, Report& report) {
  for (std::size_t i = 0; i < match.paths.size(); ++i) {
    std::string_view rest = match.paths[i];
    while (!rest.empty()) {
      rest.remove_prefix(1);
      const std::string_view segment = rest.substr(0, rest.find('/'));
      rest.remove_prefix(segment.size());
      const bool braces = segment.starts_with('{') && segment.ends_with('}');
      if (!braces && !(segment.starts_with(':') && segment.size() > 1)) continue;
      report.warning_at(item(path + ".path", i), "takes the segment " + std::string(segment) +
                                                     " as it is written; * is one segment, whatever it is");
      break;
    }
  }
  for (std::size_t i = 0; i < match.methods.size(); ++i) {
    const std::string& method = match.methods[i];
    if (method == "*" || method == "ANY" || method == "ALL") {
      report.warning_at(item(path + ".methods", i),
                        "is one method of that name; leave methods out to take every one");
    }
  }
}

void check_cors(const std::optional<Cors>& cors, const std::string& path, Report& report) {
  if (!cors) return;
  check_unique(cors->origins, path + ".origins", report);
  const bool any = std::ranges::find(cors->origins, kAnyOrigin) != cors->origins.end();
  if (any && cors->origins.size() > 1) report.error_at(path + ".origins", "holds *, which stands alone");
  // Fetch 3.3.5: a browser takes * for no one then, and reflecting each origin would let every page act as
  // whoever looks at it.
  if (any && cors->credentials) report.error_at(path + ".credentials", "cannot stand beside origins: *");
}

}  // namespace

void check_routes(const Settings& settings, Report& report) {
  check_cors(settings.cors, "cors", report);
  std::map<std::string, std::string> resources;
  for (std::size_t i = 0; i < settings.routes.size(); ++i) {
    const Route& route = settings.routes[i];
    const std::string path = item("routes", i);
    check_unique(route.match.hosts, path + ".match.host", report);
    check_unique(route.match.paths, path + ".match.path", report);
    check_unique(route.match.methods, path + ".match.methods", report);
    check_wildcards(route.match, path + ".match", report);
    check_unique(route.require.scopes, path + ".require.scopes", report);
    check_unique(route.require.acr, path + ".require.acr", report);
    check_strip_prefix(route, path + ".strip_prefix", report);
    check_one_introspects(settings, route, path + ".issuers", report);
    if (route.cors != settings.cors) check_cors(route.cors, path + ".cors", report);
    if (route.resource) check_resource(settings, *route.resource, path + ".resource", resources, report);
    if (!route.enforce) {
      report.warning_at(path + ".enforce",
                        "is false: what would be refused is logged and counted, and passes");
    }
  }
}

}  // namespace holdfast::settings
