// Cross-origin requests of browsers, over HTTP/1.1 and HTTP/2: preflights answered here, every answer
// readable by the pages that may read it, and the backend's word on the matter taken out. Contract: "CORS".
#include "sidecar.h"
#include "support/http2_client.h"

namespace holdfast::integration {
namespace {

using support::Http2Client;
using support::Http2Fields;

constexpr std::string_view kApp = "https://app.example.com";

Settings with_cors() {
  return Settings{
      .routes =
          "  - {name: own, match: {path: /own/**}, cors: {origins: [\"https://own.example.com\"], "
          "credentials: "
          "true}, upstream: backend}\n"
          "  - {name: none, match: {path: /none/**}, access: public, cors: off, upstream: backend}\n"
          "  - {name: far, match: {path: /far/**}, nonce: required, upstream: backend}\n",
      .top = "cors: {origins: [\"https://app.example.com\", \"http://localhost:3000\"], max_age: 90s}\n"};
}

class CorsTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { sidecar = std::make_unique<Sidecar>(with_cors()); }
  static void TearDownTestSuite() { sidecar.reset(); }
  void SetUp() override {
    sidecar->backend.on_request([](Exchange& exchange) {
      exchange.respond(200,
                       "Access-Control-Allow-Origin: *\r\nAccess-Control-Expose-Headers: X-Total\r\nVary: "
                       "Accept\r\nX-Total: 7\r\n",
                       "ok");
    });
    sidecar->backend.forget();
  }
  // The same request over both.
  struct Told {
    int status;
    Fields fields;
  };
  static std::vector<Told> over_both(const Request& request) {
    const Response one = sidecar->send(request);
    Http2Client client(
        Stream::tls(sidecar->tls_port, {.server_name = std::string(kHost), .alpn = support::kAlpnHttp2}));
    Http2Fields fields{{":method", request.method},
                       {":scheme", "https"},
                       {":authority", std::string(kHost)},
                       {":path", request.target}};
    for (const auto& [name, value] : request.fields) {
      std::string lower = name;
      for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      fields.emplace_back(lower, value);
    }
    const support::Http2Answer& two = client.ask(fields);
    return {{one.status, one.fields}, {two.status, two.fields}};
  }
  static Request request(std::string_view method, const std::string& target, std::string_view origin) {
    Request made;
    made.method = method;
    made.target = target;
    if (!origin.empty()) made.add("Origin", origin);
    return made;
  }
  static Request preflight(const std::string& target, std::string_view method, std::string_view origin) {
    return request("OPTIONS", target, origin)
        .add("Access-Control-Request-Method", method)
        .add("Access-Control-Request-Headers", "authorization,content-type,dpop");
  }

