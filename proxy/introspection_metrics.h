// What /metrics says about asking issuers about tokens. Control thread only.
#pragma once

#include <string_view>
#include <vector>

#include "issuer/introspections.h"
#include "telemetry/exposition.h"

namespace holdfast {

struct IntrospectedIssuer {
  std::string_view name;
  const issuer::IntrospectionCounts* counts;
};

// holdfast_introspection_total and holdfast_introspection_duration_seconds; nothing where nobody is asked.
void write_introspections(const std::vector<IntrospectedIssuer>& issuers, telemetry::Exposition& out);

}  // namespace holdfast
