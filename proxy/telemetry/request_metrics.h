// Counts requests as they end, one object a worker: it stands in front of the access log and hands every
// record on. Labels come from closed sets (configured routes, known methods, status codes, reasons), so
// nothing that a client sends can make them grow.
//
// record() on its worker; write() gathers all workers' counts, from any thread, under each one's own mutex,
// which nobody else holds for longer than a count.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "pipeline/ports.h"
#include "telemetry/exposition.h"

namespace holdfast::telemetry {

class RequestMetrics final : public pipeline::AccessLog {
 public:
  explicit RequestMetrics(pipeline::AccessLog& next) : next_(next) {}

  void record(const pipeline::AccessRecord& record) override;

  // holdfast_requests_total, holdfast_decisions_total, holdfast_credentials_total and
  // holdfast_request_duration_seconds.
  static void write(std::span<RequestMetrics* const> workers, Exposition& out);

 private:
  static constexpr auto kMethods = std::to_array<std::string_view>(
      {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE", "other"});
  // Seconds; from a cached answer to a slow report.
  static constexpr auto kBounds =
      std::to_array<double>({0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10});

  static constexpr auto kSchemes = std::to_array<std::string_view>({"dpop", "bearer"});

  static constexpr auto kDecisions = std::to_array<std::string_view>({"allow", "report", "deny"});
  static constexpr std::size_t kWords = kAllReasons.size() + 1;  // none first

  struct Route {
    std::map<std::pair<std::size_t, unsigned>, std::uint64_t> requests;  // method, code
    std::array<std::uint64_t, kDecisions.size() * kWords> decisions{};   // by decision, then reason
    std::array<std::uint64_t, kBounds.size() + 1> durations{};           // not cumulated
    double seconds = 0;
    std::array<std::uint64_t, kSchemes.size()> schemes{};  // of the credentials of what was allowed

    void add(const Route& other);
  };
  using Routes = std::map<std::string, Route, std::less<>>;

  pipeline::AccessLog& next_;
  std::mutex mutex_;
  Routes routes_;  // guarded by mutex_
};

}  // namespace holdfast::telemetry
