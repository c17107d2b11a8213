#include "telemetry/request_metrics.h"

#include <algorithm>

namespace holdfast::telemetry {

void RequestMetrics::record(const pipeline::AccessRecord& record) {
  const auto method = static_cast<std::size_t>(
      std::find(kMethods.begin(), kMethods.end() - 1, record.method) - kMethods.begin());
  const double seconds = record.duration_ms / 1000;
  const auto bucket =
      static_cast<std::size_t>(std::lower_bound(kBounds.begin(), kBounds.end(), seconds) - kBounds.begin());
  const auto decision = static_cast<std::size_t>(
      std::find(kDecisions.begin(), kDecisions.end() - 1, record.decision) - kDecisions.begin());
  const std::size_t word = record.reason ? static_cast<std::size_t>(*record.reason) + 1 : 0;
  {
    const std::lock_guard lock(mutex_);
    auto found = routes_.find(record.route);
    if (found == routes_.end()) found = routes_.emplace(record.route, Route()).first;
    Route& route = found->second;
    ++route.requests[{method, record.status}];
    ++route.decisions[decision * kWords + word];
    for (std::size_t i = 0; i < kSchemes.size(); ++i) {
      if (record.scheme == kSchemes[i] && record.decision == "allow") ++route.schemes[i];
    }
    ++route.durations[bucket];
    route.seconds += seconds;
  }
  next_.record(record);
}

void RequestMetrics::Route::add(const Route& other) {
  for (const auto& [label, count] : other.requests) requests[label] += count;
  for (std::size_t i = 0; i < decisions.size(); ++i) decisions[i] += other.decisions[i];
  for (std::size_t i = 0; i < durations.size(); ++i) durations[i] += other.durations[i];
  for (std::size_t i = 0; i < schemes.size(); ++i) schemes[i] += other.schemes[i];
  seconds += other.seconds;
}

void RequestMetrics::write(std::span<RequestMetrics* const> workers, Exposition& out) {
  Routes all;
  for (RequestMetrics* const worker : workers) {
    const std::lock_guard lock(worker->mutex_);
    for (const auto& [name, route] : worker->routes_) all[name].add(route);
  }

  out.family("holdfast_requests_total", "counter",
             "Requests that ended, by the status they were answered with.");
  for (const auto& [name, route] : all) {
    for (const auto& [label, count] : route.requests) {
      out.sample({{"route", name}, {"method", kMethods[label.first]}, {"code", std::to_string(label.second)}},
                 count);
    }
  }

  out.family("holdfast_decisions_total", "counter",
             "Decisions, by the reason of a refusal, or of what would be one.");
  for (const auto& [name, route] : all) {
    for (std::size_t i = 0; i < route.decisions.size(); ++i) {
      if (route.decisions[i] == 0) continue;
      const std::size_t word = i % kWords;
      out.sample({{"route", name},
                  {"decision", kDecisions[i / kWords]},
                  {"reason", word == 0 ? "" : reason_name(kAllReasons[word - 1])}},
                 route.decisions[i]);
    }
  }

  out.family("holdfast_credentials_total", "counter",
             "Allowed requests, by the scheme of their access token.");
  for (const auto& [name, route] : all) {
    for (std::size_t i = 0; i < kSchemes.size(); ++i) {
      if (route.schemes[i] != 0) out.sample({{"route", name}, {"scheme", kSchemes[i]}}, route.schemes[i]);
    }
  }

  out.family("holdfast_request_duration_seconds", "histogram", "From a request's head to its answer's end.");
  for (const auto& [name, route] : all) {
    out.histogram({"route", name}, kBounds, route.durations, route.seconds);
  }
}

}  // namespace holdfast::telemetry
