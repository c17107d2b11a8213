#include "settings/check_coverage.h"

#include <algorithm>
#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "policy/route_table.h"

namespace holdfast::settings {
namespace {

std::string route_at(std::size_t index) {
  return "routes[" + std::to_string(index) + ']';
}

// Of combinations of a host, a path and a method that are looked at in one file. More than any real one has;
// a hostile one has as many as it likes, and what is beyond is not judged.
constexpr std::size_t kMostCombinations = 200'000;

// The table of routes holds as many entries as a route has hosts times paths.
constexpr std::size_t kMostEntries = 200'000;

bool few_enough(const Settings& settings, Report& report) {
  std::size_t entries = 0;
  for (std::size_t i = 0; i < settings.routes.size(); ++i) {
    const Match& match = settings.routes[i].match;
    entries += std::max<std::size_t>(match.hosts.size(), 1) * std::max<std::size_t>(match.paths.size(), 1);
    if (entries <= kMostEntries) continue;
    report.error_at(route_at(i) + ".match",
                    "is too much: hosts times paths, of all routes up to this one, are more than " +
                        std::to_string(kMostEntries));
    return false;
  }
  return true;
}

// Routes by the indexes that the file has them under.
class Table {
 public:
  Table(std::vector<std::size_t> indexes, const std::vector<policy::RouteMatch>& matches)
      : indexes_(std::move(indexes)), table_(routes(matches)) {}

  // The index of the first route over it, for each combination of what a match names, until `see` says false.
  template <class See>
  void each_over(const Match& match, bool any_method, std::size_t& budget, See see) const {
    static const std::vector<std::string> kAny{""};
    static const std::vector<std::string> kAnyPath{"/**"};
    for (const std::string& host : match.hosts.empty() ? kAny : match.hosts) {
      for (const std::string& path : match.paths.empty() ? kAnyPath : match.paths) {
        for (const std::string& method : any_method || match.methods.empty() ? kAny : match.methods) {
          if (budget == 0) return;
          --budget;
          const policy::Route* over = table_.first_over(host, path, method);
          if (!see(over == nullptr ? std::string::npos : indexes_[over->index], path)) return;
        }
      }
    }
  }

 private:
  static std::vector<policy::Route> routes(const std::vector<policy::RouteMatch>& matches) {
    std::vector<policy::Route> out(matches.size());
    for (std::size_t i = 0; i < matches.size(); ++i) out[i].match = matches[i];
    return out;
  }

  std::vector<std::size_t> indexes_;
  policy::RouteTable table_;
};

policy::RouteMatch match_of(const Route& route) {
  return {route.match.hosts, route.match.paths, route.match.methods};
}

// Where part of a match was refused it would pass for a wider one.
std::vector<std::size_t> intact_routes(const Settings& settings, const Report& report) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < settings.routes.size(); ++i) {
    if (!report.refused_within(route_at(i) + ".match") && !report.refused(route_at(i))) out.push_back(i);
  }
  return out;
}

void check_dead(const Settings& settings, const std::vector<std::size_t>& intact, Report& report) {
  std::vector<policy::RouteMatch> matches;
  for (const std::size_t index : intact) matches.push_back(match_of(settings.routes[index]));
  const Table table(intact, matches);
  std::size_t budget = kMostCombinations;
  for (const std::size_t index : intact) {
    std::set<std::size_t> over;
    bool lives = false;
    table.each_over(settings.routes[index].match, false, budget, [&](std::size_t first, const std::string&) {
      lives = first == index;
      over.insert(first);
      return !lives;
    });
    if (budget == 0) return;
    if (lives) continue;
    std::string names;
    for (const std::size_t each : over) names += (names.empty() ? "" : ", ") + route_at(each);
    report.error_at(route_at(index), "can never match: " + names + (over.size() == 1 ? " takes" : " take") +
                                         " all that it would");
  }
}

// "/v1/**": paths below one that is named. What takes everything is no tree.
bool is_tree(std::string_view pattern) {
  if (!pattern.ends_with("/**")) return false;
  pattern.remove_suffix(3);
  return pattern.find_first_not_of("/*") != std::string_view::npos;
}

void check_open(const Settings& settings, const std::vector<std::size_t>& intact, Report& report) {
  std::vector<std::size_t> indexes;
  std::vector<policy::RouteMatch> trees;
  for (const std::size_t index : intact) {
    const Route& route = settings.routes[index];
    if (!asks_for_token(route.access) || report.refused(route_at(index) + ".access")) continue;
    policy::RouteMatch tree{route.match.hosts, {}, {}};
    for (const std::string& path : route.match.paths) {
      if (is_tree(path)) tree.paths.push_back(path);
    }
    if (tree.paths.empty()) continue;
    indexes.push_back(index);
    trees.push_back(std::move(tree));
  }
  const Table table(std::move(indexes), trees);
  std::size_t budget = kMostCombinations;
  for (const std::size_t index : intact) {
    const Route& route = settings.routes[index];
    if (route.access != Access::kPublic) continue;
    table.each_over(route.match, true, budget, [&](std::size_t over, const std::string& path) {
      if (over == std::string::npos) return true;
      report.warning_at(route_at(index), path + " is public, inside what " + route_at(over) + " protects");
      return false;
    });
  }
}

}  // namespace

void check_coverage(const Settings& settings, Report& report) {
  if (!few_enough(settings, report)) return;
  const std::vector<std::size_t> intact = intact_routes(settings, report);
  check_dead(settings, intact, report);
  check_open(settings, intact, report);
}

}  // namespace holdfast::settings
