// The whole arrangement of a black-box test: issuer, backend, the real `holdfast` between a TLS and a plain
// listener, and one client with its key. Tests speak to it in raw bytes and read the contract's answers.
#pragma once

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/fake_issuer.h"
#include "support/holdfast_process.h"
#include "support/http_message.h"
#include "support/http_server.h"
#include "support/jose_signer.h"
#include "support/socket.h"

namespace holdfast::integration {

using support::AccessToken;
using support::Exchange;
using support::Fields;
using support::HttpServer;
using support::kPatience;
using support::MessageReader;
using support::Milliseconds;
using support::Proof;
using support::Response;
using support::Script;
using support::SigningKey;
using support::Stream;

inline constexpr std::string_view kHost = "api.example.com";
inline constexpr std::string_view kOrigin = "https://api.example.com";
inline constexpr std::string_view kAudience = "orders-api";
// In the file admin.token, beside the configuration.
inline constexpr std::string_view kAdminToken = "an-admin-token-0123456789";
inline constexpr std::string_view kAdmin = "{address: \"unix:admin.sock\", token_file: admin.token}";

// A request line, Host first, the fields as given, and a body with Content-Length where there is one.
struct Request {
  std::string method = "GET";
  std::string target = "/";
  std::string host = std::string(kHost);
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;

  Request& add(std::string_view name, std::string_view value);
  [[nodiscard]] std::string raw() const;
};

// What a test may change of the configuration, as YAML. Empty: the default.
struct Settings {
  std::string listener{};      // members of both listeners, flow style, each followed by ", "
  std::string tls_listener{};  // members of the TLS one alone
  std::string tls{};           // members of its `tls`, each followed by ", "
  std::string issuer{};        // members of the issuer
  std::string dpop{};          // members of `dpop`, beside cold_start: accept
  std::string upstream{};      // members of the upstream
  std::string servers{};       // the upstream's servers; the backend of this sidecar where empty
  std::string routes{};        // whole list items, put before the default ones
  bool default_routes = true;
  std::string top{};  // whole top-level keys
  std::string admin = "off";
  std::string shutdown = "{delay: 0s, drain: 20s}";
  bool issuer_down = false;
  std::vector<std::pair<std::string, std::string>> files{};  // beside the configuration: name and text
};

class Sidecar {
 public:
  explicit Sidecar(const Settings& settings = {});

  // The configuration that it runs with.
  [[nodiscard]] std::string yaml() const { return yaml_; }

  [[nodiscard]] Stream dial() const { return Stream::tls(tls_port, {.server_name = std::string(kHost)}); }
  [[nodiscard]] Stream dial_plain() const { return Stream::plain(plain_port); }

  // One request over a connection of its own.
  [[nodiscard]] Response send(const Request& request) const;
  [[nodiscard]] Response send_raw(std::string_view bytes) const;  // over the plain listener

  [[nodiscard]] AccessToken token() const { return issuer.token(kAudience, client); }
  // A good token, signed; the same one every time.
  [[nodiscard]] const std::string& good_token() const { return good_token_; }
  [[nodiscard]] Proof proof(std::string_view method, std::string_view target, std::string_view token) const;
  // The request with a good token and a fresh proof.
  [[nodiscard]] Request with_proof(std::string_view method, std::string_view target) const;
  // The same, and the proof holds this nonce.
  [[nodiscard]] Request with_nonce(std::string_view method, std::string_view target,
                                   std::string_view nonce) const;
  [[nodiscard]] static Request with(std::string_view method, std::string_view target, std::string_view token,
                                    std::string_view proof);

  std::uint16_t tls_port;
  std::uint16_t plain_port;
  std::uint16_t probes_port;
  support::FakeIssuer issuer;
  HttpServer backend;
  SigningKey client;
  support::TemporaryFolder folder;
  std::unique_ptr<support::HoldfastProcess> holdfast;

 private:
  std::string good_token_;
  std::string yaml_;
};

// The shape that every refusal has: problem+json with all its members, never stored, never holding a
// credential.
void expect_refusal(const Response& answer, int status, std::string_view reason);
// The challenge for DPoP: `error` empty means none is allowed. Every 401 must carry algs.
void expect_challenge(const Response& answer, std::string_view error);
[[nodiscard]] std::string reason_of(const Response& answer);
// A member of a problem document; what the answer is instead, where it has none.
[[nodiscard]] std::string member_of(const Response& answer, std::string_view name);

// A test suite that shares one sidecar with default settings, and the admin listener at kAdmin.
class SharedSidecar : public testing::Test {
 protected:
  static void SetUpTestSuite();
  static void TearDownTestSuite();
  void SetUp() override;
  static std::unique_ptr<Sidecar> sidecar;
};

// A count that a longer run may raise: HOLDFAST_TEST_<name> in the environment.
[[nodiscard]] std::uint64_t tunable(const char* name, std::uint64_t usual);
// Raises the soft limit on descriptors to the hard one and returns it.
[[nodiscard]] std::size_t open_descriptor_limit();

// Memory under a sanitizer says nothing about the program's own.
[[nodiscard]] bool memory_counts();

}  // namespace holdfast::integration
