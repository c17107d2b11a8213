// close_at_expiry: what ends when the token does, and how; and WebSockets that end with the process.
#include "pipeline/expiry.h"

#include "fake_world.h"

namespace holdfast::pipeline {
namespace {

using namespace testing;
using namespace std::chrono_literals;
using namespace std::string_literals;
using Kind = http::BodyLength::Kind;

constexpr std::string_view kUri = "https://api.example.com/live";
// To the client, and to the backend up to its key.
const std::string kClose = "\x88\x0F\x03\xF0token_expired"s;
const std::string kMaskedClose = "\x88\x8F"s;
const std::string kFrame =
    "\x82\x05"
    "hello"s;

class ExpiryTest : public ::testing::Test {
 protected:
  ExpiryTest() {
    test_now = {UnixTime(std::chrono::seconds(kStart)), SteadyTime(1h)};
    boost::json::object jwk = issuer.jwk();
    jwk["kid"] = "k1";
    const boost::json::object set{{"keys", boost::json::array{jwk}}};
    keys.current = {1,
                    std::make_shared<const jose::KeySet>(*jose::KeySet::parse(boost::json::serialize(set)))};
    connection.tls = true;
    std::vector<policy::Route> routes{{.name = "watched", .match = {.paths = {"/live"}}},
                                      {.name = "left", .match = {.paths = {"/left"}}}};
    std::vector<RouteLinks> links{{.issuers = {0}, .close_at_expiry = true}, {.issuers = {0}}};
    auto rules = std::make_shared<Rules>(Rules{.routes = policy::RouteTable(std::move(routes)),
                                               .links = std::move(links),
                                               .headers = identity::HeaderPlan({})});
    rules->listeners.push_back(
        {.name = "public", .origin = {.public_origins = {*http::parse_origin("https://api.example.com")}}});
    rules->issuers.push_back({.issuer = "https://id.example.com", .audiences = {"api"}, .clock_skew = 10s});
    rules->issuer_numbers = {0};
    flow = std::make_unique<RequestFlow>(FlowPorts{.keys = keys,
                                                   .introspector = introspector,
                                                   .replay = replay,
                                                   .upstreams = upstreams,
                                                   .log = log,
                                                   .alarms = alarms,
                                                   .now = read_test_clock},
                                         std::move(rules));
  }
  ~ExpiryTest() override {
    for (const Ref<FakeBackend>& each : upstreams.opened) each->client.reset();
  }

