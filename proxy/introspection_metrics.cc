#include "introspection_metrics.h"

#include <cstddef>

namespace holdfast {

void write_introspections(const std::vector<IntrospectedIssuer>& issuers, telemetry::Exposition& out) {
  using Counts = issuer::IntrospectionCounts;
  if (issuers.empty()) return;
  out.family("holdfast_introspection_total", "counter",
             "Tokens that an issuer was to be asked about, by what came of it.");
  for (const auto& [name, counts] : issuers) {
    for (std::size_t i = 0; i < Counts::kResults.size(); ++i) {
      out.sample({{"issuer", name}, {"result", Counts::kResults[i]}}, counts->results[i]);
    }
  }
  out.family("holdfast_introspection_duration_seconds", "histogram",
             "From asking an issuer about a token to its answer, or to giving up.");
  for (const auto& [name, counts] : issuers) {
    out.histogram({"issuer", name}, Counts::kBounds, counts->durations, counts->seconds);
  }
}

}  // namespace holdfast
