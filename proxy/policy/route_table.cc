// Routes by host and path: see the header. The index is a trie of segments for each host pattern, with the
// first route for each method at its ends, so that the cost of a match follows the depth of the path and not
// the number of routes.
#include "policy/route_table.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <stdexcept>
#include <unordered_map>
#include <utility>

#include "base/ascii.h"
#include "http/origin.h"
#include "http/path_readings.h"
#include "http/target_uri.h"

namespace holdfast::policy {
namespace {

constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};
template <typename T>
using TextMap = std::unordered_map<std::string, T, TextHash, std::equal_to<>>;

// The first segment of what follows a '/', and whether more follow; `rest` moves behind the next '/'.
std::string_view take_segment(std::string_view& rest, bool& more) {
  const std::size_t end = std::min(rest.find('/'), rest.size());
  const std::string_view segment = rest.substr(0, end);
  more = end < rest.size();
  rest.remove_prefix(more ? end + 1 : end);
  return segment;
}

// Routes whose pattern comes to the same end: the first of them for each method.
class Candidates {
 public:
  void add(const Route& route) {
    if (route.match.methods.empty()) any_ = std::min(any_, route.index);
    for (const std::string& method : route.match.methods) offer(method, route.index);
  }
  void add(const Candidates& others) {
    any_ = std::min(any_, others.any_);
    for (const auto& [method, route] : others.by_method_) offer(method, route);
  }
  [[nodiscard]] std::size_t first(std::string_view method) const {
    if (by_method_.empty()) return any_;
    const auto named = by_method_.find(method);
    return named == by_method_.end() ? any_ : std::min(any_, named->second);
  }

 private:
  void offer(const std::string& method, std::size_t route) {
    const auto [at, added] = by_method_.try_emplace(method, route);
    if (!added) at->second = std::min(at->second, route);
  }

  TextMap<std::size_t> by_method_;
  std::size_t any_ = kNone;  // of those that take every method
};

struct Node {
  TextMap<std::unique_ptr<Node>> literals;
  std::unique_ptr<Node> star;
  bool star_in_literals = false;  // what `star` leads to is found under each literal, too
  Candidates ends;                // patterns that end here
  Candidates rests;               // patterns that go on with "**"
};

Node& made(std::unique_ptr<Node>& child) {
  if (!child) child = std::make_unique<Node>();
  return *child;
}

// Nodes, but no more than `most` are looked at.
std::size_t count(const Node& node, std::size_t most) {
  std::size_t nodes = 1;
  if (node.star && nodes < most) nodes += count(*node.star, most - nodes);
  for (const auto& [segment, child] : node.literals) {
    if (nodes >= most) break;
    nodes += count(*child, most - nodes);
  }
  return nodes;
}

void merge(Node& into, const Node& from) {
  into.ends.add(from.ends);
  into.rests.add(from.rests);
  if (from.star) merge(made(into.star), *from.star);
  for (const auto& [segment, child] : from.literals) merge(made(into.literals[segment]), *child);
}

// Where a '*' stands beside literals both ways would have to be walked, on every level anew: up to 2^depth of
// them. So what '*' leads to is copied under the literals, and one way is enough. `room` is how many nodes
// that may take; where it takes more, as with many literals beside a '*' that leads to many, two ways are
// left.
void put_stars_into_literals(Node& node, std::size_t& room) {
  if (node.star && !node.literals.empty()) {
    const std::size_t most = room / node.literals.size();
    const std::size_t size = count(*node.star, most + 1);
    node.star_in_literals = size <= most;
    room -= std::min(room, node.star_in_literals ? size * node.literals.size() : size);
    for (const auto& [segment, child] : node.literals) {
      if (node.star_in_literals && !segment.empty()) merge(*child, *node.star);
    }
  }
  if (node.star) put_stars_into_literals(*node.star, room);
  for (const auto& [segment, child] : node.literals) put_stars_into_literals(*child, room);
}

// Path patterns by their segments.
class Trie {
 public:
  void insert(std::string_view pattern, const Route& route) {
    Node* node = &root_;
    std::string_view rest = pattern.substr(1);
    for (bool more = true; more;) {
      const std::string_view segment = take_segment(rest, more);
      if (segment == "**") return node->rests.add(route);
      node = &made(segment == "*" ? node->star : node->literals[std::string(segment)]);
    }
    node->ends.add(route);
  }
  // After the last insert.
  void settle() {
    std::size_t room = 1024 + 8 * count(root_, kNone);
    put_stars_into_literals(root_, room);
  }
  template <bool kPattern>
  void find_first(std::string_view path, std::string_view method, std::size_t& best) const {
    walk<kPattern>(root_, path.substr(1), true, method, best);
  }

