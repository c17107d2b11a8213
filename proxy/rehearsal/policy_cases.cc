#include "rehearsal/policy_cases.h"

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <span>
#include <stdexcept>
#include <utility>

#include "base/ascii.h"
#include "base/base64url.h"
#include "crypto/digest.h"
#include "crypto/private_key.h"
#include "crypto/random.h"
#include "http/origin.h"
#include "jose/algorithm.h"
#include "jose/jwk.h"
#include "jose/jwk_set.h"
#include "rehearsal/incoming.h"
#include "rehearsal/rehearsal.h"

namespace holdfast::rehearsal {
namespace {

namespace json = boost::json;

// Why a case cannot be tried, for the operator.
struct Impossible : std::runtime_error {
  using std::runtime_error::runtime_error;
};

std::string encoded(std::string_view bytes) {
  return base64url_encode({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
}

std::int64_t seconds(UnixTime time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

class Signer {
 public:
  explicit Signer(jose::Algorithm algorithm) : row_(jose::row_of(algorithm)), key_(generate(row_)) {}

  [[nodiscard]] std::string sign(json::object header, const json::object& payload) const {
    header["alg"] = row_.name;
    std::string jws = encoded(json::serialize(header)) + '.' + encoded(json::serialize(payload));
    const auto signature = key_.sign(row_.signature, jws);
    if (!signature) throw std::runtime_error(signature.error());
    return jws + '.' + encoded(*signature);
  }
  [[nodiscard]] json::object jwk() const {
    return json::parse(jose::canonical_jwk(key_.public_key())).as_object();
  }
  [[nodiscard]] std::string thumbprint() const { return jose::thumbprint(key_.public_key()); }

 private:
  static crypto::PrivateKey generate(const jose::AlgorithmRow& row) {
    auto key = crypto::PrivateKey::generate(row.signature);
    if (!key) throw std::runtime_error(key.error());
    return *std::move(key);
  }

  const jose::AlgorithmRow& row_;
  crypto::PrivateKey key_;
};

// The cheapest that is taken: RSA keys take a while to make.
jose::Algorithm cheapest(const jose::AlgorithmSet& taken) {
  using enum jose::Algorithm;
  for (const jose::Algorithm each :
       {ES256, Ed25519, EdDSA, ES384, ES512, PS256, RS256, PS384, RS384, PS512, RS512}) {
    if (taken.contains(each)) return each;
  }
  throw std::logic_error("no algorithm");
}

// Without what only a server has: its secrets and its keys.
settings::Settings without_files(settings::Settings settings) {
  settings.dpop.nonce.secret_file.reset();
  settings.assertion.reset();
  return settings;
}

class Bench {
 public:
  Bench(const settings::Settings& settings, UnixTime now)
      : settings_(settings),
        now_(now),
        rules_(rules_of(without_files(settings))),
        client_(cheapest(rules_->proof.algorithms)) {}

  cli::Decision decide(const cli::PolicyCase& each) {
    const std::size_t listener = listener_of(each);
    pipeline::Account account = judge(each, listener, "");
    if (each.claims) account = judge(each, listener, credentials_of(each, account.route));
    static constexpr std::array kDecisions{"allow", "report", "deny"};
    return {.decision = kDecisions[static_cast<std::size_t>(account.decision)],
            .reason = account.reason,
            .status = account.forwarded ? std::uint16_t{0} : account.status,
            .route = account.route ? settings_.routes[*account.route].name : std::string(),
            .detail = account.detail,
            .impossible = ""};
  }

 private:
  static std::string authority_of(const std::string& url) {
    const std::size_t host = url.find("://") + 3;
    return url.substr(host, url.find_first_of("/?", host) - host);
  }
  static std::string target_of(const std::string& url) {
    const std::size_t at = url.find_first_of("/?", url.find("://") + 3);
    if (at == std::string::npos) return "/";
    return url[at] == '/' ? url.substr(at) : '/' + url.substr(at);
  }

  [[nodiscard]] std::size_t listener_of(const cli::PolicyCase& each) const {
    if (each.listener.empty())
      return fitting_listener(settings_, to_lower(each.url.substr(0, each.url.find(':'))),
                              authority_of(each.url));
    const auto at = std::ranges::find(settings_.listeners, each.listener, &settings::Listener::name);
    if (at == settings_.listeners.end()) throw Impossible("no listener is named \"" + each.listener + '"');
    return static_cast<std::size_t>(at - settings_.listeners.begin());
  }

  [[nodiscard]] std::size_t issuer_of(const cli::PolicyCase& each, std::optional<std::size_t> route) const {
    const auto named = std::ranges::find(settings_.issuers, each.issuer, &settings::Issuer::name);
    if (!each.issuer.empty() && named == settings_.issuers.end())
      throw Impossible("no issuer is named \"" + each.issuer + '"');
    if (named != settings_.issuers.end()) return static_cast<std::size_t>(named - settings_.issuers.begin());
    if (route && !settings_.routes[*route].issuers.empty()) return settings_.routes[*route].issuers.front();
    if (settings_.issuers.empty())
      throw Impossible("there is no issuer, so nobody could have issued a token");
    return 0;
  }

  const Signer& issuer_key(std::size_t issuer) {
    auto& signer = issuers_[issuer];
    if (signer == nullptr) signer = std::make_unique<Signer>(cheapest(rules_->issuers[issuer].algorithms));
    return *signer;
  }
  std::shared_ptr<const jose::KeySet> key_set(std::size_t issuer) {
    json::object jwk = issuer_key(issuer).jwk();
    jwk["kid"] = "test";
    auto set = jose::KeySet::parse(json::serialize(json::object{{"keys", json::array{jwk}}}));
    if (!set) throw std::runtime_error(set.error());
    return std::make_shared<const jose::KeySet>(*std::move(set));
  }

  [[nodiscard]] json::object payload_of(const cli::PolicyCase& each, std::size_t issuer) const {
    const settings::Issuer& from = settings_.issuers[issuer];
    json::object payload{{"iss", from.url},
                         {"aud", from.any_audience ? std::string("test") : from.audiences.front()},
                         {"sub", "test"},
                         {"client_id", "test"},
                         {"jti", encoded(crypto::random_bytes(16))},
                         {"iat", seconds(now_)},
                         {"exp", seconds(now_) + 300}};
    if (!each.bearer) payload["cnf"] = json::object{{"jkt", client_.thumbprint()}};
    for (const auto& [name, value] : *each.claims) {
      if (value.is_null()) {
        payload.erase(name);
      } else {
        payload[name] = value;
      }
    }
    return payload;
  }

  // The fields that a client with this token would send.
  std::string credentials_of(const cli::PolicyCase& each, std::optional<std::size_t> route) {
    const std::size_t issuer = issuer_of(each, route);
    const bool at_jwt = settings_.issuers[issuer].token_type == settings::TokenType::kAtJwt;
    const std::string token = issuer_key(issuer).sign({{"typ", at_jwt ? "at+jwt" : "JWT"}, {"kid", "test"}},
                                                      payload_of(each, issuer));
    if (each.bearer) return "Authorization: Bearer " + token + "\r\n";
    json::object proof{{"jti", encoded(crypto::random_bytes(16))},
                       {"htm", each.method},
                       {"htu", each.url.substr(0, each.url.find_first_of("?#"))},
                       {"iat", seconds(now_)},
                       {"ath", base64url_encode(crypto::sha256(token))}};
    if (rules_->nonces != nullptr) proof["nonce"] = rules_->nonces->issue(now_);
    return "Authorization: DPoP " + token +
           "\r\nDPoP: " + client_.sign({{"typ", "dpop+jwt"}, {"jwk", client_.jwk()}}, proof) + "\r\n";
  }

  pipeline::Account judge(const cli::PolicyCase& each, std::size_t listener, const std::string& credentials) {
    const std::string authority = authority_of(each.url);
    std::string bytes = each.method + ' ' + target_of(each.url) + " HTTP/1.1\r\nHost: " + authority + "\r\n";
    for (const auto& [name, value] : each.headers) bytes.append(name).append(": ").append(value) += "\r\n";
    bytes += credentials + "\r\n";
    const settings::Listener& from = settings_.listeners[listener];
    Decoded decoded = decode(bytes, from.limits);
    pipeline::ConnectionFacts connection;
    connection.listener = listener;
    connection.client_ip = "192.0.2.1";
    connection.client_address = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 192, 0, 2, 1};
    connection.tls = from.tls.has_value();
    if (connection.tls) {
      const auto host = http::parse_authority(authority);
      connection.certificate_names =
          std::make_shared<const std::vector<std::string>>(1, host ? host->host : "");
    }
    Rehearsal rehearsal(
        rules_, [this](std::size_t issuer) { return key_set(issuer); },
        [](const pipeline::IntrospectionQuestion& question) -> pipeline::Introspected {
          if (question.jwt != nullptr) return question.jwt;
          return holdfast::refuse(Reason::introspection_unavailable, "nobody is asked about tokens here");
        });
    if (decoded.fault) return rehearsal.refuse(*decoded.fault, std::move(decoded.head), connection, now_);
    return rehearsal.judge(std::move(decoded.head), connection, now_);
  }

  const settings::Settings& settings_;
  const UnixTime now_;
  const std::shared_ptr<const pipeline::Rules> rules_;
  const Signer client_;
  std::map<std::size_t, std::unique_ptr<Signer>> issuers_;
};

}  // namespace

std::vector<cli::Decision> decide(const settings::Settings& settings,
                                  const std::vector<cli::PolicyCase>& cases, UnixTime now) {
  Bench bench(settings, now);
  std::vector<cli::Decision> out;
  for (const cli::PolicyCase& each : cases) {
    try {
      out.push_back(bench.decide(each));
    } catch (const Impossible& impossible) {
      out.push_back({.impossible = impossible.what()});
    }
  }
  return out;
}

}  // namespace holdfast::rehearsal
