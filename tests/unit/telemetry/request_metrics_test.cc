#include "telemetry/request_metrics.h"

#include <gtest/gtest.h>

#include <vector>

namespace holdfast::telemetry {
namespace {

struct CountingLog final : pipeline::AccessLog {
  int records = 0;
  void record(const pipeline::AccessRecord&) override { ++records; }
};

pipeline::AccessRecord record_of(std::string_view route, std::string_view method, unsigned status, double ms,
                                 std::optional<Reason> reason = std::nullopt) {
  pipeline::AccessRecord record;
  record.route = route;
  record.method = method;
  record.status = status;
  record.duration_ms = ms;
  record.reason = reason;
  record.decision = reason ? "deny" : "allow";
  record.scheme = method == "POST" ? "bearer" : "dpop";
  return record;
}

TEST(Exposition, EscapesLabelsAndWritesFamilies) {
  Exposition out;
  out.single("holdfast_build_info", "gauge", "What runs.", {{"version", "0.1\"\\\n"}, {"commit", "abc"}}, 1);
  out.family("holdfast_replay_entries", "gauge", "Entries held.");
  out.sample({}, std::uint64_t{7});
  EXPECT_EQ(out.take(),
            "# HELP holdfast_build_info What runs.\n# TYPE holdfast_build_info gauge\n"
            "holdfast_build_info{version=\"0.1\\\"\\\\\\n\",commit=\"abc\"} 1\n"
            "# HELP holdfast_replay_entries Entries held.\n# TYPE holdfast_replay_entries gauge\n"
            "holdfast_replay_entries 7\n");
}

TEST(RequestMetrics, SumsWorkersAndHandsRecordsOn) {
  CountingLog log;
  RequestMetrics one(log);
  RequestMetrics two(log);
  one.record(record_of("orders", "GET", 200, 1.0));
  two.record(record_of("orders", "GET", 200, 30));
  two.record(record_of("orders", "POST", 401, 0.1, Reason::proof_replayed));
  two.record(record_of("orders", "BREW", 404, 20'000, Reason::no_route));
  two.record(record_of("orders", "POST", 200, 30));
  pipeline::AccessRecord open = record_of("open", "GET", 200, 1);
  open.scheme = "";
  one.record(open);
  pipeline::AccessRecord broken = record_of("other", "GET", 502, 1, Reason::upstream_unavailable);
  broken.decision = "allow";
  one.record(broken);
  pipeline::AccessRecord reported = record_of("trial", "GET", 200, 1, Reason::scope_missing);
  reported.decision = "report";
  one.record(reported);
  two.record(reported);
  EXPECT_EQ(log.records, 9);

  Exposition out;
  const std::vector<RequestMetrics*> workers{&one, &two};
  RequestMetrics::write(workers, out);
  const std::string text = out.take();
  for (const std::string_view line : {
           "# TYPE holdfast_requests_total counter\n",
           "holdfast_requests_total{route=\"orders\",method=\"GET\",code=\"200\"} 2\n",
           "holdfast_requests_total{route=\"orders\",method=\"POST\",code=\"401\"} 1\n",
           "holdfast_requests_total{route=\"orders\",method=\"other\",code=\"404\"} 1\n",
           "holdfast_decisions_total{route=\"orders\",decision=\"allow\",reason=\"\"} 3\n",
           "holdfast_credentials_total{route=\"orders\",scheme=\"dpop\"} 2\n",
           "holdfast_credentials_total{route=\"orders\",scheme=\"bearer\"} 1\n",
           "holdfast_decisions_total{route=\"orders\",decision=\"deny\",reason=\"proof_replayed\"} 1\n",
           "holdfast_decisions_total{route=\"other\",decision=\"allow\",reason=\"upstream_unavailable\"} 1\n",
           "holdfast_decisions_total{route=\"trial\",decision=\"report\",reason=\"scope_missing\"} 2\n",
           "# TYPE holdfast_request_duration_seconds histogram\n",
           "holdfast_request_duration_seconds_bucket{route=\"orders\",le=\"0.0005\"} 1\n",
           "holdfast_request_duration_seconds_bucket{route=\"orders\",le=\"0.001\"} 2\n",
           "holdfast_request_duration_seconds_bucket{route=\"orders\",le=\"0.05\"} 4\n",
           "holdfast_request_duration_seconds_bucket{route=\"orders\",le=\"10\"} 4\n",
           "holdfast_request_duration_seconds_bucket{route=\"orders\",le=\"+Inf\"} 5\n",
           "holdfast_request_duration_seconds_count{route=\"orders\"} 5\n",
       }) {
    EXPECT_NE(text.find(line), std::string::npos) << line << "in\n" << text;
  }
  EXPECT_EQ(text.find("BREW"), std::string::npos) << "a client's word is no label";
  EXPECT_EQ(text.find("credentials_total{route=\"open\""), std::string::npos);
  EXPECT_EQ(text.find("credentials_total{route=\"trial\""), std::string::npos);
}

}  // namespace
}  // namespace holdfast::telemetry
