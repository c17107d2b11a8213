// How large a body may be and how long a client may take: the listener says it for all, a route for itself.
#include "flow_test.h"

namespace holdfast::pipeline {
namespace {

using namespace testing;
using Kind = http::BodyLength::Kind;

class RouteLimitsTest : public FlowTest {
 protected:
  RouteLimitsTest() {
    const auto open = [](std::string path) {
      return policy::Route{.name = path, .match = {.paths = {path}}, .access = policy::Access::public_access};
    };
    auto made = rules({open("/small"), open("/large")});
    made->listeners[0].max_body = 100;
    made->links[0].max_body = 10;
    made->links[0].timeouts = {.body_idle = 1s, .stream_idle = 2s, .tunnel = 3s, .response = 4s};
    made->links[1].max_body = 1000;
    flow->replace_rules(made);
  }

  Sent post(std::string_view path, http::BodyLength body, std::string_view protocol = {}) {
    http::RequestHead head;
    head.method = protocol.empty() ? "POST" : "GET";
    head.target = head.fields.arena().store(path);
    head.authority = "api.example.com";
    head.body = body;
    head.protocol = protocol;
    head.fields.add("Host", "api.example.com");
    if (!protocol.empty()) {
      head.fields.add("Sec-WebSocket-Version", "13");
      head.fields.add("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==");
    }
    auto client = make_counted<FakeClient>();
    auto request = flow->start(std::move(head), connection, client);
    return {client, request};
  }
};

TEST_F(RouteLimitsTest, AnAnnouncedLengthIsHeldToTheRoutesLimitOrTheListeners) {
  for (const auto& [path, most] : {std::pair("/open/x", 100U), {"/small", 10U}, {"/large", 1000U}}) {
    EXPECT_EQ(post(path, {Kind::kKnown, most}).client->status, 0) << path;
    const std::size_t opened = upstreams.opened.size();
    const Sent sent = post(path, {Kind::kKnown, most + 1});
    EXPECT_EQ(sent.client->status, 413) << path;
    EXPECT_EQ(sent.client->reason(), "request_too_large");
    EXPECT_TRUE(sent.client->close);
    EXPECT_EQ(upstreams.opened.size(), opened);
  }
  // Before anything is said of credentials, but not where nothing could be sent anyway.
  EXPECT_EQ(post("/orders/1", {Kind::kKnown, 101}).client->status, 413);
  EXPECT_EQ(post("/closed", {Kind::kKnown, 101}).client->status, 403);
}

TEST_F(RouteLimitsTest, ABodyIsCountedAsItComes) {
  for (const auto& [path, most] : {std::pair("/open/x", 100U), {"/small", 10U}, {"/large", 1000U}}) {
    const Sent sent = post(path, {Kind::kUnknown, 0});
    const Ref<FakeBackend> backend = upstreams.opened.back();
    sent.request->on_request_data(std::string(most, 'x'));
    EXPECT_EQ(backend->body.size(), most);
    EXPECT_EQ(sent.client->status, 0);
    sent.request->on_request_data(std::string("y"));
    EXPECT_EQ(backend->body.size(), most) << "what is too much does not go on";
    EXPECT_EQ(backend->cancelled, Cause::kRequestTooLarge);
    EXPECT_EQ(sent.client->status, 413);
    EXPECT_TRUE(sent.client->close);
    EXPECT_TRUE(sent.client->ended);
    EXPECT_EQ(log.lines.back().reason, Reason::request_too_large);
    sent.request->on_request_data(std::string("z"));  // what was on its way
    backend->client.reset();
  }
}

TEST_F(RouteLimitsTest, AnAnswerThatHasBegunIsCutOff) {
  const Sent sent = post("/small", {Kind::kUnknown, 0});
  http::ResponseHead head;
  head.status = 200;
  head.body.kind = Kind::kUnknown;
  upstreams.opened.back()->client->on_response_head(std::move(head));
  sent.request->on_request_data(std::string(11, 'x'));
  EXPECT_EQ(sent.client->reset, Cause::kRequestTooLarge);
  EXPECT_EQ(upstreams.opened.back()->cancelled, Cause::kRequestTooLarge);
}

TEST_F(RouteLimitsTest, ATunnelIsNoBody) {
  const Sent sent = post("/small", {}, "websocket");
  ASSERT_FALSE(upstreams.opened.empty());
  http::ResponseHead head;
  head.status = 101;
  upstreams.opened.back()->client->on_response_head(std::move(head));
  sent.request->on_request_data(std::string(1000, 'x'));
  EXPECT_EQ(upstreams.opened.back()->body.size(), 1000U);
  EXPECT_EQ(upstreams.opened.back()->cancelled, std::nullopt);
}

TEST_F(RouteLimitsTest, BothSidesAreToldTheRoutesTimes) {
  const Sent own = post("/small", {Kind::kKnown, 1});
  EXPECT_EQ(own.client->timeouts.body_idle, 1s);
  EXPECT_EQ(own.client->timeouts.stream_idle, 2s);
  EXPECT_EQ(own.client->timeouts.tunnel, 3s);
  EXPECT_EQ(upstreams.timeouts.back().response, 4s);
  const Sent none = post("/large", {Kind::kKnown, 1});
  EXPECT_EQ(none.client->timeouts.body_idle, std::nullopt);
  EXPECT_EQ(none.client->timeouts.stream_idle, std::nullopt);
  EXPECT_EQ(none.client->timeouts.tunnel, std::nullopt);
  EXPECT_EQ(upstreams.timeouts.back().response, std::nullopt);
}

}  // namespace
}  // namespace holdfast::pipeline
