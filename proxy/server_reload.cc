// Reload, all or nothing (the contract's "Ending"): the file is read and everything that can fail is done
// before anything changes; then new issuers and new names get a moment, so that nobody is refused for want of
// keys or addresses; then every worker is handed the whole of it in one task. Requests that began before keep
// the rules, pools and keys they began with.
#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

#include "descriptor_budget.h"
#include "net/listen.h"
#include "nonce_secrets.h"
#include "part_configs.h"
#include "server.h"
#include "settings/running.h"

namespace holdfast {
namespace {

using pipeline::Level;

// How long new issuers and names are waited for. Whoever is away that long is away for longer.
constexpr std::chrono::seconds kPatience{5};
constexpr std::chrono::milliseconds kLook{10};

}  // namespace

std::shared_ptr<const dpop::NonceIssuer> Server::make_nonces(const settings::Settings& settings) {
  if (!needs_nonces(settings)) return nullptr;
  if (!settings.dpop.nonce.secret_file) {
    log_.event(Level::kWarn, "nonce_secret_of_this_process",
               {{"detail",
                 "other replicas refuse its nonces, and a restart forgets them; "
                 "set dpop.nonce.secret_file"}});
  }
  return or_fail(make_nonce_issuer(settings.dpop.nonce, nonce_secret_));
}

std::vector<std::shared_ptr<const listener::Config>> Server::make_listener_configs(
    const settings::Settings& settings) {
  const DescriptorBudget budget = or_fail(budget_descriptors(settings, net::raise_descriptor_limit()));
  if (budget.lowered) {
    log_.event(
        Level::kWarn, "max_connections_lowered",
        {{"detail", "this process may have too few file descriptors for the default; raise `ulimit -n`"}});
  }
  std::vector<std::shared_ptr<const listener::Config>> configs;
  for (std::size_t i = 0; i < settings.listeners.size(); ++i) {
    configs.push_back(listener_config(settings.listeners[i], i, budget.max_connections[i], gauges_[i]));
  }
  return configs;
}

void Server::reload(std::string_view why) {
  if (draining_) return refuse_reload("this process is draining");
  if (next_) {
    reload_again_ = true;
    return;
  }
  log_.event(Level::kInfo, "reload_begun", {{"why", why}});
  auto settings = read_anew();
  if (!settings) return;
  try {
    next_ = prepare(*std::move(settings));
  } catch (const std::exception& error) {
    return refuse_reload(error.what());
  }
  await_next(std::chrono::steady_clock::now() + kPatience);
}

std::optional<settings::Settings> Server::read_anew() {
  settings::Loaded loaded = read_anew_(settings_);
  const std::string file = settings_.file.string();
  for (const settings::Problem& problem : loaded.warnings) {
    log_.event(Level::kWarn, "configuration_warning", {{"problem", to_string(problem, file)}});
  }
  for (const settings::Problem& problem : loaded.errors) {
    log_.event(Level::kError, "configuration_error", {{"problem", to_string(problem, file)}});
  }
  if (!loaded.settings) {
    refuse_reload(std::to_string(loaded.errors.size()) + " errors in the file");
  }
  return std::move(loaded.settings);
}

void Server::refuse_reload(std::string_view why) {
  ++failed_reloads_;
  log_.event(Level::kError, "reload_refused",
             {{"why", why}, {"detail", "the configuration stays as it was"}});
}

// What can fail comes first; issuers begin to fetch last.
Server::Next Server::prepare(settings::Settings settings) {
  Next next;
  next.listeners = make_listener_configs(settings);
  auto nonces = make_nonces(settings);
  next.upstreams = upstreams_.prepare(settings.upstreams);
  next.issuers = issuer_settings(settings);
  next.numbers.issuers = issuers_.prepare(next.issuers);
  for (const auto& upstream : next.upstreams) next.numbers.upstreams.push_back(upstream->number);
  next.rules = compile_rules(settings, next.numbers, std::move(nonces));
  next.settings = std::move(settings);
  return next;
}

void Server::await_next(std::chrono::steady_clock::time_point until) {
  const bool keys = std::ranges::all_of(next_->numbers.issuers, [this](std::size_t number) {
    return issuers_.loaded(number) || issuers_.failures(number) > 0;
  });
  const bool names = ServedUpstreams::settled(next_->upstreams);
  if ((keys && names) || std::chrono::steady_clock::now() >= until) {
    Next next = *std::exchange(next_, std::nullopt);
    commit(std::move(next));
    if (std::exchange(reload_again_, false)) reload("asked for meanwhile");
    return;
  }
  next_due_.expires_after(kLook);
  next_due_.async_wait([this, until](boost::system::error_code cancelled) {
    if (!cancelled) await_next(until);
  });
}

void Server::commit(Next next) {
  issuers_.commit(next.issuers, next.numbers.issuers);
  const ServedUpstreams::Difference difference = upstreams_.commit(next.upstreams);
  for (Crew& crew : crews_) {
    crew.worker.post([&crew, rules = next.rules, difference, listeners = next.listeners] {
      for (const auto& upstream : difference.added) crew.pools.add(upstream->number, upstream->config);
      for (const auto& listener : crew.listeners) {
        listener->replace_config(listeners[listener->config().index]);
      }
      crew.flow.replace_rules(rules);
      for (const auto& upstream : difference.removed) crew.pools.retire(upstream->number);
    });
  }
  for (const auto& upstream : difference.added) announce(*upstream);
  const telemetry::LogSettings log = log_settings(next.settings.log);
  log_.set_level(log.level);
  log_.set_access(log.access);
  log_changes(settings::changes(settings_, next.settings));
  settings_ = std::move(next.settings);
  ++reloads_;
}

void Server::log_changes(const std::vector<std::string>& changes) {
  std::string all;
  for (const std::string& change : changes) all += (all.empty() ? "" : "; ") + change;
  if (all.empty()) all = "nothing that the file says; keys and certificates were read anew";
  log_.event(Level::kInfo, "reloaded", {{"changes", all}});
}

}  // namespace holdfast