  // A request whose token expires in `lives`, and skew comes on top; forwarded.
  void begin(std::chrono::seconds lives, std::string_view path = "/live", bool websocket = false,
             bool grpc = false) {
    const auto now = std::chrono::duration_cast<std::chrono::seconds>(test_now.wall.time_since_epoch());
    const std::string token =
        issuer.sign({{"alg", "ES256"}, {"typ", "JWT"}, {"kid", "k1"}}, {{"iss", "https://id.example.com"},
                                                                        {"aud", "api"},
                                                                        {"exp", (now + lives).count()},
                                                                        {"cnf", {{"jkt", holder.jkt()}}}});
    const std::string method = grpc ? "POST" : "GET";
    const std::string proof =
        holder.sign({{"alg", "ES256"}, {"typ", "dpop+jwt"}, {"jwk", holder.jwk()}},
                    {{"jti", std::to_string(++proofs)},
                     {"htm", method},
                     {"htu", std::string(kUri.substr(0, kUri.rfind('/'))) + std::string(path)},
                     {"iat", now.count()},
                     {"ath", base64url_encode(crypto::sha256(token))}});
    http::RequestHead head;
    head.method = head.fields.arena().store(method);
    head.target = head.fields.arena().store(path);
    head.authority = "api.example.com";
    head.fields.add("Host", "api.example.com");
    head.fields.add("Authorization", "DPoP " + token);
    head.fields.add("DPoP", proof);
    if (grpc) {
      head.version_major = 2;
      head.fields.add("content-type", "application/grpc");
      head.body = {Kind::kUnknown, 0};
    }
    if (websocket) {
      head.protocol = "websocket";
      head.fields.add("Sec-WebSocket-Version", "13");
      head.fields.add("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
    }
    client = make_counted<FakeClient>();
    request = flow->start(std::move(head), connection, client);
    ASSERT_EQ(client->status, 0) << client->body;
    backend = upstreams.opened.back();
  }

  void answer(std::uint16_t status, http::BodyLength body) {
    http::ResponseHead head;
    head.status = status;
    head.body = body;
    backend->client->on_response_head(std::move(head));
  }
  void open_tunnel(std::chrono::seconds lives) {
    begin(lives, "/live", true);
    answer(101, {Kind::kUnknown, 0});
  }
  void from_backend(std::string_view bytes) { backend->client->on_response_data(bytes); }
  void from_client(std::string_view bytes) { request->on_request_data(bytes); }
  // As its exchange does: it has said its last word.
  void end_backend() { std::exchange(backend->client, nullptr)->on_response_end(); }

  Signer issuer, holder;
  FakeKeys keys;
  FakeIntrospector introspector;
  FakeReplay replay;
  FakeUpstreams upstreams;
  FakeLog log;
  FakeAlarms alarms;
  ConnectionFacts connection;
  std::unique_ptr<RequestFlow> flow;
  Ref<FakeClient> client;
  Ref<BackendStream> request;
  Ref<FakeBackend> backend;
  int proofs = 0;
};

// ---- streamed answers

TEST_F(ExpiryTest, AStreamIsCutWhenANewRequestWouldBeRefused) {
  begin(20s);
  answer(200, {Kind::kUnknown, 0});
  from_backend("data: 1\n\n");
  alarms.pass(29'999ms);
  EXPECT_FALSE(client->reset);
  EXPECT_FALSE(backend->cancelled);
  alarms.pass(1ms);
  EXPECT_EQ(client->reset, Cause::kTokenExpired);
  EXPECT_FALSE(client->ended);
  EXPECT_EQ(backend->cancelled, Cause::kTokenExpired);
  EXPECT_EQ(client->body, "data: 1\n\n");
  ASSERT_EQ(log.lines.size(), 1U);
  EXPECT_EQ(log.lines[0].status, 200U);
  EXPECT_EQ(log.lines[0].decision, "allow");
  EXPECT_EQ(log.lines[0].reason, Reason::token_expired);
  EXPECT_TRUE(alarms.live.empty());
}

TEST_F(ExpiryTest, AnAnswerThatIsNoStreamIsNotCut) {
  // Its head comes just before the expiry, and long after it.
  for (const Millis wait : {29'900ms, 600'000ms}) {
    begin(20s);
    alarms.pass(wait);
    answer(200, {Kind::kKnown, 4});
    from_backend("he");
    alarms.pass(4'999ms);
    EXPECT_FALSE(client->reset);
    from_backend("re");
    end_backend();
    EXPECT_TRUE(client->ended);
    EXPECT_FALSE(log.lines.back().reason);
    EXPECT_TRUE(alarms.live.empty());
  }
  // But a stream that begins late is one.
  begin(20s);
  alarms.pass(600s);
  answer(200, {Kind::kUnknown, 0});
  alarms.pass(5s);
  EXPECT_EQ(client->reset, Cause::kTokenExpired);
}

TEST_F(ExpiryTest, ALengthThatWasAnnouncedIsCutToo) {
  begin(20s);
  answer(200, {Kind::kKnown, 1'000'000});
  from_backend("some");
  alarms.pass(30s);
  EXPECT_EQ(client->reset, Cause::kTokenExpired);
}

TEST_F(ExpiryTest, AGrpcStreamEndsWithItsStatus) {
  begin(20s, "/live", false, true);
  answer(200, {Kind::kUnknown, 0});
  alarms.pass(30s);
  EXPECT_TRUE(client->ended);
  EXPECT_FALSE(client->reset);
  EXPECT_EQ(client->trailers.find("grpc-status"), "16");
  EXPECT_EQ(client->trailers.find("grpc-message"), "the access token has expired");
  EXPECT_EQ(backend->cancelled, Cause::kTokenExpired);
  EXPECT_EQ(log.lines.back().grpc_status, 16U);
}

TEST_F(ExpiryTest, NoAlarmWithoutTheSwitchOrWithoutABody) {
  begin(20s, "/left");
  answer(200, {Kind::kUnknown, 0});
  alarms.pass(1h);
  EXPECT_FALSE(client->reset);
  begin(20s);
  answer(204, {});
  end_backend();
  EXPECT_TRUE(client->ended);
  EXPECT_EQ(alarms.made, 0);
}

TEST_F(ExpiryTest, TheClockOnTheWallDecides) {
  begin(1h);
  answer(200, {Kind::kUnknown, 0});
  alarms.pass(10min);
  test_now.wall += 50min;  // somebody sets it
  alarms.pass(70s);
  EXPECT_EQ(client->reset, Cause::kTokenExpired);
}

// As far as a number of seconds goes (RFC 7519 knows no end).
TEST_F(ExpiryTest, ATokenForEverIsOnlyLookedAtNowAndThen) {
  begin(std::chrono::seconds((std::int64_t{1} << 53) - kStart - 3600));
  answer(200, {Kind::kUnknown, 0});
  alarms.pass(1h);
  EXPECT_FALSE(client->reset);
  EXPECT_EQ(alarms.live.size(), 1U);
}

// ---- tunnels

TEST_F(ExpiryTest, ATunnelIsClosedBothWaysBetweenFrames) {
  open_tunnel(20s);
  from_backend(kFrame);
  from_client(kFrame);
  alarms.pass(29'999ms);
  EXPECT_EQ(client->body, kFrame);
  EXPECT_EQ(backend->body, kFrame);
  alarms.pass(1ms);
  EXPECT_EQ(client->body, kFrame + kClose);
  ASSERT_EQ(backend->body.size(), kFrame.size() + 2 + 4 + kClose.size() - 2);
  EXPECT_EQ(backend->body.substr(kFrame.size(), 2), kMaskedClose);
  std::string payload = backend->body.substr(kFrame.size() + 6);
  for (std::size_t i = 0; i < payload.size(); ++i) {
    payload[i] = static_cast<char>(payload[i] ^ backend->body[kFrame.size() + 2 + i % 4]);
  }
  EXPECT_EQ(payload, kClose.substr(2));
  EXPECT_FALSE(client->ended) << "the server closes, and that is the backend";

  // What still comes goes nowhere, and is taken.
  const std::size_t granted = client->granted;
  from_client(kFrame);
  EXPECT_EQ(client->granted, granted + kFrame.size());
  from_backend(kFrame);
  EXPECT_EQ(backend->granted, kFrame.size());
  EXPECT_EQ(client->body, kFrame + kClose);
  EXPECT_EQ(backend->body.size(), kFrame.size() + 4 + kClose.size());

  end_backend();
  EXPECT_TRUE(client->ended);
  EXPECT_FALSE(client->reset);
  EXPECT_FALSE(backend->cancelled);
  ASSERT_EQ(log.lines.size(), 1U);
  EXPECT_EQ(log.lines[0].status, 101U);
  EXPECT_EQ(log.lines[0].reason, Reason::token_expired);
  EXPECT_TRUE(alarms.live.empty());
}

TEST_F(ExpiryTest, AFrameThatIsUnderWayComesToItsEnd) {
  open_tunnel(20s);
  from_backend(kFrame.substr(0, 4));
  from_client(kFrame.substr(0, 1));
  alarms.pass(30s);
  EXPECT_EQ(client->body, kFrame.substr(0, 4));
  EXPECT_EQ(backend->body, kFrame.substr(0, 1));
  from_backend(kFrame.substr(4, 1));
  EXPECT_EQ(client->body, kFrame.substr(0, 5));
  from_backend(kFrame.substr(5) + kFrame);
  EXPECT_EQ(client->body, kFrame + kClose);
  EXPECT_EQ(backend->granted, kFrame.size());
  from_client(kFrame.substr(1));
  EXPECT_EQ(backend->body.substr(0, kFrame.size() + 2), kFrame + kMaskedClose);
}

TEST_F(ExpiryTest, ABoundaryThatNeverComesIsNotWaitedForForLong) {
  // Towards the client: it gets no Close, since that would be inside a frame.
  open_tunnel(20s);
  from_backend(kFrame.substr(0, 4));
  alarms.pass(34'999ms);
  EXPECT_FALSE(client->reset);
  alarms.pass(1ms);
  EXPECT_EQ(client->reset, Cause::kTokenExpired);
  EXPECT_EQ(client->body, kFrame.substr(0, 4));
  EXPECT_EQ(backend->cancelled, Cause::kTokenExpired);

  // Towards the backend: the client has got its Close.
  open_tunnel(20s);
  from_client(kFrame.substr(0, 4));
  alarms.pass(35s);
  EXPECT_TRUE(client->ended);
  EXPECT_EQ(client->body, kClose);
  EXPECT_EQ(backend->body, kFrame.substr(0, 4));
  EXPECT_EQ(backend->cancelled, Cause::kTokenExpired);
}

TEST_F(ExpiryTest, ABackendThatDoesNotCloseIsLeft) {
  open_tunnel(20s);
  alarms.pass(30s);
  EXPECT_FALSE(client->ended);
  alarms.pass(5s);
  EXPECT_TRUE(client->ended);
  EXPECT_EQ(client->body, kClose);
  EXPECT_EQ(backend->cancelled, Cause::kTokenExpired);
}

TEST_F(ExpiryTest, ABackendThatHangsUpOnOurCloseIsNoFailure) {
  open_tunnel(20s);
  alarms.pass(30s);
  std::exchange(backend->client, nullptr)->on_response_reset(Cause::kBackendBroken);
  EXPECT_TRUE(client->ended);
  EXPECT_FALSE(client->reset);
  EXPECT_EQ(log.lines.back().reason, Reason::token_expired);
}

TEST_F(ExpiryTest, NothingIsSaidAfterAClose) {
  const std::string bye = "\x88\x02\x03\xE8"s;
  open_tunnel(20s);
  from_backend(bye);
  from_client(bye);
  alarms.pass(30s);
  EXPECT_EQ(client->body, bye);
  EXPECT_EQ(backend->body, bye);
  alarms.pass(5s);
  EXPECT_TRUE(client->ended);
}

TEST_F(ExpiryTest, AClientThatHasEndedItsWayIsNotSpokenFor) {
  open_tunnel(20s);
  request->on_request_end();
  alarms.pass(30s);
  EXPECT_EQ(client->body, kClose);
  EXPECT_EQ(backend->body, "");
  EXPECT_TRUE(backend->ended);
}

TEST_F(ExpiryTest, AClientThatGoesMeanwhileTakesTheBackendAlong) {
  open_tunnel(20s);
  alarms.pass(30s);
  request->on_request_cancel(Cause::kClientGone);
  EXPECT_EQ(backend->cancelled, Cause::kClientGone);
  EXPECT_TRUE(alarms.live.empty());
}

TEST_F(ExpiryTest, ATunnelThatOpensTooLateIsClosedAtOnce) {
  begin(20s, "/live", true);
  alarms.pass(1h);
  answer(101, {Kind::kUnknown, 0});
  alarms.pass(0ms);
  EXPECT_EQ(client->body, kClose);
}

TEST_F(ExpiryTest, ATunnelIsLeftAloneWithoutTheSwitch) {
  begin(20s, "/left", true);
  answer(101, {Kind::kUnknown, 0});
  from_backend(kFrame.substr(0, 3));
  alarms.pass(1h);
  EXPECT_EQ(client->body, kFrame.substr(0, 3));
  EXPECT_EQ(alarms.made, 0);
}

TEST_F(ExpiryTest, ATunnelIsToldThatTheProcessEnds) {
  const std::string goodbye = "\x88\x0A\x03\xE9"s + "draining";
  for (const std::string_view path : {"/left", "/live"}) {
    begin(1h, path, true);
    answer(101, {Kind::kUnknown, 0});
    from_backend(kFrame.substr(0, 4));
    flow->close_tunnels();
    EXPECT_EQ(client->body, kFrame.substr(0, 4)) << "not inside a frame";
    EXPECT_EQ(backend->body.substr(0, 2), "\x88\x8A"s);
    from_backend(kFrame.substr(4) + kFrame);
    EXPECT_EQ(client->body, kFrame + goodbye);
    flow->close_tunnels();
    EXPECT_EQ(client->body, kFrame + goodbye) << "once";
    end_backend();
    EXPECT_TRUE(client->ended);
    EXPECT_FALSE(client->reset);
    EXPECT_EQ(log.lines.back().reason, Reason::draining);
    EXPECT_TRUE(alarms.live.empty());
  }
  // One whose backend does not close; and one that was over by then.
  begin(1h, "/left", true);
  answer(101, {Kind::kUnknown, 0});
  flow->close_tunnels();
  alarms.pass(5s);
  EXPECT_TRUE(client->ended);
  EXPECT_EQ(backend->cancelled, Cause::kDraining);
  flow->close_tunnels();
  EXPECT_EQ(client->body, goodbye);
  // What is no WebSocket is not ended by it.
  begin(1h, "/left");
  answer(200, {Kind::kUnknown, 0});
  flow->close_tunnels();
  EXPECT_EQ(client->body, "");
  EXPECT_FALSE(client->ended || client->reset);
}

}  // namespace
}  // namespace holdfast::pipeline