 private:
  template <bool kPattern>
  static void walk(const Node& node, std::string_view rest, bool more, std::string_view method,
                   std::size_t& best) {
    best = std::min(best, node.rests.first(method));
    if (!more) {
      best = std::min(best, node.ends.first(method));
      return;
    }
    const std::string_view segment = take_segment(rest, more);
    if (kPattern && segment == "**") return;
    if (const auto literal = node.literals.find(segment); literal != node.literals.end()) {
      walk<kPattern>(*literal->second, rest, more, method, best);
      if (node.star_in_literals) return;
    }
    if (node.star && !segment.empty()) walk<kPattern>(*node.star, rest, more, method, best);
  }

  Node root_;
};

bool pattern_takes(std::string_view pattern, std::string_view path) {
  pattern.remove_prefix(1);
  path.remove_prefix(1);
  for (bool more_pattern = true, more_path = true; more_pattern;) {
    const std::string_view wanted = take_segment(pattern, more_pattern);
    if (wanted == "**") return true;
    if (!more_path) return false;
    const std::string_view segment = take_segment(path, more_path);
    if (wanted == "*" ? segment.empty() : wanted != segment) return false;
    if (!more_pattern) return !more_path;
  }
  return false;
}

}  // namespace

class RouteTable::Index {
 public:
  template <typename PathForm>
  Index(const std::vector<Route>& routes, PathForm path_form) {
    for (const Route& route : routes) {
      const auto insert_paths = [&](Trie& trie) {
        if (route.match.paths.empty()) trie.insert("/**", route);
        for (const std::string& path : route.match.paths) trie.insert(path_form(path), route);
      };
      if (route.match.hosts.empty()) insert_paths(any_host_);
      for (const std::string& host : route.match.hosts) {
        const std::string lower = to_lower(host);
        insert_paths(lower.starts_with("*.") ? suffixes_[lower.substr(1)] : hosts_[lower]);
      }
    }
    any_host_.settle();
    for (auto& [host, trie] : hosts_) trie.settle();
    for (auto& [suffix, trie] : suffixes_) trie.settle();
  }

  [[nodiscard]] std::size_t first(std::string_view host, std::string_view path,
                                  std::string_view method) const {
    return first<false>(host, path, method);
  }
  // The same for all that the patterns would take.
  [[nodiscard]] std::size_t first_over(std::string_view host, std::string_view path,
                                       std::string_view method) const {
    return first<true>(host, path, method);
  }

 private:
  // A pattern is walked like a path: its `*` is a segment that no literal is equal to, its `*.` before a host
  // a label that no host has. Only `**` differs: what is not taken by a `**` before it is taken by nothing.
  template <bool kPattern>
  [[nodiscard]] std::size_t first(std::string_view host, std::string_view path,
                                  std::string_view method) const {
    std::size_t best = kNone;
    any_host_.find_first<kPattern>(path, method, best);
    if (const auto exact = hosts_.find(host); exact != hosts_.end()) {
      exact->second.find_first<kPattern>(path, method, best);
    }
    if (suffixes_.empty()) return best;
    // The first label is what the '*' stands for, so the search begins behind it.
    for (std::size_t dot = host.find('.'); dot != std::string_view::npos; dot = host.find('.', dot + 1)) {
      if (const auto suffix = suffixes_.find(host.substr(dot)); dot > 0 && suffix != suffixes_.end()) {
        suffix->second.find_first<kPattern>(path, method, best);
      }
    }
    return best;
  }

