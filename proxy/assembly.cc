// Puts the parts together: settings become each part's own small struct; every worker gets its view of keys,
// upstreams and rules; the control thread, which is the one that called serve(), owns signals, issuers, names
// and probes. Taking down goes the other way round.
#include "assembly.h"

#include <sys/resource.h>

#include <atomic>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <deque>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "admin/heartbeats.h"
#include "admin/probes.h"
#include "cli/version.h"
#include "compile_rules.h"
#include "crypto/random.h"
#include "descriptor_budget.h"
#include "issuer/issuers.h"
#include "listener/listener.h"
#include "net/listen.h"
#include "net/resolver.h"
#include "net/worker.h"
#include "nonce_secrets.h"
#include "part_configs.h"
#include "pipeline/request_flow.h"
#include "replay/memory_store.h"
#include "telemetry/exposition.h"
#include "telemetry/log.h"
#include "telemetry/request_metrics.h"
#include "upstream/pools.h"
#include "usable_cpus.h"

namespace holdfast {
namespace {

constexpr std::chrono::seconds kResolveEvery{30};

std::array<std::uint64_t, 2> random_seed() {
  std::array<std::uint64_t, 2> seed{};
  const std::string bytes = crypto::random_bytes(sizeof(seed));
  std::memcpy(seed.data(), bytes.data(), sizeof(seed));
  return seed;
}

// Tokens and keys lie in memory. A limit of one byte stops both core files and pipes to a collector, which a
// limit of zero does not (core(5)).
void forbid_core_dumps() {
  const rlimit none{1, 1};
  setrlimit(RLIMIT_CORE, &none);
}

// One worker with everything that lives on it; members go in reverse order, the loop last.
struct Crew {
  Crew(unsigned index, issuer::Issuers& issuers, replay::MemoryStore& replay, telemetry::Log& log,
       const std::vector<upstream::Config>& upstreams, const std::shared_ptr<upstream::SharedState>& shared,
       std::shared_ptr<const pipeline::Rules> rules)
      : worker(index),
        metrics(log),
        keys(issuers.view_for(worker.io())),
        pools(worker, upstreams, shared),
        flow({.keys = *keys, .replay = replay, .upstreams = pools, .log = metrics, .now = &net::Worker::now},
             std::move(rules)) {}

  net::Worker worker;
  telemetry::RequestMetrics metrics;
  std::shared_ptr<issuer::WorkerKeys> keys;
  upstream::Pools pools;
  pipeline::RequestFlow flow;
  std::vector<Ref<listener::Listener>> listeners;
};

class Server final : public admin::ProbeState {
 public:
  explicit Server(const settings::Settings& settings);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  void run();

 private:
  void make_listeners();
  void make_resolvers();
  void await_signal();
  void begin_drain(std::string_view signal);
  void stop_accepting();
  void one_is_empty();
  void expire_replay_entries();
  void end();

  [[nodiscard]] bool started() const override { return started_; }
  [[nodiscard]] bool alive() const override { return heartbeats_.alive(std::chrono::steady_clock::now()); }
  [[nodiscard]] bool draining() const override { return draining_; }
  [[nodiscard]] std::vector<admin::IssuerReadiness> issuers() const override;
  [[nodiscard]] bool takes_proofs() const override;
  [[nodiscard]] bool has_metrics() const override { return true; }
  [[nodiscard]] std::string metrics() const override;

