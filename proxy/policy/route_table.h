// Which route takes a request: the first in the configuration's order whose host, path and method match. Path
// patterns:
//   pattern = "/" | 1*( "/" segment )      segment = literal | "*" (one non-empty segment) | "**" (any rest;
//   only last)
// "/orders/**" also matches "/orders". Literals compare byte for byte with the path's normal form.
// A request is refused where a looser reading of its path (http/path_readings.h), or of its method in
// capitals, leads to another route, or out of the routes altogether, since the backend may act on that
// reading. Immutable after construction; any thread.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/reason.h"
#include "policy/route.h"

namespace holdfast::policy {

// Why a pattern is none, in words for the configuration's author; nothing if it is one.
[[nodiscard]] std::optional<std::string> path_pattern_error(std::string_view pattern);
[[nodiscard]] std::optional<std::string> host_pattern_error(std::string_view pattern);
// Does every path that `pattern` takes start with `prefix`'s segments (strip_prefix)?
[[nodiscard]] bool pattern_starts_with(std::string_view pattern, std::string_view prefix);

class RouteTable {
 public:
  // Patterns must be free of path_pattern_error and host_pattern_error; std::invalid_argument otherwise.
  explicit RouteTable(std::vector<Route> routes);
  ~RouteTable();
  RouteTable(RouteTable&&) noexcept;
  RouteTable& operator=(RouteTable&&) noexcept;

  // `host` as http::Origin has it, may be empty; `path` in normal form. Refuses with no_route or
  // request_malformed.
  [[nodiscard]] Checked<const Route*> match(std::string_view host, std::string_view path,
                                            std::string_view method) const;
  // The same for a path that was `sent` in another form than the normal one: all of its readings have to
  // agree.
  [[nodiscard]] Checked<const Route*> match_sent(std::string_view host, std::string_view sent,
                                                 std::string_view path, std::string_view method) const;

  // The first route that takes every request which these patterns would take, all by itself; the last of
  // routes() at the latest, where they are one of its own. `host` empty: any; `method` empty: any. nullptr:
  // no route takes them all.
  [[nodiscard]] const Route* first_over(std::string_view host, std::string_view path,
                                        std::string_view method) const;

  [[nodiscard]] const std::vector<Route>& routes() const { return *routes_; }

 private:
  class Index;
  class Paths;
  [[nodiscard]] bool is_ambiguous(std::size_t chosen, std::string_view host, std::string_view path,
                                  std::string_view method) const;
  [[nodiscard]] bool reads_elsewhere(std::size_t chosen, std::string_view host, std::string_view path,
                                     std::string_view backend, std::string_view method) const;

  std::unique_ptr<std::vector<Route>>
      routes_;  // stays where it is when the table moves: routes are pointed to
  std::unique_ptr<const Index> exact_;
  std::unique_ptr<const Paths> paths_;
  std::unique_ptr<const Index>
      folded_;  // of folded patterns (http::fold_path); null where folding changes none
};

}  // namespace holdfast::policy
