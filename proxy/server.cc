// Puts the parts together: settings become each part's own small struct; every worker gets its view of keys,
// upstreams and rules; the control thread, which is the one that called run(), owns signals, issuers, names
// and probes. Taking down goes the other way round.
#include "server.h"

#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>
#include <utility>

#include "cli/version.h"
#include "client_metrics.h"
#include "crypto/random.h"
#include "introspection_metrics.h"
#include "net/listen.h"
#include "parts/part_configs.h"
#include "service_manager.h"
#include "settings/replay_rate.h"
#include "telemetry/exposition.h"
#include "usable_cpus.h"

namespace holdfast {
namespace {

std::array<std::uint64_t, 2> random_seed() {
  std::array<std::uint64_t, 2> seed{};
  const std::string bytes = crypto::random_bytes(sizeof(seed));
  std::memcpy(seed.data(), bytes.data(), sizeof(seed));
  return seed;
}

// What the service manager opened, and what the process before this one listened on.
InheritedSockets inherited_sockets(std::optional<Inheritance>& inheritance) {
  std::vector<InheritedSocket> sockets = parts::or_fail(take_listen_fds());
  if (inheritance) {
    for (InheritedSocket& socket : inheritance->sockets) sockets.push_back(std::move(socket));
  }
  return InheritedSockets(std::move(sockets));
}

// An inherited store remembers everything since it was born in another process.
Now birth_of_store(const std::optional<Inheritance>& inheritance) {
  Now born = net::Worker::now();
  if (inheritance) {
    born.wall -= inheritance->estate.store_age;
    born.steady -= inheritance->estate.store_age;
  }
  return born;
}

}  // namespace

Server::Server(cli::RunOptions options)
    : settings_(std::move(options.settings)),
      shown_(std::move(options.shown)),
      read_anew_(std::move(options.read_anew)),
      sink_(STDOUT_FILENO),
      log_(parts::log_settings(settings_.log), sink_),
      control_(0),
      takeover_(std::move(options.takeover)),
      inheritance_(takeover_ ? parts::or_fail(inherit_from(*takeover_)) : std::nullopt),
      inherited_(inherited_sockets(inheritance_)),
      born_(birth_of_store(inheritance_)),
      nonce_secret_(inheritance_ ? std::move(inheritance_->estate.nonce_secret)
                                 : Secret(crypto::random_bytes(32))),
      replay_(parts::replay_settings(settings_.dpop.replay), born_, random_seed()),
      control_claims_(replay_, control_, control_),
      issuers_(control_.io(), {}, log_),
      shared_upstreams_(std::make_shared<upstream::SharedState>(std::vector<upstream::Config>())),
      upstreams_(control_, shared_upstreams_, log_,
                 [this](std::size_t upstream, std::size_t server, const net::Endpoints& endpoints) {
                   tell(upstream, server, endpoints);
                 }),
      certificates_(
          control_, log_, {},
          [this](const std::shared_ptr<const listener::Config>& config) { replace_config(config); }),
      memory_(control_, log_, memory_limit(settings_.memory), &resident_memory, &release_memory),
      configuration_watch_(control_.io(), {}, [this] { reload("the files have changed", nullptr); }),
      signals_(control_.io(), SIGTERM, SIGINT, SIGHUP),
      delay_(control_.io()),
      expiry_(control_.io()),
      next_due_(control_.io()) {
  if (inheritance_ && !inheritance_->estate.ticket_keys.empty() &&
      !certificates_.ticket_keys()->import_ring(inheritance_->estate.ticket_keys)) {
    log_.event(pipeline::Level::kWarn, "ticket_keys_not_inherited",
               {{"detail", "clients make full handshakes once"}});
  }
  for (std::size_t i = 0; i < settings_.listeners.size(); ++i) {
    tallies_.push_back(std::make_shared<listener::ClientTally>());
  }
  Next first = prepare(settings_, shown_);
  admin_rules_ = {.token = std::move(first.admin_token),
                  .hosts = settings_.admin ? settings_.admin->hosts : std::vector<std::string>()};
  assertions_ = first.rules->assertions;
  if (inheritance_) inherit_window(*first.rules);
  window_ = first.rules->proof.window;
  replay_.expect(settings::longest_kept(settings_));
  rules_ = first.rules->number;
  issuers_.commit(first.issuers, first.numbers.issuers);
  const ServedUpstreams::List upstreams = upstreams_.commit(first.upstreams).added;
  const unsigned workers = settings_.workers.value_or(usable_cpus());
  for (unsigned i = 0; i < workers; ++i) {
    Crew& crew = crews_.emplace_back(i + 1, control_, issuers_, replay_, log_, shared_upstreams_, first.rules,
                                     memory_.overloaded());
    for (const auto& upstream : upstreams) crew.pools.add(upstream->number, upstream->config);
    heartbeats_.watch(crew.worker.io());
    request_metrics_.push_back(&crew.metrics);
  }
  for (const auto& upstream : upstreams) announce(*upstream);
  make_listeners(first.listeners);
  configuration_watch_.keep(settings_);
  certificates_.keep(first.listeners);
}

// The parts of a worker close their connections on its thread or, as here, after that has ended.
Server::~Server() {
  upstreams_.stop();
  for (Crew& crew : crews_) {
    for (const auto& listener : crew.listeners) listener->close();
  }
}

void Server::make_listeners(const std::vector<std::shared_ptr<const listener::Config>>& configs) {
  for (std::size_t i = 0; i < settings_.listeners.size(); ++i) {
    const settings::Listener& from = settings_.listeners[i];
    Opened opened = open_sockets(from.name, from.address, crews_.size());
    leaves_queue_.push_back(opened.kept);
    for (std::size_t k = 0; k < opened.sockets.size(); ++k) {
      Crew& crew = crews_[k % crews_.size()];
      crew.listeners.push_back(
          make_counted<listener::Listener>(crew.worker, std::move(opened.sockets[k]), configs[i], crew.flow));
    }
  }
  open_other_sockets();
}

void Server::replace_config(const std::shared_ptr<const listener::Config>& config) {
  for (Crew& crew : crews_) {
    crew.worker.post([&crew, config] {
      for (const auto& listener : crew.listeners) {
        if (listener->config().index == config->index) listener->replace_config(config);
      }
    });
  }
}

void Server::announce(const ServedUpstream& upstream) {
  for (std::size_t k = 0; k < upstream.servers.size(); ++k) {
    if (upstream.servers[k].endpoints) tell(upstream.number, k, *upstream.servers[k].endpoints);
  }
}

void Server::tell(std::size_t upstream, std::size_t server, const net::Endpoints& endpoints) {
  for (Crew& crew : crews_) {
    crew.worker.post([&pools = crew.pools, upstream, server, endpoints] {
      // Not there yet: the reload that adds it brings what is known by then.
      if (pools.knows(upstream)) pools.set_endpoints(upstream, server, endpoints);
    });
  }
}

// ---- what the probes ask --------------------------------------------------------------------------------

std::vector<admin::IssuerReadiness> Server::issuers() const {
  std::vector<admin::IssuerReadiness> readiness;
  for (const std::size_t number : issuers_.numbers())
    readiness.push_back({issuers_.name(number), issuers_.loaded(number)});
  return readiness;
}

bool Server::takes_proofs() const {
  return settings_.dpop.replay.cold_start == settings::ColdStart::kAccept ||
         net::Worker::now().wall >= std::chrono::ceil<std::chrono::seconds>(born_.wall);
}

std::string Server::metrics() const {
  telemetry::Exposition out;
  out.single("holdfast_build_info", "gauge", "What is running; always 1.",
             {{"version", cli::program_version()}, {"commit", cli::program_commit()}}, 1);
  telemetry::RequestMetrics::write(request_metrics_, out);
  write_client_metrics(settings_.listeners, tallies_, out);
  certificates_.write(out);
  out.single("holdfast_overloaded", "gauge", "1 while requests are refused for want of memory.", {},
             std::uint64_t{memory_.overloaded() ? 1u : 0u});
  out.single("holdfast_replay_entries", "gauge", "Proofs that are remembered.", {}, replay_.entries());
  out.family("holdfast_jwks_refresh_total", "counter", "Fetches of an issuer's keys.");
  for (const std::size_t number : issuers_.numbers()) {
    out.sample({{"issuer", issuers_.name(number)}, {"result", "ok"}}, issuers_.refreshes(number));
    out.sample({{"issuer", issuers_.name(number)}, {"result", "failed"}}, issuers_.failures(number));
  }
  std::vector<IntrospectedIssuer> introspected;
  for (std::size_t i = 0; i < settings_.issuers.size(); ++i) {
    const std::size_t number = issuers_.numbers()[i];
    if (settings_.issuers[i].introspection.mode != settings::IntrospectionMode::kOff)
      introspected.push_back({issuers_.name(number), &issuers_.introspections().counts(number)});
  }
  write_introspections(introspected, out);
  out.family("holdfast_config_reloads_total", "counter", "Times that the configuration was read anew.");
  out.sample({{"result", "ok"}}, reloads_);
  out.sample({{"result", "failed"}}, failed_reloads_);
  return out.take();
}

// ---- serving --------------------------------------------------------------------------------------------

void Server::run() {
  await_signal();
  issuers_.start();
  expire_replay_entries();
  memory_.start();
  for (Crew& crew : crews_) threads_.emplace_back([&crew] { crew.worker.run(); });
  if (inheritance_) {
    take_over();
  } else {
    begin_serving();
  }
  control_.run();
  for (std::thread& thread : threads_) thread.join();
  if (!failure_.empty()) throw parts::StartError(failure_);
  log_.event(pipeline::Level::kInfo, "stopped");
  sink_.flush();
}

void Server::begin_serving() {
  accepting_ = true;
  for (const Handover::Listening& each : listening_) {
    if (const auto begun = net::begin_listening(each.descriptor); !begun) {
      log_.event(pipeline::Level::kError, "not_listening",
                 {{"socket", each.socket.name}, {"why", begun.error()}});
    }
  }
  for (Crew& crew : crews_) {
    crew.worker.post([&crew] {
      for (const auto& listener : crew.listeners) listener->start();
    });
  }
  if (!probe_sockets_.empty()) {
    probes_ = std::make_unique<admin::Probes>(control_.io(), std::move(probe_sockets_), *this);
  }
  serve_admin();
  await_successor();
  started_ = true;
  log_.event(pipeline::Level::kInfo, "started",
             {{"version", cli::program_version()}, {"workers", std::to_string(crews_.size())}});
  notify_service_manager("READY=1\nMAINPID=" + std::to_string(::getpid()));
}

void Server::expire_replay_entries() {
  expiry_.expires_after(std::chrono::seconds(1));
  expiry_.async_wait([this](boost::system::error_code error) {
    if (error) return;
    replay_.expire(std::chrono::steady_clock::now());
    expire_replay_entries();
  });
}

// ---- the end --------------------------------------------------------------------------------------------

void Server::await_signal() {
  signals_.async_wait([this](boost::system::error_code error, int signal) {
    if (error) return;
    if (signal == SIGHUP) {
      reload("SIGHUP", nullptr);
    } else if (!started_) {
      return end();  // a takeover that is under way: nothing is served here yet
    } else if (!draining_) {
      begin_drain(signal == SIGTERM ? "SIGTERM" : "SIGINT");
    } else if (signal == SIGINT) {
      // Whoever asks twice at a terminal means at once. A second SIGTERM is the kubelet's, after preStop has
      // sent the first: it must not cost a request.
      return end();
    }
    await_signal();
  });
}

void Server::begin_drain(std::string_view why) {
  draining_ = true;
  log_.event(pipeline::Level::kInfo, "draining", {{"why", why}});
  notify_service_manager("STOPPING=1");
  // Load balancers need a moment to see /readyz fail; until then everything is served.
  delay_.expires_after(settings_.shutdown.delay);
  delay_.async_wait([this](boost::system::error_code error) {
    if (!error) stop_accepting();
  });
}

void Server::stop_accepting() {
  if (!std::exchange(accepting_, false)) return;
  if (handover_) handover_->stop();
  drain_listeners(false);
}

// `leave`: what waits to be accepted is for a successor.
void Server::drain_listeners(bool leave) {
  for (Crew& crew : crews_) not_empty_ += crew.listeners.size();
  for (Crew& crew : crews_) {
    crew.worker.post([this, &crew, leave, drain = settings_.shutdown.drain, shared = leaves_queue_] {
      using Queue = listener::Listener::Queue;
      for (const auto& listener : crew.listeners) {
        listener->drain(
            drain, [this] { control_.post([this] { one_is_empty(); }); },
            leave || shared[listener->config().index] ? Queue::kLeave : Queue::kTake);
      }
    });
  }
}

void Server::one_is_empty() {
  if (--not_empty_ > 0) return;
  empty_ = true;
  // Its connections' proofs are claimed here until it has none.
  if (!predecessor_) end();
}

void Server::end() {
  issuers_.stop();
  certificates_.stop();
  memory_.stop();
  configuration_watch_.stop();
  probes_.reset();
  admin_.reset();
  if (handover_) handover_->stop();
  signals_.cancel();
  delay_.cancel();
  expiry_.cancel();
  next_due_.cancel();
  for (Crew& crew : crews_) crew.worker.stop();
  const bool handed_over = handover_ && handover_->handed_over();
  if (started_ && !handed_over && settings_.admin && settings_.admin->socket) {
    ::unlink(settings_.admin->socket->c_str());
  }
  control_.stop();
}

}  // namespace holdfast
