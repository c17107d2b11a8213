#include "introspection_metrics.h"

#include <array>
#include <charconv>
#include <cstdint>

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
    std::uint64_t so_far = 0;
    for (std::size_t i = 0; i < Counts::kBounds.size(); ++i) {
      so_far += counts->durations[i];
      std::array<char, 32> bound{};
      const auto end = std::to_chars(bound.data(), bound.data() + bound.size(), Counts::kBounds[i],
                                     std::chars_format::fixed)
                           .ptr;
      out.sample({{"issuer", name}, {"le", std::string_view(bound.data(), end)}}, so_far, "_bucket");
    }
    so_far += counts->durations.back();
    out.sample({{"issuer", name}, {"le", "+Inf"}}, so_far, "_bucket");
    out.sample({{"issuer", name}}, counts->seconds, "_sum");
    out.sample({{"issuer", name}}, so_far, "_count");
  }
}

}  // namespace holdfast
