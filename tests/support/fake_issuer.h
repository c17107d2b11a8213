// An OpenID provider reduced to what a resource server reads: the discovery document, the JWK set and what it
// says about tokens (RFC 7662), on loopback. Keys can be rotated, the whole thing can go away and come back,
// and each of its answers can be replaced by rubbish.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "support/http_server.h"
#include "support/jose_signer.h"

namespace holdfast::support {

class FakeIssuer {
 public:
  explicit FakeIssuer(std::string_view alg = "RS256", std::string path = "/realms/demo");
  // The server's threads read what stands behind it here, so it stops before anything is gone.
  ~FakeIssuer() { server_.stop(); }
  FakeIssuer(const FakeIssuer&) = delete;
  FakeIssuer& operator=(const FakeIssuer&) = delete;

  [[nodiscard]] std::string url() const { return server_.url() + path_; }
  [[nodiscard]] const SigningKey& key() const { return key_; }
  [[nodiscard]] const std::string& kid() const { return kid_; }

  // A bound token for the audience; `change` runs before it is signed.
  [[nodiscard]] AccessToken token(std::string_view audience, const SigningKey& client) const;
  [[nodiscard]] std::string sign(const AccessToken& token) const { return token.sign(key_); }

  void rotate(bool keep_old = false);          // a new key and kid
  void publish(std::string_view jwk_members);  // adds a key as raw JSON to the set
  void go_away() { server_.stop(); }
  void come_back() { server_.start(); }
  // Overrides one document: `answer` is sent as it is, e.g. "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n".
  void answer_jwks_with(std::string raw);
  void answer_discovery_with(std::string raw);
  void answer_properly();
  [[nodiscard]] std::string discovery_document() const;
  [[nodiscard]] std::string jwks_document() const;
  [[nodiscard]] std::size_t jwks_fetches() const;

  // What it says about a token from now on; about any other, that it is not active.
  void know(const std::string& token, const Members& said);
  void revoke(const std::string& token);
  // Who asks has to send this, or gets a 401. Nobody can, until it is called.
  void expect_authorization(std::string value);
  // In place of all that; empty: as before.
  void on_introspection(HttpServer::Handler handler);
  [[nodiscard]] std::size_t introspections() const;
  HttpServer& server() { return server_; }

 private:
  void answer_introspection(Exchange& exchange);
  void make_key(std::string_view alg);
  void install();

  std::string path_;
  HttpServer server_;
  mutable std::mutex mutex_;
  SigningKey key_;
  std::string kid_;
  std::vector<std::string> published_;
  std::string raw_jwks_;
  std::string raw_discovery_;
  std::map<std::string, std::string> known_;  // by token, as the form has it
  std::string authorization_;
  HttpServer::Handler on_introspection_;
};

}  // namespace holdfast::support
