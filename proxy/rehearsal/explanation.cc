#include "rehearsal/explanation.h"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "answer/answer.h"
#include "http/ip_address.h"
#include "http/origin.h"
#include "listener/config.h"
#include "net/tls_server.h"
#include "parts/part_configs.h"
#include "policy/credentials.h"
#include "rehearsal/incoming.h"
#include "rehearsal/issuer_at_hand.h"
#include "rehearsal/ladder.h"

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

pipeline::ConnectionFacts connection_to(const settings::Listener& listener, std::size_t index,
                                        const std::string& peer, std::string_view authority) {
  const auto address = http::IpAddress::parse(peer);
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
  return facts;
}

std::string verdict_words(const Judged& judged, bool forwarded) {
  const Verdict& verdict = judged.verdict;
  const settings::Route* const route = judged.route();
  const std::string refusal = verdict.forwarded ? std::string()
                                                : std::to_string(verdict.status) + ' ' +
                                                      std::string(reason_name(verdict.reason.value()));
  std::string words = "denied: " + refusal;
  if (verdict.answered) {
    words = "answered: " + std::to_string(verdict.status) + " by Holdfast itself";
  } else if (forwarded) {
    words = "allowed: goes to upstream " + judged.settings.upstreams[*route->upstream].name;
  }
  if (forwarded && !refusal.empty()) words += " unenforced, else " + refusal;
  words += " (listener " + judged.settings.listeners[judged.listener].name;
  if (route != nullptr) words += ", route " + route->name;
  return words + ')';
}

}  // namespace

cli::Explanation explain(const settings::Settings& settings, const cli::ExplainInput& input) {
  const std::size_t index = chosen_listener(settings, input);
  const settings::Listener& listener = settings.listeners[index];
  Decoded decoded = decode(input.request.bytes, listener.limits);
  const pipeline::ConnectionFacts connection =
      connection_to(listener, index, input.peer, decoded.head.authority);

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

  const std::string method(decoded.head.method);
  const std::string target(decoded.head.target.substr(0, decoded.head.target.find('?')));
  std::string token;
  std::string proof;
  if (const auto found = policy::gather_credentials(decoded.head.fields, policy::Access::dpop_or_bearer)) {
    token = found->token;
    proof = found->proof;
  }
  Rehearsal rehearsal(rules_of(settings), keys, introspect);
  const Verdict verdict =
      decoded.fault ? rehearsal.refuse(*decoded.fault, std::move(decoded.head), connection, input.now)
                    : rehearsal.judge(std::move(decoded.head), connection, input.now);
  // A route that reports only gives no answer of its own to be read.
  Verdict enforced = verdict;
  if (verdict.forwarded && verdict.reason) {
    Rehearsal strict(enforced_rules_of(settings), keys, introspect);
    enforced = strict.judge(decode(input.request.bytes, listener.limits).head, connection, input.now);
  }
  const Judged judged{.settings = settings,
                      .verdict = enforced,
                      .listener = index,
                      .method = method,
                      .target = target,
                      .token = std::move(token),
                      .proof = std::move(proof),
                      .keys_error = std::move(keys_error),
                      .asked = said.has_value(),
                      .facts = said && *said ? **said : nullptr,
                      .now = input.now};
  return {.allowed = verdict.forwarded,
          .verdict = verdict_words(judged, verdict.forwarded),
          .rungs = ladder_of(judged)};
}

}  // namespace holdfast::rehearsal
