// See requests.h.
#include "requests.h"

#include "support/jose_signer.h"

namespace holdfast::bench {
namespace {

struct Client {
  support::SigningKey key;
  std::string token;
};

Client make_client(const DpopPlan& plan, const support::SigningKey& issuer_key) {
  Client client{support::SigningKey::generate("ES256"), {}};
  support::AccessToken token(plan.issuer, plan.audience, plan.kid, plan.issuer_alg);
  token.payload.text("scope", "openid profile email").text("preferred_username", "alice");
  token.payload.raw("realm_access", R"({"roles":["clerk","offline_access"]})");
  client.token = token.bind(client.key).sign(issuer_key);
  return client;
}

}  // namespace

std::string plain_request(const std::string& host, const std::string& path) {
  return "GET " + path + " HTTP/1.1\r\nHost: " + host +
         "\r\nUser-Agent: holdfast_load\r\nAccept: */*\r\n\r\n";
}

std::vector<std::string> dpop_requests(const DpopPlan& plan, const std::string& host, const std::string& path,
                                       std::size_t count) {
  const auto issuer_key = support::SigningKey::from_pem(plan.issuer_alg, plan.issuer_key);
  std::vector<Client> clients;
  for (std::size_t i = 0; i < plan.keys; ++i) clients.push_back(make_client(plan, issuer_key));
  const std::string url = "https://" + host + path;
  std::string head = plain_request(host, path);
  head.resize(head.size() - 2);
  std::vector<std::string> requests;
  requests.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const Client client = plan.keys == 0 ? make_client(plan, issuer_key) : clients[i % clients.size()];
    const std::string proof = support::Proof(client.key, "GET", url, client.token).sign(client.key);
    requests.push_back(head + "Authorization: DPoP " + client.token + "\r\nDPoP: " + proof + "\r\n\r\n");
  }
  return requests;
}

}  // namespace holdfast::bench
