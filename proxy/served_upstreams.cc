#include "served_upstreams.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iterator>
#include <utility>

#include "parts/part_configs.h"

namespace holdfast {
namespace {

constexpr std::chrono::seconds kResolveEvery{30};

// Compared only: a renewed certificate under the same name is a change, too.
std::string contents_of(const settings::UpstreamTls& tls) {
  std::string all;
  for (const auto& file : {tls.ca, tls.certificate, tls.key}) {
    if (!file) continue;
    std::ifstream in(*file, std::ios::binary);
    all.append(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    all += '\0';
  }
  return all;
}

}  // namespace

ServedUpstreams::ServedUpstreams(net::Worker& control, std::shared_ptr<upstream::SharedState> shared,
                                 pipeline::EventLog& log, Moved moved)
    : control_(control), shared_(std::move(shared)), log_(log), moved_(std::move(moved)) {}

std::shared_ptr<ServedUpstream> ServedUpstreams::unchanged(const settings::Upstream& settings,
                                                           const std::string& files) const {
  const auto same = std::ranges::find_if(
      served_, [&](const auto& served) { return served->settings == settings && served->files == files; });
  return same == served_.end() ? nullptr : *same;
}

ServedUpstreams::List ServedUpstreams::prepare(const std::vector<settings::Upstream>& upstreams) {
  List list;
  for (const settings::Upstream& settings : upstreams) {
    std::string files = contents_of(settings.tls);
    auto served = unchanged(settings, files);
    if (!served) {
      served = std::make_shared<ServedUpstream>();
      served->settings = settings;
      served->files = std::move(files);
      served->config = parts::upstream_config(settings);
    }
    list.push_back(std::move(served));
  }
  for (const auto& upstream : list) {
    if (!upstream->servers.empty()) continue;  // served already
    upstream->number = shared_->add(upstream->config);
    resolve(*upstream);
  }
  return list;
}

// Addresses that are literals are there before the first request; names follow as they are resolved.
void ServedUpstreams::resolve(ServedUpstream& upstream) {
  upstream.servers.resize(upstream.settings.servers.size());
  for (std::size_t k = 0; k < upstream.servers.size(); ++k) {
    ServedUpstream::Server& server = upstream.servers[k];
    const settings::Origin& origin = upstream.settings.servers[k].origin;
    if (auto literal = net::Endpoint::from(origin.host, origin.port)) {
      server.endpoints = {*literal};
      server.answered = true;
      continue;
    }
    server.resolver =
        std::make_unique<net::Resolver>(control_, origin.host, origin.port, kResolveEvery,
                                        [this, &server, number = upstream.number, k, host = origin.host](
                                            const std::expected<net::Endpoints, std::string>& endpoints) {
                                          server.answered = true;
                                          if (!endpoints) {
                                            log_.event(pipeline::Level::kWarn, "name_not_resolved",
                                                       {{"host", host}, {"error", endpoints.error()}});
                                            return;
                                          }
                                          server.endpoints = *endpoints;
                                          moved_(number, k, *endpoints);
                                        });
  }
}

bool ServedUpstreams::settled(const List& list) {
  return std::ranges::all_of(list, [](const auto& upstream) {
    return std::ranges::all_of(upstream->servers, &ServedUpstream::Server::answered);
  });
}

void ServedUpstreams::end(ServedUpstream& upstream) {
  for (ServedUpstream::Server& server : upstream.servers) {
    if (!server.resolver) continue;
    server.resolver->end();
    ending_.push_back(std::move(server.resolver));
  }
}

ServedUpstreams::Difference ServedUpstreams::commit(List list) {
  Difference difference;
  const auto holds = [](const List& all, const auto& one) {
    return std::ranges::find(all, one) != all.end();
  };
  for (const auto& upstream : list) {
    if (!holds(served_, upstream)) difference.added.push_back(upstream);
  }
  for (const auto& upstream : served_) {
    if (holds(list, upstream)) continue;
    difference.removed.push_back(upstream);
    end(*upstream);
  }
  std::erase_if(ending_, [](const auto& resolver) { return resolver->ended(); });
  served_ = std::move(list);
  return difference;
}

void ServedUpstreams::stop() {
  for (const auto& upstream : served_) end(*upstream);
  ending_.clear();
}

}  // namespace holdfast