  Trie any_host_;
  TextMap<Trie> hosts_;
  TextMap<Trie> suffixes_;  // ".example.com"
};

// The paths of each route alone.
class RouteTable::Paths {
 public:
  explicit Paths(const std::vector<Route>& routes) : routes_(&routes) {
    for (const Route& route : routes) {
      if (route.match.paths.size() <= kFew) continue;
      Route alone;  // whatever the host and the method
      Trie& trie = many_[route.index];
      for (const std::string& path : route.match.paths) trie.insert(path, alone);
      trie.settle();
    }
  }

  [[nodiscard]] bool takes(std::size_t route, std::string_view path) const {
    const std::vector<std::string>& patterns = (*routes_)[route].match.paths;
    if (patterns.empty()) return true;
    if (const auto many = many_.find(route); many != many_.end()) {
      std::size_t found = kNone;
      many->second.find_first<false>(path, "", found);
      return found != kNone;
    }
    return std::ranges::any_of(patterns,
                               [path](const std::string& pattern) { return pattern_takes(pattern, path); });
  }

 private:
  static constexpr std::size_t kFew = 8;  // worth looking at one by one

  const std::vector<Route>* routes_;
  std::unordered_map<std::size_t, Trie> many_;  // of those that have many, by index
};

std::optional<std::string> path_pattern_error(std::string_view pattern) {
  if (!pattern.starts_with('/')) return "a path pattern begins with /";
  const auto normal = http::normalize_path(pattern);
  if (!normal) return normal.error().detail;
  if (*normal != pattern) return "not in normal form; write it as " + *normal;
  std::string_view rest = pattern.substr(1);
  for (bool more = true; more;) {
    const std::string_view segment = take_segment(rest, more);
    if (segment == "**" && more) return "** stands only at the end";
    if (segment.contains('*') && segment != "*" && segment != "**")
      return "* and ** stand for whole segments";
  }
  return std::nullopt;
}

std::optional<std::string> host_pattern_error(std::string_view pattern) {
  const std::string_view host = pattern.starts_with("*.") ? pattern.substr(2) : pattern;
  const auto authority = http::parse_authority(host);
  if (!authority) return "neither a host nor *.DOMAIN";
  if (authority->port) return "a host without its port is meant";
  if (host.size() != pattern.size() && http::is_ip_literal(authority->host))
    return "an address has no subdomains";
  if (!iequals(authority->host, host)) return "not in normal form; write it as " + authority->host;
  return std::nullopt;
}

bool pattern_starts_with(std::string_view pattern, std::string_view prefix) {
  if (prefix.ends_with('/')) prefix.remove_suffix(1);
  if (!pattern.starts_with(prefix)) return false;
  return pattern.size() == prefix.size() || pattern[prefix.size()] == '/';
}

RouteTable::RouteTable(std::vector<Route> routes)
    : routes_(std::make_unique<std::vector<Route>>(std::move(routes))) {
  bool folding_changes = false;
  for (std::size_t i = 0; i < routes_->size(); ++i) {
    Route& route = (*routes_)[i];
    route.index = i;
    for (const std::string& path : route.match.paths) {
      if (const auto error = path_pattern_error(path)) throw std::invalid_argument(path + ": " + *error);
      folding_changes = folding_changes || http::fold_path(path) != path;
    }
    for (const std::string& host : route.match.hosts) {
      if (const auto error = host_pattern_error(host)) throw std::invalid_argument(host + ": " + *error);
    }
  }
  exact_ =
      std::make_unique<const Index>(*routes_, [](const std::string& path) { return std::string_view(path); });
  paths_ = std::make_unique<const Paths>(*routes_);
  if (folding_changes) folded_ = std::make_unique<const Index>(*routes_, http::fold_path);
}

