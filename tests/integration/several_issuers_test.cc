// Several issuers in one configuration, chosen by `iss`: each with its keys, audiences, algorithms and token
// type, and none answering for another. Rules 17 and 18 of the verifier.
#include "sidecar.h"

namespace holdfast::integration {
namespace {

constexpr const char* kPartner = "https://partner.example/oidc";  // nobody listens there

std::string document(std::string_view json) {
  return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
         std::to_string(json.size()) + "\r\n\r\n" + std::string(json);
}

// Staff tokens come from an issuer as Keycloak is one. The partner's metadata is not where its `iss` says,
// and its tokens are RFC 9068's.
class SeveralIssuersTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    partner = std::make_unique<support::FakeIssuer>("ES256", "/partner");
    partner->answer_discovery_with(document(
        support::Members{}.text("issuer", kPartner).text("jwks_uri", partner->url() + "/jwks").json()));
    staff = std::make_unique<support::FakeIssuer>("RS256", "/realms/staff");
    backend = std::make_unique<HttpServer>();
    client = SigningKey::generate("ES256");
    tls_port = support::free_port();
    const std::uint16_t probes_port = support::free_port();
    folder = std::make_unique<support::TemporaryFolder>();
    support::write_certificate(*folder, {std::string(kHost)});
    const auto loopback = [](std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); };
    const std::string yaml =
        "listeners:\n"
        "  - {name: public, address: \"" +
        loopback(tls_port) + "\", tls: {certificate: tls.crt, key: tls.key}, public_origins: [\"" +
        std::string(kOrigin) +
        "\"]}\n"
        "issuers:\n"
        "  - {name: staff, url: \"" +
        staff->url() +
        "\", audiences: [orders-api, shared], algorithms: [RS256]}\n"
        "  - {name: partner, url: \"" +
        kPartner + "\", discovery_url: \"" + partner->url() +
        "/.well-known/openid-configuration\", audiences: [partner-orders, shared], algorithms: [ES256], "
        "token_type: at+jwt}\n"
        "dpop: {replay: {cold_start: accept}}\n"
        "upstreams:\n"
        "  - {name: backend, servers: [" +
        backend->url() +
        "]}\n"
        "routes:\n"
        "  - {name: staff, match: {path: /staff/**}, issuers: [staff], upstream: backend}\n"
        "  - {name: partner, match: {path: /partner/**}, issuers: [partner], upstream: backend}\n"
        "  - {name: both, match: {path: /both/**}, issuers: [partner, staff], upstream: backend}\n"
        "probes: {address: \"" +
        loopback(probes_port) + "\"}\nshutdown: {delay: 0s, drain: 20s}\n";
    holdfast = std::make_unique<support::HoldfastProcess>(*folder, yaml, probes_port);
    ASSERT_TRUE(holdfast->wait_ready()) << holdfast->err();
  }
  static void TearDownTestSuite() {
    holdfast.reset();
    backend.reset();
    staff.reset();
    partner.reset();
    folder.reset();
  }
  void SetUp() override { backend->forget(); }

  static AccessToken staff_token() { return staff->token("orders-api", client); }
  static AccessToken partner_token() {
    AccessToken token(kPartner, "partner-orders", partner->kid(), "ES256");
    token.bind(client);
    token.header.text("typ", "at+jwt");
    token.payload.text("client_id", "partner-app");
    return token;
  }

  static Response call(std::string_view target, const std::string& token) {
    Stream stream = Stream::tls(tls_port, {.server_name = std::string(kHost)});
    const Proof proof(client, "GET", std::string(kOrigin) + std::string(target), token);
    stream.send(Sidecar::with("GET", target, token, proof.sign(client)).raw());
    return MessageReader(stream).response();
  }

  static std::unique_ptr<support::FakeIssuer> staff;
  static std::unique_ptr<support::FakeIssuer> partner;
  static std::unique_ptr<HttpServer> backend;
  static std::unique_ptr<support::TemporaryFolder> folder;
  static std::unique_ptr<support::HoldfastProcess> holdfast;
  static SigningKey client;
  static std::uint16_t tls_port;
};

std::unique_ptr<support::FakeIssuer> SeveralIssuersTest::staff;
std::unique_ptr<support::FakeIssuer> SeveralIssuersTest::partner;
std::unique_ptr<HttpServer> SeveralIssuersTest::backend;
std::unique_ptr<support::TemporaryFolder> SeveralIssuersTest::folder;
std::unique_ptr<support::HoldfastProcess> SeveralIssuersTest::holdfast;
SigningKey SeveralIssuersTest::client;
std::uint16_t SeveralIssuersTest::tls_port;

