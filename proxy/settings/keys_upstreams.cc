#include "settings/keys_upstreams.h"

#include "settings/key_forms.h"

namespace holdfast::settings {
namespace {

// A URL alone, or {url, weight}.
Value<Server> server() {
  const auto written_out = map<Server>({
      member<Server>("url", server_url(), &Server::origin).required(),
      member<Server>("weight", whole<unsigned>(1, 1'000), &Server::weight),
  });
  const auto alone = converted(server_url(), [](Origin origin) { return Server{std::move(origin), 1}; });
  return {[=](const Node& node, const Place& place, Report& report) {
    return node.kind == Node::Kind::kMap ? written_out.read(node, place, report)
                                         : alone.read(node, place, report);
  }};
}

Keys<UpstreamTimeouts> upstream_timeouts() {
  return {
      member<UpstreamTimeouts>("connect", time(), &UpstreamTimeouts::connect),
      member<UpstreamTimeouts>("response", time(), &UpstreamTimeouts::response),
      member<UpstreamTimeouts>("body_idle", time(), &UpstreamTimeouts::body_idle),
      member<UpstreamTimeouts>("idle", time(), &UpstreamTimeouts::idle),
  };
}

Key<Upstream> retries() {
  struct Retries {
    unsigned max = 1;
  };
  const auto value = map<Retries>({member<Retries>("max", whole<unsigned>(0, 10), &Retries::max)});
  return member<Upstream>("retries", converted(value, [](Retries read) { return read.max; }),
                          &Upstream::max_retries);
}

Keys<UpstreamTls> upstream_tls() {
  return {
      member<UpstreamTls>("ca", text(), &UpstreamTls::ca),
      member<UpstreamTls>("certificate", text(), &UpstreamTls::certificate),
      member<UpstreamTls>("key", text(), &UpstreamTls::key),
      member<UpstreamTls>("server_name", plain_host("a host name"), &UpstreamTls::server_name),
  };
}

}  // namespace

Value<Upstream> upstream() {
  return map<Upstream>({
      member<Upstream>("name", text(), &Upstream::name).required(),
      member<Upstream>("servers", one_or_list(server()), &Upstream::servers).required(),
      member<Upstream>(
          "balance",
          choice<Balance>({{"least_request", Balance::kLeastRequest}, {"round_robin", Balance::kRoundRobin}}),
          &Upstream::balance),
      section<Upstream>("timeouts", upstream_timeouts(), &Upstream::timeouts),
      member<Upstream>("max_connections", whole<std::size_t>(1, 10'000'000), &Upstream::max_connections),
      member<Upstream>("queue", whole<std::size_t>(0, 10'000'000), &Upstream::queue),
      not_yet<Upstream>("health"),
      not_yet<Upstream>("outlier"),
      retries(),
      section<Upstream>("tls", upstream_tls(), &Upstream::tls),
  });
}

}  // namespace holdfast::settings
