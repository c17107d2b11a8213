// What it costs to find a request's route, with ten, a thousand and ten thousand routes: instructions where
// the machine counts them, and nanoseconds of CPU. A look-up may follow the path's depth, never the number of
// routes, in whatever way they differ. Prints a table; the last column is the dearest against the cheapest.
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "policy/route_table.h"

namespace {

using holdfast::policy::Route;
using holdfast::policy::RouteTable;

constexpr std::size_t kCounts[] = {10, 1'000, 10'000};
constexpr int kLookups = 2'000;
constexpr int kRounds = 15;

struct Request {
  std::string host = "api.example.com";
  std::string path;
  std::string method = "GET";
};

struct Case {
  const char* what;
  std::function<std::vector<Route>(std::size_t)> routes;
  std::function<Request(std::size_t)> request;  // for the last of so many routes
};

Route route(std::vector<std::string> hosts, std::vector<std::string> paths,
            std::vector<std::string> methods = {}) {
  Route made;
  made.match = {std::move(hosts), std::move(paths), std::move(methods)};
  return made;
}

std::string numbered(std::string_view begin, std::size_t i, std::string_view end = "") {
  return std::string(begin) + std::to_string(i) + std::string(end);
}

std::vector<Route> each(std::size_t count, const std::function<Route(std::size_t)>& make) {
  std::vector<Route> made;
  for (std::size_t i = 0; i < count; ++i) made.push_back(make(i));
  return made;
}

// Ways to write one deep path with "a" and "*".
std::vector<Route> stars(std::size_t count) {
  return each(count, [](std::size_t i) {
    std::string pattern;
    for (std::size_t bit = 0; bit < 14; ++bit) pattern += (i >> bit & 1) != 0 ? "/*" : "/a";
    return route({}, {pattern + "/x"});
  });
}

std::vector<Route> many_patterns(std::size_t count) {
  std::vector<std::string> patterns;
  for (std::size_t i = 0; i < count; ++i) patterns.push_back(numbered("/p", i, "/*"));
  return {route({}, std::move(patterns)), route({}, {"/**"})};
}

std::vector<Case> cases() {
  const auto plain = [](std::string path) {
    return [path = std::move(path)](std::size_t) { return Request{.path = path}; };
  };
  return {
      {"a path each",
       [](std::size_t n) {
         return each(n, [](std::size_t i) { return route({}, {numbered("/api/v1/s", i, "/**")}); });
       },
       [](std::size_t n) { return Request{.path = numbered("/api/v1/s", n - 1, "/x/y")}; }},
      {"a path each, none found",
       [](std::size_t n) {
         return each(n, [](std::size_t i) { return route({}, {numbered("/api/v1/s", i, "/**")}); });
       },
       plain("/api/v1/none/x/y")},
      {"a host each",
       [](std::size_t n) {
         return each(n, [](std::size_t i) { return route({numbered("t", i, ".example.com")}, {"/v1/**"}); });
       },
       [](std::size_t n) {
         return Request{.host = numbered("t", n - 1, ".example.com"), .path = "/v1/x/y"};
       }},
      {"a *.host each",
       [](std::size_t n) {
         return each(n,
                     [](std::size_t i) { return route({numbered("*.t", i, ".example.com")}, {"/v1/**"}); });
       },
       [](std::size_t n) {
         return Request{.host = numbered("a.t", n - 1, ".example.com"), .path = "/v1/x/y"};
       }},
      {"a method each",
       [](std::size_t n) {
         return each(n, [](std::size_t i) { return route({}, {"/v1/**"}, {numbered("M", i)}); });
       },
       [](std::size_t n) { return Request{.path = "/v1/x/y", .method = numbered("M", n - 1)}; }},
      {"* beside a literal at every level, none found", stars, plain("/a/a/a/a/a/a/a/a/a/a/a/a/a/a/y")},
      {"literals beside a * that leads to many",
       [](std::size_t n) {
         return each(n, [](std::size_t i) {
           return route({}, {i % 2 == 0 ? numbered("/t", i, "/x") : numbered("/*/b", i)});
         });
       },
       [](std::size_t n) { return Request{.path = numbered("/t0/b", n - 1)}; }},
      {"one route of many patterns, read twice", many_patterns,
       [](std::size_t n) { return Request{.path = numbered("/x/..%2Fp", n - 1, "%2Fx")}; }},
  };
}

double cpu_nanoseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

// Of this thread, in user space; counts nothing where the machine does not let it.
class Instructions {
 public:
  Instructions() {
    perf_event_attr what{};
    what.type = PERF_TYPE_HARDWARE;
    what.size = sizeof what;
    what.config = PERF_COUNT_HW_INSTRUCTIONS;
    what.exclude_kernel = 1;
    what.exclude_hv = 1;
    counter_ = static_cast<int>(::syscall(SYS_perf_event_open, &what, 0, -1, -1, 0));
  }
  ~Instructions() {
    if (counter_ >= 0) ::close(counter_);
  }
  Instructions(const Instructions&) = delete;
  Instructions& operator=(const Instructions&) = delete;

  [[nodiscard]] double now() const {
    std::uint64_t count = 0;
    return counter_ >= 0 && ::read(counter_, &count, sizeof count) == sizeof count
               ? static_cast<double>(count)
               : 0;
  }

 private:
  int counter_ = -1;
};

// The least of several rounds: what disturbs only ever adds.
std::pair<double, double> cost(const RouteTable& table, const Request& request, const Instructions& counter) {
  std::pair<double, double> least(std::numeric_limits<double>::max(), std::numeric_limits<double>::max());
  int found = 0;
  for (int round = 0; round < kRounds; ++round) {
    const double instructions = counter.now();
    const double began = cpu_nanoseconds();
    for (int i = 0; i < kLookups; ++i) {
      found += table.match(request.host, request.path, request.method).has_value() ? 1 : 0;
    }
    least.first = std::min(least.first, (counter.now() - instructions) / kLookups);
    least.second = std::min(least.second, (cpu_nanoseconds() - began) / kLookups);
  }
  if (found != 0 && found != kLookups * kRounds) std::puts("not always the same route");
  return least;
}

}  // namespace

int main() {
  const Instructions counter;
  std::printf("%-46s %24s %24s %24s %6s\n", "routes that differ by", "10 routes", "1,000", "10,000", "ratio");
  for (const Case& each : cases()) {
    std::printf("%-46s", each.what);
    double least = std::numeric_limits<double>::max();
    double most = 0;
    for (const std::size_t count : kCounts) {
      const RouteTable table(each.routes(count));
      const auto [instructions, nanoseconds] = cost(table, each.request(count), counter);
      const double measure = instructions > 0 ? instructions : nanoseconds;
      least = std::min(least, measure);
      most = std::max(most, measure);
      std::printf(" %9.0f instr. %6.0f ns", instructions, nanoseconds);
    }
    std::printf(" %6.2f\n", most / least);
  }
}
