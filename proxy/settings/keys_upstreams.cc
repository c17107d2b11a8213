#include "settings/keys_upstreams.h"

#include "settings/key_forms.h"

namespace holdfast::settings {
namespace {

// A URL alone, or {url, weight}.
Value<Server> server() {
  const auto written_out =
      named("weighted-server",
            map<Server>({
                member<Server>("url", server_url(), &Server::origin)
                    .required()
                    .about("http, https (HTTP/2 by ALPN) or h2c (HTTP/2 by prior knowledge), without a path"),
                member<Server>("weight", whole<unsigned>(1, 1'000), &Server::weight)
                    .about("Its share of the requests, beside the others'"),
            }));
  const auto alone = converted(server_url(), [](Origin origin) { return Server{std::move(origin), 1}; });
  return or_map(alone, written_out);
}

Keys<UpstreamTimeouts> upstream_timeouts() {
  return {
      member<UpstreamTimeouts>("connect", time(), &UpstreamTimeouts::connect)
          .about("For a new connection, TLS included"),
      member<UpstreamTimeouts>("response", time(), &UpstreamTimeouts::response)
          .about("From the request sent to the head of the response"),
      member<UpstreamTimeouts>("body_idle", time(), &UpstreamTimeouts::body_idle)
          .about("Between two pieces of a body"),
      member<UpstreamTimeouts>("idle", time(), &UpstreamTimeouts::idle)
          .about("How long a connection is kept that nobody uses"),
  };
}

Key<Upstream> retries() {
  struct Retries {
    unsigned max = 1;
  };
  const auto value = map<Retries>({member<Retries>("max", whole<unsigned>(0, 10), &Retries::max)
                                       .about("How often a request is sent again")});
  return member<Upstream>("retries", converted(value, [](Retries read) { return read.max; }),
                          &Upstream::max_retries)
      .about("Only where a request may be repeated, and no byte of a response was seen");
}

Keys<UpstreamTls> upstream_tls() {
  return {
      member<UpstreamTls>("ca", text(), &UpstreamTls::ca)
          .about("A PEM file of the authorities that servers' certificates are held to; without it the "
                 "system's"),
      member<UpstreamTls>("certificate", text(), &UpstreamTls::certificate)
          .about("A PEM file: Holdfast's own certificate, for mutual TLS"),
      member<UpstreamTls>("key", text(), &UpstreamTls::key)
          .about("A PEM file: the private key of certificate"),
      member<UpstreamTls>("server_name", plain_host("a host name"), &UpstreamTls::server_name)
          .about("The name that servers' certificates must have; without it the URL's host"),
  };
}

}  // namespace

Value<Upstream> upstream() {
  return map<Upstream>({
      member<Upstream>("name", text(), &Upstream::name).required().about("What routes call it"),
      member<Upstream>("servers", one_or_list(server()), &Upstream::servers)
          .required()
          .about("Each a URL, or {url, weight}; one or a list"),
      member<Upstream>(
          "balance",
          choice<Balance>({{"least_request", Balance::kLeastRequest}, {"round_robin", Balance::kRoundRobin}}),
          &Upstream::balance)
          .about("Which server gets the next request"),
      section<Upstream>("timeouts", upstream_timeouts(), &Upstream::timeouts)
          .about("How long a server may take"),
      member<Upstream>("max_connections", whole<std::size_t>(1, 10'000'000), &Upstream::max_connections)
          .about("Of the whole process"),
      member<Upstream>("queue", whole<std::size_t>(0, 10'000'000), &Upstream::queue)
          .about("Requests that may wait for one of them"),
      not_yet<Upstream>("health"),
      not_yet<Upstream>("outlier"),
      retries(),
      section<Upstream>("tls", upstream_tls(), &Upstream::tls).about("To https servers"),
  });
}

}  // namespace holdfast::settings