TEST_F(SeveralIssuersTest, EachRouteTakesThoseItNames) {
  const std::string of_staff = staff_token().sign(staff->key());
  const std::string of_partner = partner_token().sign(partner->key());
  for (int i = 0; i < 2; ++i) {  // the second time the tokens are remembered
    EXPECT_EQ(call("/both/1", of_staff).status, 200);
    EXPECT_EQ(backend->last().fields.value("X-Auth-Issuer"), staff->url());
    EXPECT_EQ(call("/both/1", of_partner).status, 200);
    EXPECT_EQ(backend->last().fields.value("X-Auth-Issuer"), kPartner);
    EXPECT_EQ(call("/staff/1", of_staff).status, 200);
    EXPECT_EQ(call("/partner/1", of_partner).status, 200);
    backend->forget();
    expect_refusal(call("/staff/1", of_partner), 401, "token_issuer");
    expect_refusal(call("/partner/1", of_staff), 401, "token_issuer");
    EXPECT_EQ(backend->seen_count(), 0U);
  }
}

TEST_F(SeveralIssuersTest, NoKeyCountsForAnotherIssuer) {
  // The other's key under its own name, and under the name of the key that it poses as.
  AccessToken token = staff_token();
  token.header.text("alg", "ES256").text("kid", partner->kid());
  expect_refusal(call("/both/1", token.sign(partner->key())), 401, "token_algorithm");
  token.header.text("kid", staff->kid());
  expect_refusal(call("/both/1", token.sign(partner->key())), 401, "token_algorithm");
  token = partner_token();
  token.header.text("alg", "RS256").text("kid", staff->kid());
  expect_refusal(call("/both/1", token.sign(staff->key())), 401, "token_algorithm");

  // A key of the same algorithm that the other publishes, under a name that both know.
  const SigningKey foreign = SigningKey::generate("ES256");
  const auto published = [&foreign](std::string_view kid) {
    const std::string& jwk = foreign.public_jwk();
    return jwk.substr(0, jwk.size() - 1) + R"(,"use":"sig","alg":"ES256","kid":")" + std::string(kid) + "\"}";
  };
  staff->publish(published(partner->kid()));
  staff->publish(published("staff-only"));
  staff->rotate(true);  // and once more fetched, for a key that it did not have
  EXPECT_EQ(call("/both/1", staff_token().sign(staff->key())).status, 200);
  backend->forget();
  token = partner_token();
  expect_refusal(call("/both/1", token.sign(foreign)), 401, "token_signature");
  token.header.text("kid", "staff-only");
  expect_refusal(call("/both/1", token.sign(foreign)), 401, "token_key_unknown");
  token.header.erase("kid");
  expect_refusal(call("/both/1", token.sign(foreign)), 401, "token_signature");
  EXPECT_EQ(backend->seen_count(), 0U);
}

TEST_F(SeveralIssuersTest, NoAudienceAlgorithmOrTokenTypeCountsForAnotherIssuer) {
  const auto of_staff = [](const std::function<void(AccessToken&)>& change) {
    AccessToken token = staff_token();
    change(token);
    return call("/both/1", token.sign(staff->key()));
  };
  const auto of_partner = [](const std::function<void(AccessToken&)>& change) {
    AccessToken token = partner_token();
    change(token);
    return call("/both/1", token.sign(partner->key()));
  };
  const auto audience = [](const char* name) {
    return [name](AccessToken& token) { token.payload.text("aud", name); };
  };
  EXPECT_EQ(of_staff(audience("shared")).status, 200);
  EXPECT_EQ(of_partner(audience("shared")).status, 200);
  EXPECT_EQ(of_staff([](AccessToken& token) { token.header.text("typ", "at+jwt"); }).status, 200)
      << "token_type: any";
  backend->forget();
  expect_refusal(of_staff(audience("partner-orders")), 401, "token_audience");
  expect_refusal(of_partner(audience("orders-api")), 401, "token_audience");
  expect_refusal(of_partner([](AccessToken& token) { token.header.text("typ", "JWT"); }), 401, "token_type");
  expect_refusal(of_partner([](AccessToken& token) { token.payload.erase("client_id"); }), 401,
                 "token_malformed");
  expect_refusal(of_staff([](AccessToken& token) { token.payload.text("iss", kPartner); }), 401,
                 "token_algorithm");
  for (const std::string& iss : {staff->url() + "/", std::string(kPartner) + "#", partner->url(),
                                 std::string("https://elsewhere.example"), std::string()}) {
    SCOPED_TRACE(iss);
    expect_refusal(of_staff([&](AccessToken& token) { token.payload.text("iss", iss); }), 401,
                   "token_issuer");
  }
  EXPECT_EQ(backend->seen_count(), 0U);
}

TEST_F(SeveralIssuersTest, OneThatIsAwayTakesNothingFromTheOthers) {
  partner->go_away();
  const std::string known = partner_token().sign(partner->key());
  EXPECT_EQ(call("/both/1", known).status, 200) << "its last good keys serve on";
  EXPECT_EQ(call("/both/1", staff_token().sign(staff->key())).status, 200);
  AccessToken token = partner_token();
  token.header.text("kid", "new");
  expect_refusal(call("/both/1", token.sign(partner->key())), 401, "token_key_unknown");
  EXPECT_EQ(call("/staff/1", staff_token().sign(staff->key())).status, 200);
  partner->come_back();
}

}  // namespace
}  // namespace holdfast::integration