  static std::unique_ptr<Sidecar> sidecar;
};

std::unique_ptr<Sidecar> CorsTest::sidecar;

TEST_F(CorsTest, APreflightNeverReachesTheBackend) {
  for (const Told& told : over_both(preflight("/orders/1", "DELETE", kApp))) {
    EXPECT_EQ(told.status, 204);
    EXPECT_EQ(told.fields.value("Access-Control-Allow-Origin"), kApp);
    EXPECT_EQ(told.fields.value("Access-Control-Allow-Methods"), "DELETE");
    EXPECT_EQ(told.fields.value("Access-Control-Allow-Headers"), "authorization, dpop, content-type");
    EXPECT_EQ(told.fields.value("Access-Control-Max-Age"), "90");
    EXPECT_FALSE(told.fields.has("Access-Control-Allow-Credentials"));
    EXPECT_FALSE(told.fields.has("Content-Length"));
  }
  for (const Told& told : over_both(preflight("/orders/1", "GET", "https://evil.example.com"))) {
    EXPECT_EQ(told.status, 204);
    EXPECT_FALSE(told.fields.has("Access-Control-Allow-Origin"));
    EXPECT_FALSE(told.fields.has("Access-Control-Allow-Headers"));
  }
  for (const Told& told : over_both(preflight("/own/1", "GET", "https://own.example.com"))) {
    EXPECT_EQ(told.fields.value("Access-Control-Allow-Credentials"), "true");
  }
  for (const Told& told : over_both(preflight("/own/1", "GET", kApp)))
    EXPECT_FALSE(told.fields.has("Access-Control-Allow-Origin")) << "a route's own rules are its only ones";
  EXPECT_EQ(sidecar->backend.seen_count(), 0U);
}

TEST_F(CorsTest, ASecondRequestFollowsAPreflightOnItsConnection) {
  Stream stream = sidecar->dial();
  stream.send(preflight("/orders/1", "GET", kApp).raw());
  MessageReader reader(stream);
  EXPECT_EQ(reader.response().status, 204);
  stream.send(sidecar->with_proof("GET", "/orders/1").add("Origin", kApp).raw());
  EXPECT_EQ(reader.response().status, 200);
}

TEST_F(CorsTest, RefusalsCanBeRead) {
  const std::string exposed = "WWW-Authenticate, DPoP-Nonce, Date, Retry-After";
  for (const auto& [target, status] : std::initializer_list<std::pair<std::string, int>>{
           {"/orders/1", 401}, {"/far/1", 401}, {"/denied/1", 403}, {"/nowhere", 404}, {"/orders/%", 400}}) {
    for (const Told& told : over_both(request("GET", target, kApp))) {
      EXPECT_EQ(told.status, status) << target;
      EXPECT_EQ(told.fields.value("Access-Control-Allow-Origin"), kApp) << target;
      EXPECT_EQ(told.fields.value("Access-Control-Expose-Headers"), exposed) << target;
      EXPECT_EQ(told.fields.value("Vary"), "Origin") << target;
    }
    for (const Told& told : over_both(request("GET", target, "https://evil.example.com"))) {
      EXPECT_FALSE(told.fields.has("Access-Control-Allow-Origin")) << target;
      EXPECT_EQ(told.fields.value("Vary"), "Origin") << target;
    }
  }
  // What the codec refuses, too, as far as it could be read.
  const Response ambiguous = sidecar->send_raw(
      "POST /orders/1 HTTP/1.1\r\nHost: localhost\r\nOrigin: https://app.example.com\r\nContent-Length: "
      "1\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_EQ(ambiguous.status, 400);
  EXPECT_EQ(ambiguous.fields.value("Vary"), "Origin");
}

TEST_F(CorsTest, TheBackendsAnswerSaysWhatTheRouteSays) {
  for (const std::string_view origin : {kApp, std::string_view("https://evil.example.com")}) {
    const Response answer = sidecar->send(sidecar->with_proof("GET", "/orders/1").add("Origin", origin));
    EXPECT_EQ(answer.status, 200) << "CORS stops pages, not requests";
    EXPECT_EQ(answer.fields.value("Access-Control-Allow-Origin"), origin == kApp ? kApp : "");
    EXPECT_EQ(answer.fields.value("Access-Control-Expose-Headers"),
              origin == kApp ? "WWW-Authenticate, DPoP-Nonce, Date, Retry-After, X-Total" : "");
    EXPECT_EQ(answer.fields.value("Vary"), "Accept, Origin");
  }
  EXPECT_EQ(sidecar->backend.last().fields.value("Origin"), "https://evil.example.com");
  for (const Told& told : over_both(request("GET", "/public/1", kApp))) {
    EXPECT_EQ(told.status, 200);
    EXPECT_EQ(told.fields.all("Access-Control-Allow-Origin"), std::vector<std::string>{std::string(kApp)});
  }
}

TEST_F(CorsTest, WhereItIsOffTheBackendDecides) {
  for (const Told& told : over_both(preflight("/none/1", "GET", kApp))) {
    EXPECT_EQ(told.status, 200);
    EXPECT_EQ(told.fields.all("Access-Control-Allow-Origin"), std::vector<std::string>{"*"});
    EXPECT_EQ(told.fields.value("Vary"), "Accept");
  }
  EXPECT_EQ(sidecar->backend.seen_count(), 2U);
  EXPECT_EQ(sidecar->backend.last().method, "OPTIONS");
}

}  // namespace
}  // namespace holdfast::integration
