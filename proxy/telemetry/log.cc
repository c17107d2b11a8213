#include "telemetry/log.h"

#include <chrono>
#include <string>

namespace holdfast::telemetry {
namespace {

std::string_view level_name(pipeline::Level level) {
  switch (level) {
    case pipeline::Level::kDebug:
      return "debug";
    case pipeline::Level::kInfo:
      return "info";
    case pipeline::Level::kWarn:
      return "warn";
    case pipeline::Level::kError:
      return "error";
  }
  return "error";
}

// One line's bytes, kept between lines so that a thread allocates for its longest line only.
std::string& line_of_this_thread() {
  thread_local std::string line;
  line.clear();
  return line;
}

}  // namespace

void Log::record(const pipeline::AccessRecord& record) {
  if (!wants(record.decision == "allow")) return;
  std::string& out = line_of_this_thread();
  LineWriter line(out, format_, record.time, "info", "request");
  line.text("request_id", record.request_id);
  line.text("trace_id", record.trace_id);
  line.text("client_ip", record.client_ip);
  line.text("listener", record.listener);
  line.text("route", record.route);
  line.text("method", record.method);
  line.text("host", record.host);
  // A query may hold a token (RFC 6750 2.3) whatever we think of that.
  line.text("path", record.path.substr(0, record.path.find_first_of("?#")));
  line.count("status", record.status);
  line.number("duration_ms", record.duration_ms);
  line.text("upstream", record.upstream);
  line.number("upstream_ms", record.upstream_ms);
  line.count("bytes_in", record.bytes_in);
  line.count("bytes_out", record.bytes_out);
  line.text("decision", record.decision);
  line.text("reason", record.reason ? reason_name(*record.reason) : std::string_view());
  line.text("scheme", record.scheme);
  line.text("sub", record.sub);
  line.text("client_id", record.client_id);
  line.text("jkt", record.jkt);
  line.text("kid", record.kid);
  line.text("proof_alg", record.proof_alg);
  line.number("iat_offset_s", record.iat_offset_s);
  line.text("upstream_server", record.upstream_server);
  line.count("grpc_status", record.grpc_status);
  line.end();
  sink_.append(out);
}

void Log::event(pipeline::Level level, std::string_view event, std::span<const pipeline::EventField> fields) {
  if (level < level_.load(std::memory_order_relaxed)) return;
  std::string& out = line_of_this_thread();
  const auto now = std::chrono::floor<Millis>(std::chrono::system_clock::now());
  LineWriter line(out, format_, now, level_name(level), event);
  for (const pipeline::EventField& field : fields) line.text(field.name, field.value);
  line.end();
  sink_.append(out);
}

}  // namespace holdfast::telemetry
