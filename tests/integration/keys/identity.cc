// The keys of identity.
#include "keys/looks.h"

namespace holdfast::integration::keys {
namespace {

// Under which of two names the backend is told, and what.
Look told_under(std::string usual, std::string other) {
  return [usual = std::move(usual), other = std::move(other)](World& world) {
    (void)world.ask(world.order());
    std::string seen;
    for (const std::string& name : {usual, other}) {
      const std::string value = world.backend.last().fields.value(name);
      if (!value.empty()) seen += name + " is there";
    }
    return seen;
  };
}

Case header_case(const std::string& claim, const std::string& usual) {
  return {"identity.headers." + claim,
          {},
          {"identity.headers: {" + claim + ": X-Other-Name}"},
          told_under(usual, "X-Other-Name"),
          usual + " is there",
          "X-Other-Name is there"};
}

boost::json::object part_of(const std::string& jwt, std::size_t part) {
  std::size_t begin = 0;
  for (std::size_t i = 0; i < part; ++i) begin = jwt.find('.', begin) + 1;
  return boost::json::parse(support::base64url_decode(jwt.substr(begin, jwt.find('.', begin) - begin)))
      .as_object();
}

std::string assertion_of_order(World& world) {
  (void)world.ask(world.order());
  return world.backend.last().fields.value("X-Auth-Assertion");
}

Look asserted(std::string claim) {
  return [claim = std::move(claim)](World& world) {
    return std::string(part_of(assertion_of_order(world), 1).at(claim).as_string());
  };
}

std::string assertion_lifetime(World& world) {
  const boost::json::object claims = part_of(assertion_of_order(world), 1);
  return std::to_string(claims.at("exp").to_number<std::int64_t>() -
                        claims.at("iat").to_number<std::int64_t>());
}

// Which of the two keys it is that the assertion says it was signed with.
std::string assertion_key(World& world) {
  const auto kid = part_of(assertion_of_order(world), 0).at("kid").as_string();
  if (kid == world.assertion.thumbprint()) return "assertion";
  return kid == world.other_assertion.thumbprint() ? "other-assertion" : std::string(kid);
}

std::string published_keys(World& world) {
  const auto set = boost::json::parse(world.ask_probes("/.well-known/jwks.json").body);
  return std::to_string(set.at("keys").as_array().size());
}

std::string certificate_at_the_backend(World& world) {
  Stream stream = Stream::tls(
      world.tls_port,
      {.server_name = std::string(kHost), .certificate = world.mine.certificate, .key = world.mine.key});
  stream.send(world.order().raw());
  (void)MessageReader(stream).response();
  return world.backend.last().fields.value("X-Client-Subject");
}

}  // namespace

std::vector<Case> identity_cases() {
  const auto assertion = [](const std::string& more) {
    return "identity.assertion: {key: assertion.pem" + more + "}";
  };
  return {
      header_case("sub", "X-Auth-Subject"),
      header_case("client_id", "X-Auth-Client-Id"),
      header_case("preferred_username", "X-Auth-Username"),
      header_case("email", "X-Auth-Email"),
      header_case("scope", "X-Auth-Scope"),
      header_case("roles", "X-Auth-Roles"),
      header_case("iss", "X-Auth-Issuer"),
      header_case("jkt", "X-Auth-Key-Thumbprint"),
      {"identity.assertion",
       {},
       {assertion("")},
       told_under("X-Auth-Assertion", "X-Other-Name"),
       "",
       "X-Auth-Assertion is there"},
      {"identity.assertion.header",
       {assertion("")},
       {assertion(", header: X-Other-Name")},
       told_under("X-Auth-Assertion", "X-Other-Name"),
       "X-Auth-Assertion is there",
       "X-Other-Name is there"},
      {"identity.assertion.key",
       {assertion("")},
       {"identity.assertion: {key: other-assertion.pem}"},
       assertion_key,
       "assertion",
       "other-assertion"},
      {"identity.assertion.previous_key",
       {assertion("")},
       {assertion(", previous_key: other-assertion.pem")},
       published_keys,
       "1",
       "2"},
      {"identity.assertion.audience",
       {assertion("")},
       {assertion(", audience: warehouse")},
       asserted("aud"),
       "backend",
       "warehouse"},
      {"identity.assertion.issuer",
       {assertion("")},
       {assertion(", issuer: edge")},
       asserted("iss"),
       "holdfast",
       "edge"},
      {"identity.assertion.lifetime",
       {assertion("")},
       {assertion(", lifetime: 30s")},
       assertion_lifetime,
       "60",
       "30"},
      {"identity.client_certificate",
       {"tls.client_auth: optional", "tls.client_ca: @authority"},
       {"identity.client_certificate: X-Client-Subject"},
       certificate_at_the_backend,
       "",
       "CN=mine"},
  };
}

}  // namespace holdfast::integration::keys
