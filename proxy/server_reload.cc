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
#include "parts/admin_token.h"
#include "parts/assertion_keys.h"
#include "parts/nonce_secrets.h"
#include "parts/part_configs.h"
#include "server.h"
#include "settings/replay_rate.h"
#include "settings/running.h"

namespace holdfast {
namespace {

using pipeline::Level;

// How long new issuers and names are waited for. Whoever is away that long is away for longer.
constexpr std::chrono::seconds kPatience{5};
constexpr std::chrono::milliseconds kLook{10};
// Until the last worker has gone over, far more than it takes: until then it lets proofs in by the old rules.
constexpr std::chrono::seconds kLastWorker{1};

// Configurations that requests of before a reload are explained by.
constexpr std::size_t kPast = 4;

struct KnownEndpoints {
  std::size_t upstream;
  std::size_t server;
  net::Endpoints endpoints;
};

}  // namespace

std::shared_ptr<const dpop::NonceIssuer> Server::make_nonces(const settings::Settings& settings) {
  if (!parts::needs_nonces(settings)) return nullptr;
  if (!settings.dpop.nonce.secret_file) {
    log_.event(Level::kWarn, "nonce_secret_of_this_process",
               {{"detail",
                 "other replicas refuse its nonces, and a restart forgets them; "
                 "set dpop.nonce.secret_file"}});
  }
  return parts::or_fail(parts::make_nonce_issuer(settings.dpop.nonce, nonce_secret_));
}

std::vector<std::shared_ptr<const listener::Config>> Server::make_listener_configs(
    const settings::Settings& settings) {
  const DescriptorBudget budget = parts::or_fail(budget_descriptors(settings, net::raise_descriptor_limit()));
  if (budget.lowered) {
    log_.event(
        Level::kWarn, "max_connections_lowered",
        {{"detail", "this process may have too few file descriptors for the default; raise `ulimit -n`"}});
  }
  std::vector<std::shared_ptr<const listener::Config>> configs;
  for (std::size_t i = 0; i < settings.listeners.size(); ++i) {
    configs.push_back(parts::listener_config(settings.listeners[i], i, budget.max_connections[i], tallies_[i],
                                             certificates_.ticket_keys()));
  }
  return configs;
}

void Server::reload(std::string_view why, Reloaded done) {
  if (next_) {
    reload_again_ = true;
    if (done) reloaded_again_.push_back(std::move(done));
    return;
  }
  if (done) reloaded_.push_back(std::move(done));
  if (draining_) return refuse_reload(409, "this process is draining");
  log_.event(Level::kInfo, "reload_begun", {{"why", why}});
  configuration_watch_.begin_reading(settings_.file);
  settings::Loaded loaded = read_anew_(settings_);
  const std::string file = settings_.file.string();
  std::string errors;
  for (const settings::Problem& problem : loaded.warnings) {
    log_.event(Level::kWarn, "configuration_warning", {{"problem", to_string(problem, file)}});
  }
  for (const settings::Problem& problem : loaded.errors) {
    const std::string line = to_string(problem, file);
    log_.event(Level::kError, "configuration_error", {{"problem", line}});
    errors += (errors.empty() ? "" : "\n") + line;
  }
  if (!loaded.settings) return refuse_reload(422, errors);
  try {
    next_ = prepare(*std::move(loaded.settings), std::move(loaded.shown));
  } catch (const std::exception& error) {
    return refuse_reload(422, error.what());
  }
  await_next(std::chrono::steady_clock::now() + kPatience);
}

void Server::refuse_reload(unsigned status, const std::string& why) {
  ++failed_reloads_;
  log_.event(Level::kError, "reload_refused",
             {{"why", why}, {"detail", "the configuration stays as it was"}});
  tell_reloaded(status, why);
}

void Server::tell_reloaded(unsigned status, const std::string& words) {
  for (const Reloaded& done : std::exchange(reloaded_, {})) done(status, words);
}

// What can fail comes first; issuers begin to fetch last.
Server::Next Server::prepare(settings::Settings settings, std::string shown) {
  Next next;
  next.shown = std::move(shown);
  if (settings.admin && settings.admin->token_file) {
    next.admin_token = parts::or_fail(parts::read_admin_token(*settings.admin->token_file));
  }
  next.listeners = make_listener_configs(settings);
  auto nonces = make_nonces(settings);
  std::shared_ptr<const pipeline::AssertionSigner> assertions;
  if (settings.assertion) assertions = parts::or_fail(parts::make_assertion_signer(*settings.assertion));
  next.issuers = parts::issuer_settings(settings);
  // From here on numbers are given out, which the workers' pools count along with: nothing may fail any more.
  next.upstreams = upstreams_.prepare(settings.upstreams);
  next.numbers.issuers = issuers_.prepare(next.issuers);
  for (const auto& upstream : next.upstreams) next.numbers.upstreams.push_back(upstream->number);
  next.numbers.rules = ++numbered_;
  next.rules = parts::compile_rules(settings, next.numbers, std::move(nonces), std::move(assertions));
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
    if (std::exchange(reload_again_, false)) {
      reloaded_ = std::exchange(reloaded_again_, {});
      reload("asked for meanwhile", nullptr);
    }
    return;
  }
  next_due_.expires_after(kLook);
  next_due_.async_wait([this, until](boost::system::error_code cancelled) {
    if (!cancelled) await_next(until);
  });
}

