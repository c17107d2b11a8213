#include "telemetry/log.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <vector>

#include "pipe.h"

namespace holdfast::telemetry {
namespace {

using pipeline::AccessRecord;
using pipeline::Level;

AccessRecord allowed() {
  AccessRecord record;
  record.time = UnixTime(std::chrono::milliseconds(1'785'542'400'007));
  record.request_id = "r1";
  record.trace_id = "t1";
  record.client_ip = "203.0.113.7";
  record.listener = "public";
  record.route = "orders";
  record.method = "GET";
  record.host = "api.example.com";
  record.path = "/v1/orders?access_token=eyJhbGciOi";
  record.status = 200;
  record.duration_ms = 1.25;
  record.upstream = "http://127.0.0.1:8000";
  record.upstream_ms = 1.0;
  record.upstream_server = "http://127.0.0.1:8000";
  record.bytes_in = 10;
  record.bytes_out = 20;
  record.decision = "allow";
  record.scheme = "dpop";
  record.sub = "alice";
  record.client_id = "cli";
  record.jkt = "JKT";
  record.kid = "k1";
  record.proof_alg = "ES256";
  record.iat_offset_s = -0.5;
  return record;
}

AccessRecord denied() {
  AccessRecord record;
  record.time = allowed().time;
  record.method = "GET";
  record.path = "/";
  record.status = 401;
  record.decision = "deny";
  record.reason = Reason::proof_replayed;
  return record;
}

std::string logged(const LogSettings& settings, const std::vector<AccessRecord>& records) {
  Pipe pipe;
  {
    Sink sink(pipe.write_end());
    Log log(settings, sink);
    for (const AccessRecord& record : records) log.record(record);
  }
  return pipe.rest();
}

TEST(Log, AnAccessLineHasTheContractsFieldsInItsOrder) {
  EXPECT_EQ(
      logged({}, {allowed()}),
      R"({"time":"2026-08-01T00:00:00.007Z","level":"info","event":"request","request_id":"r1",)"
      R"("trace_id":"t1","client_ip":"203.0.113.7","listener":"public","route":"orders","method":"GET",)"
      R"("host":"api.example.com","path":"/v1/orders","status":200,"duration_ms":1.250,)"
      R"("upstream":"http://127.0.0.1:8000","upstream_ms":1,"bytes_in":10,"bytes_out":20,)"
      R"("decision":"allow","reason":null,"scheme":"dpop","sub":"alice","client_id":"cli","jkt":"JKT","kid":"k1",)"
      R"("proof_alg":"ES256","iat_offset_s":-0.500,"upstream_server":"http://127.0.0.1:8000","grpc_status":null})"
      "\n");
}

TEST(Log, ADeniedRequestNamesItsReasonAndKeepsEveryField) {
  const auto line = boost::json::parse(logged({}, {denied()})).as_object();
  EXPECT_EQ(line.at("reason"), "proof_replayed");
  EXPECT_EQ(line.size(), 28u);
  EXPECT_TRUE(line.at("sub").is_null());
  EXPECT_TRUE(line.at("upstream_ms").is_null());
}

TEST(Log, AGrpcCallsStatusStandsBesideHttps) {
  AccessRecord record = denied();
  record.status = 200;
  record.grpc_status = 16;
  const auto line = boost::json::parse(logged({}, {record})).as_object();
  EXPECT_EQ(line.at("status"), 200);
  EXPECT_EQ(line.at("grpc_status"), 16);
  EXPECT_NE(logged({.format = Format::kText}, {record}).find(" grpc_status=16\n"), std::string::npos);
  EXPECT_EQ(logged({.format = Format::kText}, {denied()}).find("grpc_status"), std::string::npos);
}

TEST(Log, AQueryNeverGetsIn) {
  for (const Format format : {Format::kJson, Format::kText}) {
    EXPECT_EQ(logged({.format = format}, {allowed()}).find("access_token"), std::string::npos);
  }
}

TEST(Log, WritesWhatTheAccessModeSays) {
  const auto lines = [](AccessMode mode) {
    AccessRecord reported = denied();
    reported.decision = "report";
    return std::ranges::count(logged({.access = mode}, {allowed(), denied(), allowed(), reported}), '\n');
  };
  EXPECT_EQ(lines(AccessMode::kAll), 4);
  EXPECT_EQ(lines(AccessMode::kDenied), 2) << "what would be denied is as much of interest";
  EXPECT_EQ(lines(AccessMode::kOff), 0);
}

TEST(Log, FiltersEventsByLevelAndFollowsItsChange) {
  Pipe pipe;
  {
    Sink sink(pipe.write_end());
    Log log({.level = Level::kWarn}, sink);
    log.event(Level::kInfo, "unheard");
    log.event(Level::kError, "heard", {{"issuer", "keycloak"}, {"why", "say \"no\""}});
    log.set_level(Level::kDebug);
    log.event(Level::kDebug, "heard_too");
  }
  const std::string text = pipe.rest();
  EXPECT_EQ(text.find("unheard"), std::string::npos);
  EXPECT_NE(text.find(R"("level":"error","event":"heard","issuer":"keycloak","why":"say \"no\"")"),
            std::string::npos);
  EXPECT_NE(text.find(R"("level":"debug","event":"heard_too")"), std::string::npos);
}

}  // namespace
}  // namespace holdfast::telemetry