RouteTable::~RouteTable() = default;
RouteTable::RouteTable(RouteTable&&) noexcept = default;
RouteTable& RouteTable::operator=(RouteTable&&) noexcept = default;

Checked<const Route*> RouteTable::match(std::string_view host, std::string_view path,
                                        std::string_view method) const {
  const std::size_t chosen = exact_->first(host, path, method);
  if (chosen == kNone) return refuse(Reason::no_route, "no route takes this host, path and method");
  if (is_ambiguous(chosen, host, path, method)) {
    return refuse(Reason::request_malformed,
                  "a backend could read the path in a way that leads to another route");
  }
  // Methods are case-sensitive (RFC 9110 9.1), but not to every framework: to some "delete" is DELETE. One
  // that leads nowhere in capitals was spelt so by the configuration's author.
  if (const std::string capitals = to_upper(method); capitals != method) {
    const auto led_to = match(host, path, capitals);
    if (led_to ? *led_to != &(*routes_)[chosen] : led_to.error().reason != Reason::no_route) {
      return refuse(Reason::request_malformed,
                    "a backend could read the method in a way that leads to another route");
    }
  }
  return &(*routes_)[chosen];
}

const Route* RouteTable::first_over(std::string_view host, std::string_view path,
                                    std::string_view method) const {
  const std::size_t found = exact_->first_over(host, path, method);
  return found == kNone ? nullptr : &(*routes_)[found];
}

Checked<const Route*> RouteTable::match_sent(std::string_view host, std::string_view sent,
                                             std::string_view path, std::string_view method) const {
  auto chosen = match(host, path, method);
  if (!chosen || sent == path) return chosen;
  const auto readings = http::readings_before_dots(sent);
  const bool agreed = readings && std::ranges::all_of(*readings, [&](const std::string& reading) {
                        const auto led_to = match(host, reading, method);
                        return led_to && *led_to == *chosen;
                      });
  if (agreed) return chosen;
  return refuse(Reason::request_malformed,
                "the path as sent could be read in a way that leads to another route");
}

bool RouteTable::is_ambiguous(std::size_t chosen, std::string_view host, std::string_view path,
                              std::string_view method) const {
  if (folded_ && folded_->first(host, http::fold_path(path), method) != chosen) return true;
  if (reads_elsewhere(chosen, host, path, path, method)) return true;
  // Where a prefix is taken away the backend's reading begins anew: "/v1//x/admin" comes to it as
  // "//x/admin".
  const std::string_view rest = backend_path((*routes_)[chosen], path);
  return rest.size() < path.size() && reads_elsewhere(chosen, host, path, rest, method);
}

// Two questions of every reading of what the backend gets, which is the end of `path`. Does it lead to
// another route, and to one that the path itself could not have led to? If it could (/Admin/** before /**),
// the chosen route stands before that one and takes the folded reading too. And does it, folded, still lead
// to the chosen route, with patterns folded as well? If not, it leads to where no route goes
// (/public/..%2Finternal where only /public/** is routed), or to a route that is spelt with capitals.
bool RouteTable::reads_elsewhere(std::size_t chosen, std::string_view host, std::string_view path,
                                 std::string_view backend, std::string_view method) const {
  if (!http::has_looser_readings(backend)) return false;
  const http::PathReadings readings = http::looser_readings(backend);
  if (!readings.complete) return true;
  const Index& folded = folded_ ? *folded_ : *exact_;
  const std::string_view prefix = path.substr(0, path.size() - backend.size());
  return std::ranges::any_of(readings.paths, [&](const std::string& reading) {
    const std::string whole = std::string(prefix) + reading;
    const std::size_t led_to = exact_->first(host, whole, method);
    if (led_to != kNone && led_to != chosen && !paths_->takes(led_to, path)) return true;
    // Every reading's folded form is among the readings, or is the path itself.
    return http::fold_path(reading) == reading &&
           folded.first(host, http::fold_path(whole), method) != chosen;
  });
}

}  // namespace holdfast::policy
