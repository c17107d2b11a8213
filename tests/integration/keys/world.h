// What the cases of the keys run in: two issuers, two backends, documents, certificates, one client, and the
// real `holdfast` with the configuration of a case. What the looks of several sections share stands here.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "keys/case.h"
#include "keys/configuration.h"
#include "sidecar.h"
#include "support/authority.h"

namespace holdfast::integration::keys {

inline constexpr Milliseconds kGlance{700};

class World {
 public:
  World();
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // Has the configuration of all with the lines over it in force, or in a file where nothing is to run.
  // Whether a reload was refused stands in `taken`.
  void configure(const std::vector<std::string>& lines, By by);
  // What the case sees with its base, or with its change over that. What is thrown is seen, too.
  [[nodiscard]] std::string see(const Case& of, bool with_change);

  // ---- for looks

  [[nodiscard]] Stream dial() const { return Stream::tls(tls_port, {.server_name = std::string(kHost)}); }
  [[nodiscard]] Stream dial_plain() const { return Stream::plain(plain_port); }
  // Over a connection of its own to the TLS listener, or the plain one.
  [[nodiscard]] Response ask(const Request& request) const;
  [[nodiscard]] Response ask_plain(const Request& request) const;
  [[nodiscard]] Response ask_probes(std::string_view target) const;

  // A token of `issuer` for the client, changed before it is signed; a request that carries it with a proof,
  // changed as well, to /orders/1.
  using ChangeToken = std::function<void(AccessToken&)>;
  using ChangeProof = std::function<void(Proof&)>;
  [[nodiscard]] std::string token(const ChangeToken& change = {}) const;
  [[nodiscard]] Request order_with(const std::string& token, const ChangeProof& change = {}) const;
  [[nodiscard]] Request order() const { return order_with(good_token_); }

  // How often it was told to read its configuration and did.
  [[nodiscard]] std::string reloads() const { return reloads("ok"); }

  // Looks until what is expected is seen, for as long as `patience` says; the last that was seen.
  [[nodiscard]] std::string settle(const std::function<std::string()>& look,
                                   Milliseconds pause = Milliseconds{20}) const;
  // The line of the access log about the request with this path.
  [[nodiscard]] boost::json::object log_line(std::string_view path) const;
  [[nodiscard]] support::Finished check(std::vector<std::string> more = {}) const;

  std::string expected;   // what is to be seen
  Milliseconds patience;  // how long something that may happen is waited for
  bool taken = true;

  std::uint16_t tls_port, plain_port, probes_port, spare_port, other_spare_port;
  support::FakeIssuer issuer, second;
  HttpServer backend, other;  // answer with their names
  HttpServer documents;       // metadata and keys that are nowhere near an issuer, and other odds and ends
  support::Socket silent;     // accepts, and says nothing
  SigningKey client, assertion, other_assertion;
  testing::TestAuthority authority, stranger;
  testing::CertificatePaths mine, another, certificate_of_second;
  support::TemporaryFolder folder;
  std::unique_ptr<support::HoldfastProcess> holdfast;
  std::string kept;  // from the look before

 private:
  [[nodiscard]] Configuration shared() const;
  void write_files();
  void serve();
  void start(const std::string& yaml);
  void reload(const std::string& yaml);
  [[nodiscard]] std::string reloads(std::string_view result) const;

  std::string good_token_;
  bool own_process_ = false;  // runs with what a reload cannot take back
};

// "200", or the status and the reason of a refusal.
[[nodiscard]] std::string verdict(const Response& answer);
// What comes on the stream within the patience: a verdict, "nothing" or "closed".
[[nodiscard]] std::string what_comes(Stream& stream, Milliseconds patience);
// A request that needs no token, to /open/x, or elsewhere.
[[nodiscard]] Request open_request(std::string_view target = "/open/x", std::string_view method = "GET");

}  // namespace holdfast::integration::keys
