#include "http/hop_by_hop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <vector>

namespace holdfast::http {
namespace {

using ::testing::ElementsAre;

Fields make_fields(std::initializer_list<Field> items) {
  Fields fields;
  for (const Field& field : items) fields.add(field.name, field.value);
  return fields;
}

std::vector<std::string> names_of(const Fields& fields) {
  std::vector<std::string> names;
  for (const Field& field : fields) names.emplace_back(field.name);
  return names;
}

TEST(HopByHop, RemovesWhatOneConnectionSays) {
  Fields fields = make_fields({{"Host", "a"},
                               {"Connection", "close, X-Mine ,,x-too"},
                               {"connection", "X-Other"},
                               {"Keep-Alive", "1"},
                               {"TE", "trailers"},
                               {"Trailer", "x"},
                               {"Transfer-Encoding", "chunked"},
                               {"Upgrade", "websocket"},
                               {"HTTP2-Settings", "AAA"},
                               {"Proxy-Authorization", "Basic x"},
                               {"Proxy-Authenticate", "Basic"},
                               {"Proxy-Authentication-Info", "x"},
                               {"Proxy-Connection", "close"},
                               {"Proxy_Authorization", "Basic x"},
                               {"x-mine", "1"},
                               {"X-TOO", "1"},
                               {"X-Other", "1"},
                               {"X-Kept", "1"}});
  EXPECT_EQ(remove_hop_by_hop(fields), 16U);
  EXPECT_THAT(names_of(fields), ElementsAre("Host", "X-Kept"));
}

// A client must not make us forward without what frames, routes or vouches for a request.
TEST(HopByHop, ConnectionCannotListWhatTheBackendTrusts) {
  Fields fields = make_fields(
      {{"Connection", "Host, Content-Length, content-type, X-Forwarded-For, x_forwarded_proto, Via"},
       {"Host", "a"},
       {"Content-Length", "1"},
       {"Content-Type", "text/plain"},
       {"X-Forwarded-For", "1.2.3.4"},
       {"Via", "1.1 a"}});
  EXPECT_EQ(remove_hop_by_hop(fields), 1U);
  EXPECT_THAT(names_of(fields),
              ElementsAre("Host", "Content-Length", "Content-Type", "X-Forwarded-For", "Via"));
}

TEST(HopByHop, ConnectionOptionsAreListed) {
  const Fields fields = make_fields({{"Connection", " close ,, Upgrade"}, {"CONNECTION", "x"}, {"X", "y"}});
  EXPECT_THAT(connection_options(fields), ElementsAre("close", "Upgrade", "x"));
  EXPECT_TRUE(connection_lists(fields, "upgrade"));
  EXPECT_FALSE(connection_lists(fields, "upgrad"));
  EXPECT_FALSE(connection_lists(Fields(), "close"));
}

TEST(HopByHop, ManyOptionsAreAllHonoured) {
  std::string options;
  Fields fields;
  for (int i = 0; i < 2000; ++i) {
    options += "x-" + std::to_string(i) + ",";
    if (i < 90) fields.add("X-" + std::to_string(i * 7), "v");
  }
  fields.add("Connection", options);
  remove_hop_by_hop(fields);
  EXPECT_TRUE(fields.empty());
}

TEST(MaxForwards, IsOneDecimalNumberOrSaysNothing) {
  EXPECT_EQ(max_forwards({}), std::nullopt);
  for (const auto& [value, hops] :
       std::initializer_list<std::pair<std::string_view, std::optional<unsigned>>>{{"0", 0},
                                                                                   {"1", 1},
                                                                                   {"007", 7},
                                                                                   {"999999999", 999999999},
                                                                                   {"1000000000", {}},
                                                                                   {"", {}},
                                                                                   {"-1", {}},
                                                                                   {"1, 2", {}},
                                                                                   {"x", {}}}) {
    EXPECT_EQ(max_forwards(make_fields({{"max-forwards", value}})), hops) << value;
  }
  EXPECT_EQ(max_forwards(make_fields({{"Max-Forwards", "1"}, {"Max-Forwards", "1"}})), std::nullopt);
}

TEST(Trailers, CarryNoFramingRoutingOrCredentials) {
  Fields trailers = make_fields({{"Content-Length", "5"},
                                 {"Transfer-Encoding", "chunked"},
                                 {"Host", "evil"},
                                 {"Authorization", "Bearer x"},
                                 {"DPoP", "x"},
                                 {"Cookie", "a=b"},
                                 {"Set-Cookie", "a=b"},
                                 {"X-Forwarded-For", "1"},
                                 {"X_Forwarded_Host", "1"},
                                 {"Forwarded", "for=1"},
                                 {"If-Match", "x"},
                                 {"Proxy-Foo", "x"},
                                 {"Expect", "x"},
                                 {"Range", "x"},
                                 {"traceparent", "x"},
                                 {"X-Original-URL", "/admin"},
                                 {"grpc-status", "0"},
                                 {"X-Checksum", "abc"}});
  EXPECT_EQ(remove_forbidden_trailers(trailers), 16U);
  EXPECT_THAT(names_of(trailers), ElementsAre("grpc-status", "X-Checksum"));
}

}  // namespace
}  // namespace holdfast::http
