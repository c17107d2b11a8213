// See fake_issuer.h.
#include "support/fake_issuer.h"

namespace holdfast::support {

FakeIssuer::FakeIssuer(std::string_view alg, std::string path) : path_(std::move(path)) {
  make_key(alg);
  install();
}

void FakeIssuer::make_key(std::string_view alg) {
  key_ = SigningKey::generate(alg);
  kid_ = "kid-" + random_id();
  const std::string jwk = key_.public_jwk();
  published_.push_back(jwk.substr(0, jwk.size() - 1) + R"(,"use":"sig","alg":")" + std::string(alg) +
                       R"(","kid":")" + kid_ + "\"}");
}

void FakeIssuer::install() {
  server_.on_request([this](Exchange& exchange) {
    const std::string& target = exchange.request.target;
    const bool discovery = target == path_ + "/.well-known/openid-configuration" ||
                           target == "/.well-known/oauth-authorization-server" + path_;
    const bool jwks = target == path_ + "/jwks";
    if (target == path_ + "/introspect") {
      HttpServer::Handler handler;
      {
        const std::lock_guard lock(mutex_);
        handler = on_introspection_;
      }
      return handler ? handler(exchange) : answer_introspection(exchange);
    }
    std::string raw;
    {
      const std::lock_guard lock(mutex_);
      raw = discovery ? raw_discovery_ : jwks ? raw_jwks_ : "";
    }
    if (!raw.empty()) {
      exchange.read_body();
      exchange.send(raw);
      exchange.close();
    } else if (discovery || jwks) {
      exchange.respond(200, "Content-Type: application/json\r\n",
                       discovery ? discovery_document() : jwks_document());
    } else {
      exchange.respond(404, "", "");
    }
  });
}

void FakeIssuer::answer_introspection(Exchange& exchange) {
  exchange.read_body();
  const std::string& body = exchange.request.body;
  const auto answer = [&exchange](int status, std::string_view json) {
    exchange.respond(status, "Content-Type: application/json\r\nCache-Control: no-store\r\n", json);
  };
  std::string said = R"({"active":false})";
  bool authorized = false;
  {
    const std::lock_guard lock(mutex_);
    authorized = !authorization_.empty() && exchange.request.fields.value("Authorization") == authorization_;
    if (body.starts_with("token=")) {
      const auto known = known_.find(body.substr(6, body.find('&') - 6));
      if (known != known_.end()) said = known->second;
    }
  }
  if (!authorized) return answer(401, R"({"error":"invalid_client"})");
  if (exchange.request.method != "POST" || !body.starts_with("token=") ||
      exchange.request.fields.value("Content-Type") != "application/x-www-form-urlencoded") {
    return answer(400, R"({"error":"invalid_request"})");
  }
  answer(200, said);
}

void FakeIssuer::know(const std::string& token, const Members& said) {
  const std::lock_guard lock(mutex_);
  known_[token] = said.json();
}

void FakeIssuer::revoke(const std::string& token) {
  const std::lock_guard lock(mutex_);
  known_.erase(token);
}

void FakeIssuer::expect_authorization(std::string value) {
  const std::lock_guard lock(mutex_);
  authorization_ = std::move(value);
}

void FakeIssuer::on_introspection(HttpServer::Handler handler) {
  const std::lock_guard lock(mutex_);
  on_introspection_ = std::move(handler);
}

std::size_t FakeIssuer::introspections() const {
  std::size_t count = 0;
  for (const SeenRequest& request : server_.seen())
    count += request.target == path_ + "/introspect" ? 1U : 0U;
  return count;
}

AccessToken FakeIssuer::token(std::string_view audience, const SigningKey& client) const {
  AccessToken token(url(), audience, kid_, key_.alg());
  token.bind(client);
  return token;
}

void FakeIssuer::rotate(bool keep_old) {
  const std::lock_guard lock(mutex_);
  if (!keep_old) published_.clear();
  make_key(key_.alg());
}

void FakeIssuer::publish(std::string_view jwk_members) {
  const std::lock_guard lock(mutex_);
  published_.emplace_back(jwk_members);
}

void FakeIssuer::answer_jwks_with(std::string raw) {
  const std::lock_guard lock(mutex_);
  raw_jwks_ = std::move(raw);
}

void FakeIssuer::answer_discovery_with(std::string raw) {
  const std::lock_guard lock(mutex_);
  raw_discovery_ = std::move(raw);
}

void FakeIssuer::answer_properly() {
  const std::lock_guard lock(mutex_);
  raw_jwks_.clear();
  raw_discovery_.clear();
}

std::string FakeIssuer::discovery_document() const {
  return Members{}
      .text("issuer", url())
      .text("jwks_uri", url() + "/jwks")
      .text("introspection_endpoint", url() + "/introspect")
      .text("token_endpoint", url() + "/token")
      .text("authorization_endpoint", url() + "/auth")
      .raw("response_types_supported", R"(["code"])")
      .json();
}

std::string FakeIssuer::jwks_document() const {
  const std::lock_guard lock(mutex_);
  std::string keys;
  for (const std::string& jwk : published_) keys += (keys.empty() ? "" : ",") + jwk;
  return R"({"keys":[)" + keys + "]}";
}

std::size_t FakeIssuer::jwks_fetches() const {
  std::size_t count = 0;
  for (const SeenRequest& request : server_.seen()) count += request.target == path_ + "/jwks" ? 1U : 0U;
  return count;
}

}  // namespace holdfast::support