  const settings::Settings& settings_;
  telemetry::Sink sink_;
  telemetry::Log log_;
  net::Worker control_;
  const Now born_ = net::Worker::now();
  replay::MemoryStore replay_;
  issuer::Issuers issuers_;
  std::deque<Crew> crews_;
  admin::Heartbeats heartbeats_;                             // its timers are the crews'
  std::vector<telemetry::RequestMetrics*> request_metrics_;  // of the crews
  std::vector<std::unique_ptr<net::Resolver>> resolvers_;
  std::unique_ptr<admin::Probes> probes_;
  boost::asio::signal_set signals_;
  boost::asio::steady_timer delay_;
  boost::asio::steady_timer expiry_;
  std::vector<std::thread> threads_;
  std::size_t not_empty_ = 0;
  bool started_ = false;
  bool draining_ = false;
};

Server::Server(const settings::Settings& settings)
    : settings_(settings),
      sink_(STDOUT_FILENO),
      log_(log_settings(settings.log), sink_),
      control_(0),
      replay_(replay_settings(settings.dpop.replay), born_, random_seed()),
      issuers_(control_.io(), issuer_settings(settings), log_),
      signals_(control_.io(), SIGTERM, SIGINT, SIGHUP),
      delay_(control_.io()),
      expiry_(control_.io()) {
  std::shared_ptr<const dpop::NonceIssuer> nonces;
  if (needs_nonces(settings)) {
    nonces = or_fail(make_nonce_issuer(settings.dpop.nonce));
    if (!settings.dpop.nonce.secret_file) {
      log_.event(pipeline::Level::kWarn, "nonce_secret_of_this_process",
                 {{"detail",
                   "other replicas refuse its nonces, and a restart forgets them; "
                   "set dpop.nonce.secret_file"}});
    }
  }
  const auto rules = compile_rules(settings, std::move(nonces));
  const std::vector<upstream::Config> upstreams = upstream_configs(settings);
  const auto shared = std::make_shared<upstream::SharedState>(upstreams);
  const unsigned workers = settings.workers.value_or(usable_cpus());
  for (unsigned i = 0; i < workers; ++i) {
    crews_.emplace_back(i + 1, issuers_, replay_, log_, upstreams, shared, rules);
    heartbeats_.watch(crews_.back().worker.io());
    request_metrics_.push_back(&crews_.back().metrics);
  }
  make_listeners();
  make_resolvers();
}

// The parts of a worker close their connections on its thread or, as here, after that has ended.
Server::~Server() {
  resolvers_.clear();
  for (Crew& crew : crews_) {
    for (const auto& listener : crew.listeners) listener->close();
  }
}

void Server::make_listeners() {
  const DescriptorBudget budget = or_fail(budget_descriptors(settings_, net::raise_descriptor_limit()));
  if (budget.lowered) {
    log_.event(
        pipeline::Level::kWarn, "max_connections_lowered",
        {{"detail", "this process may have too few file descriptors for the default; raise `ulimit -n`"}});
  }
  for (std::size_t i = 0; i < settings_.listeners.size(); ++i) {
    const settings::Listener& from = settings_.listeners[i];
    const auto config = listener_config(from, i, budget.max_connections[i]);
    auto sockets = or_fail(
        net::open_listening_sockets({.host = from.address.host, .port = from.address.port}, crews_.size()));
    for (std::size_t k = 0; k < crews_.size(); ++k) {
      crews_[k].listeners.push_back(
          make_counted<listener::Listener>(crews_[k].worker, std::move(sockets[k]), config, crews_[k].flow));
    }
  }
}

// Addresses that are literals are there before the first request; names follow as they are resolved.
void Server::make_resolvers() {
  for (std::size_t i = 0; i < settings_.upstreams.size(); ++i) {
    for (std::size_t k = 0; k < settings_.upstreams[i].servers.size(); ++k) {
      const settings::Origin& origin = settings_.upstreams[i].servers[k].origin;
      if (auto literal = net::Endpoint::from(origin.host, origin.port)) {
        for (Crew& crew : crews_) crew.pools.set_endpoints(i, k, {*literal});
        continue;
      }
      resolvers_.push_back(std::make_unique<net::Resolver>(
          control_, origin.host, origin.port, kResolveEvery,
          [this, i, k, host = origin.host](const std::expected<net::Endpoints, std::string>& endpoints) {
            if (!endpoints) {
              log_.event(pipeline::Level::kWarn, "name_not_resolved",
                         {{"host", host}, {"error", endpoints.error()}});
              return;
            }
            for (Crew& crew : crews_) {
              crew.worker.post([&pools = crew.pools, i, k, endpoints = *endpoints] {
                pools.set_endpoints(i, k, endpoints);
              });
            }
          }));
    }
  }
}

std::vector<admin::IssuerReadiness> Server::issuers() const {
  std::vector<admin::IssuerReadiness> readiness;
  for (std::size_t i = 0; i < issuers_.count(); ++i)
    readiness.push_back({issuers_.name(i), issuers_.loaded(i)});
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
  out.single("holdfast_replay_entries", "gauge", "Proofs that are remembered.", {}, replay_.entries());
  out.family("holdfast_jwks_refresh_total", "counter", "Fetches of an issuer's keys.");
  for (std::size_t i = 0; i < issuers_.count(); ++i) {
    out.sample({{"issuer", issuers_.name(i)}, {"result", "ok"}}, issuers_.refreshes(i));
    out.sample({{"issuer", issuers_.name(i)}, {"result", "failed"}}, issuers_.failures(i));
  }
  return out.take();
}

void Server::run() {
  if (settings_.probes) {
    const net::Endpoint at =
        or_fail(net::resolve_listen_address({settings_.probes->host, settings_.probes->port}));
    probes_ = std::make_unique<admin::Probes>(control_.io(), std::vector{at.tcp()}, *this);
  }
  await_signal();
  issuers_.start();
  expire_replay_entries();
  for (Crew& crew : crews_) {
    for (const auto& listener : crew.listeners) listener->start();
    threads_.emplace_back([&crew] { crew.worker.run(); });
  }
  started_ = true;
  log_.event(pipeline::Level::kInfo, "started",
             {{"version", cli::program_version()}, {"workers", std::to_string(crews_.size())}});
  control_.run();
  for (std::thread& thread : threads_) thread.join();
  log_.event(pipeline::Level::kInfo, "stopped");
  sink_.flush();
}

void Server::expire_replay_entries() {
  expiry_.expires_after(std::chrono::seconds(1));
  expiry_.async_wait([this](boost::system::error_code error) {
    if (error) return;
    replay_.expire(std::chrono::steady_clock::now());
    expire_replay_entries();
  });
}

// ---- the end
// -----------------------------------------------------------------------------------------------

void Server::await_signal() {
  signals_.async_wait([this](boost::system::error_code error, int signal) {
    if (error) return;
    if (signal == SIGHUP) {
      log_.event(pipeline::Level::kWarn, "reload_not_supported",
                 {{"detail", "SIGHUP is ignored: a changed configuration needs a restart"}});
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

void Server::begin_drain(std::string_view signal) {
  draining_ = true;
  log_.event(pipeline::Level::kInfo, "draining", {{"signal", signal}});
  // Load balancers need a moment to see /readyz fail; until then everything is served.
  delay_.expires_after(settings_.shutdown.delay);
  delay_.async_wait([this](boost::system::error_code error) {
    if (!error) stop_accepting();
  });
}

void Server::stop_accepting() {
  for (Crew& crew : crews_) {
    not_empty_ += crew.listeners.size();
    crew.worker.post([this, &crew] {
      for (const auto& listener : crew.listeners) {
        listener->drain(settings_.shutdown.drain, [this] { control_.post([this] { one_is_empty(); }); });
      }
    });
  }
}

void Server::one_is_empty() {
  if (--not_empty_ == 0) end();
}

void Server::end() {
  issuers_.stop();
  probes_.reset();
  signals_.cancel();
  delay_.cancel();
  expiry_.cancel();
  for (Crew& crew : crews_) crew.worker.stop();
  control_.stop();
}

}  // namespace

int serve(const settings::Settings& settings) {
  try {
    forbid_core_dumps();
    std::signal(SIGPIPE, SIG_IGN);
    Server server(settings);
    server.run();
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "holdfast: %s\n", error.what());
    return 1;
  }
}

}  // namespace holdfast
