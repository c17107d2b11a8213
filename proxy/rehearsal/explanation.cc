#include "rehearsal/explanation.h"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "crypto/certificate.h"
#include "http/ip_address.h"
#include "http/origin.h"
#include "listener/config.h"
#include "net/client_authorities.h"
#include "net/tls_server.h"
#include "parts/part_configs.h"
#include "rehearsal/incoming.h"
#include "rehearsal/issuer_at_hand.h"
#include "rehearsal/ladder.h"
#include "rehearsal/rehearsal.h"

namespace holdfast::rehearsal {
namespace {

std::size_t chosen_listener(const settings::Settings& settings, const cli::ExplainInput& input) {
  if (!input.listener) {
    const Decoded decoded = decode(input.request.bytes, {});
    return fitting_listener(settings, input.request.scheme, decoded.head.authority);
  }
  const auto at = std::ranges::find(settings.listeners, *input.listener, &settings::Listener::name);
  if (at == settings.listeners.end()) throw cli::BadOption("no listener has the name that --listener gives");
  return static_cast<std::size_t>(at - settings.listeners.begin());
}

// What a handshake would have told of the client. A listener that asks for no certificate sees none.
std::shared_ptr<const crypto::CertificateIdentity> client_of(const settings::Listener& listener,
                                                             const cli::ExplainInput& input) {
  if (!input.client_certificate || listener.tls->client_auth == settings::ClientAuth::kNone) return nullptr;
  const auto authorities = net::ClientAuthorities::load(listener.tls->client_ca->string());
  if (!authorities) throw parts::StartError(authorities.error());
  const std::string objection =
      authorities->objection(*input.client_certificate, std::chrono::floor<std::chrono::seconds>(input.now));
  const auto identity = crypto::identity_of_chain(*input.client_certificate);
  if (!objection.empty() || !identity) {
    throw cli::BadOption("--client-certificate: listener " + listener.name +
                         " would end the handshake: " + objection);
  }
  return std::make_shared<const crypto::CertificateIdentity>(*identity);
}

pipeline::ConnectionFacts connection_to(const settings::Listener& listener, std::size_t index,
                                        const cli::ExplainInput& input, std::string_view authority) {
  const auto address = http::IpAddress::parse(input.peer);
  if (!address) throw cli::BadOption("--peer is no IP address");
  pipeline::ConnectionFacts facts;
  facts.listener = index;
  facts.client_ip = address->text();
  facts.client_address = address->bytes();
  facts.tls = listener.tls.has_value();
  if (!listener.tls) return facts;
  const auto config =
      parts::listener_config(listener, index, 1, std::make_shared<listener::ClientTally>(), nullptr);
  const auto named = http::parse_authority(authority);
  facts.certificate_names = config->tls->names_for(named ? named->host : "");
  facts.client_certificate = client_of(listener, input);
  return facts;
}

}  // namespace

cli::Explanation explain(const settings::Settings& settings, const cli::ExplainInput& input) {
  const std::size_t index = chosen_listener(settings, input);
  const settings::Listener& listener = settings.listeners[index];
  Decoded decoded = decode(input.request.bytes, listener.limits);
  const pipeline::ConnectionFacts connection = connection_to(listener, index, input, decoded.head.authority);

  std::shared_ptr<const jose::KeySet> given;
  if (input.jwks) {
    auto parsed = jose::KeySet::parse(*input.jwks);
    if (!parsed) throw cli::BadOption("--jwks: " + parsed.error());
    given = std::make_shared<const jose::KeySet>(*std::move(parsed));
  }
  std::string keys_error;
  const auto issuers = parts::issuer_settings(settings);
  std::map<std::size_t, std::shared_ptr<const jose::KeySet>> known;
  const auto keys = [&](std::size_t issuer) -> std::shared_ptr<const jose::KeySet> {
    if (given != nullptr) return given;
    auto [at, fresh] = known.try_emplace(issuer);
    if (!fresh) return at->second;
    auto fetched = fetch_keys(issuers[issuer]);
    if (fetched) return at->second = *std::move(fetched);
    keys_error = std::move(fetched.error());
    return nullptr;
  };
  std::optional<pipeline::Introspected> said;
  const auto introspect = [&](const pipeline::IntrospectionQuestion& question) {
    if (!said) said = introspect_once(issuers[question.issuer], question);
    return *said;
  };

  Rehearsal rehearsal(rules_of(settings), keys, introspect);
  const pipeline::Account account =
      decoded.fault ? rehearsal.refuse(*decoded.fault, std::move(decoded.head), connection, input.now)
                    : rehearsal.judge(std::move(decoded.head), connection, input.now);
  return told({.settings = settings, .account = account, .rehearsed = true, .keys_error = keys_error});
}

}  // namespace holdfast::rehearsal