// No proof that the old rules have let in gets in again because its entry is gone by the new ones.
void Server::keep_out_used_proofs(Next& next) const {
  const UnixTime over = net::Worker::now().wall + kLastWorker;
  succeed(*next.rules, window_, parts::nonce_demands(settings_), over, next.settings);
}

// `rules`, of `settings`, come after such a window and such demands, which end by `over`.
void Server::succeed(pipeline::Rules& rules, const dpop::Window& before, std::string_view nonce_demands,
                     UnixTime over, const settings::Settings& settings) {
  dpop::Window& window = rules.proof.window;
  window = dpop::succeed(before, window, over);
  if (!parts::asks_for_more_nonces(nonce_demands, settings)) return;
  // A replica's clock may be ahead by a slot.
  const Millis lifetime = settings.dpop.nonce.lifetime;
  window.nonces_since = over + (dpop::nonce_accepted_for(lifetime) - lifetime);
}

void Server::commit(Next next) {
  keep_out_used_proofs(next);
  issuers_.commit(next.issuers, next.numbers.issuers);
  const ServedUpstreams::Difference difference = upstreams_.commit(next.upstreams);
  // In the same turn as the rules that need them: a request in between would find no address.
  std::vector<KnownEndpoints> known;
  for (const auto& upstream : difference.added) {
    for (std::size_t k = 0; k < upstream->servers.size(); ++k) {
      if (const auto& endpoints = upstream->servers[k].endpoints)
        known.push_back({upstream->number, k, *endpoints});
    }
  }
  for (Crew& crew : crews_) {
    crew.worker.post([&crew, rules = next.rules, difference, known, listeners = next.listeners] {
      for (const auto& upstream : difference.added) crew.pools.add(upstream->number, upstream->config);
      for (const KnownEndpoints& one : known)
        crew.pools.set_endpoints(one.upstream, one.server, one.endpoints);
      for (const auto& listener : crew.listeners) {
        listener->replace_config(listeners[listener->config().index]);
      }
      crew.flow.replace_rules(rules);
      for (const auto& upstream : difference.removed) crew.pools.retire(upstream->number);
    });
  }
  replay_.expect(settings::longest_kept(next.settings));
  assertions_ = next.rules->assertions;
  window_ = next.rules->proof.window;
  certificates_.keep(next.listeners);
  memory_.set_limit(memory_limit(next.settings.memory));
  const telemetry::LogSettings log = parts::log_settings(next.settings.log);
  log_.set_level(log.level);
  log_.set_access(log.access);
  admin_rules_.token = std::move(next.admin_token);
  if (next.settings.admin) admin_rules_.hosts = next.settings.admin->hosts;
  std::string changes;
  for (const std::string& change : settings::changes(settings_, next.settings)) {
    changes += (changes.empty() ? "" : "; ") + change;
  }
  if (changes.empty()) changes = "nothing that the file says; keys and certificates were read anew";
  past_.push_back({rules_, std::move(settings_)});
  if (past_.size() > kPast) past_.pop_front();
  settings_ = std::move(next.settings);
  rules_ = next.rules->number;
  shown_ = std::move(next.shown);
  configuration_watch_.keep(settings_);
  ++reloads_;
  log_.event(Level::kInfo, "reloaded", {{"changes", changes}});
  tell_reloaded(200, changes);
}

}  // namespace holdfast
