// The admin listener's side of the process: what its pages say and what its actions do.
#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "cli/version.h"
#include "parts/part_configs.h"
#include "retelling.h"
#include "server.h"

namespace holdfast {
namespace {

// Longer than a reload waits for new issuers and names.
constexpr std::chrono::seconds kWholeExchange{15};

}  // namespace

void Server::serve_admin() {
  if (admin_sockets_.empty()) return;
  admin_ = std::make_unique<admin::PlainServer>(
      control_.io(), std::move(admin_sockets_), kWholeExchange,
      [this](const http::RequestHead& head, const admin::PlainServer::Done& done) {
        admin::answer_admin(head, admin_rules_, *this, done);
      });
}

std::string Server::status_page() const {
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - born_.steady);
  std::string page =
      "holdfast " + std::string(cli::program_version()) + " (" + std::string(cli::program_commit()) + ")\n";
  const auto line = [&](std::string_view name, const std::string& value) {
    page += std::string(name) + ": " + value + '\n';
  };
  line("configuration", settings_.file.string());
  line("up", std::to_string(seconds.count()) + " s");
  line("state", draining_ ? "draining" : started_ ? "serving" : "starting");
  line("workers", std::to_string(crews_.size()));
  line("reloads", std::to_string(reloads_) + " taken, " + std::to_string(failed_reloads_) + " refused");
  line("replay entries", std::to_string(replay_.entries()));
  for (std::size_t i = 0; i < settings_.listeners.size(); ++i) {
    line("listener " + settings_.listeners[i].name, std::to_string(tallies_[i]->open()) + " connections");
  }
  for (const std::size_t number : issuers_.numbers()) {
    line("issuer " + issuers_.name(number), issuers_.loaded(number) ? "keys loaded" : "no keys yet");
  }
  for (const auto& upstream : upstreams_.served()) {
    for (std::size_t k = 0; k < upstream->servers.size(); ++k) {
      std::string where = upstream->servers[k].endpoints ? "" : " no address yet";
      if (upstream->servers[k].endpoints) {
        for (const net::Endpoint& endpoint : *upstream->servers[k].endpoints) where += ' ' + endpoint.text();
      }
      line("upstream " + upstream->settings.name, upstream->config.servers[k].name + where);
    }
  }
  return page;
}

const settings::Settings* Server::settings_of(std::uint64_t rules) const {
  if (rules == rules_) return &settings_;
  const auto at = std::ranges::find(past_, rules, &Past::rules);
  return at == past_.end() ? nullptr : &at->settings;
}

// What each worker remembers is its own: each is asked, and the last to answer has the word.
void Server::tell_of(std::string_view request_id, Done done) {
  struct Asked {
    telemetry::Recollection found;
    std::size_t waiting;
    Done done;
  };
  const auto asked = std::make_shared<Asked>(Asked{{}, crews_.size(), std::move(done)});
  for (Crew& crew : crews_) {
    crew.worker.post([this, &crew, asked, id = std::string(request_id)] {
      control_.post([this, asked, found = crew.remembered.find(id)]() mutable {
        asked->found.add(std::move(found));
        if (--asked->waiting > 0) return;
        const auto& newest = asked->found.newest;
        asked->done(retell(asked->found, newest ? settings_of(newest->rules) : nullptr));
      });
    });
  }
}

void Server::reload(Done done) {
  reload("POST /reload", [done = std::move(done)](unsigned status, const std::string& words) {
    admin::PlainAnswer answer;
    answer.status = status;
    answer.body = words + '\n';
    done(std::move(answer));
  });
}

bool Server::drain() {
  if (draining_) return false;
  begin_drain("POST /drain");
  return true;
}

bool Server::set_log_level(std::string_view level) {
  const auto found = parts::log_level_named(level);
  if (!found) return false;
  log_.set_level(*found);
  log_.event(pipeline::Level::kWarn, "log_level_changed", {{"level", level}, {"by", "POST /log-level"}});
  return true;
}

}  // namespace holdfast
