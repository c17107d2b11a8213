// A process that serves: the parts, put together, run, changed by a reload and taken down again. The thread
// that calls run() becomes the control thread; everything here is its own, and what workers are to do is
// posted to them.
#pragma once

#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "admin/admin_answer.h"
#include "admin/heartbeats.h"
#include "admin/plain_server.h"
#include "admin/probes.h"
#include "base/secret.h"
#include "certificate_keeper.h"
#include "cli/command_line.h"
#include "configuration_watch.h"
#include "crew.h"
#include "handover.h"
#include "inherited_sockets.h"
#include "issuer/issuers.h"
#include "memory_watch.h"
#include "net/worker.h"
#include "parts/compile_rules.h"
#include "predecessor.h"
#include "replay/memory_store.h"
#include "replay/worker_store.h"
#include "served_upstreams.h"
#include "telemetry/log.h"
#include "telemetry/request_metrics.h"
#include "telemetry/sink.h"

namespace holdfast {

class Server final : public admin::ProbeState, public admin::AdminState {
 public:
  // Throws parts::StartError, a sentence for the operator.
  explicit Server(cli::RunOptions options);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Serves until it is drained.
  void run();

 private:
  // A configuration that was found good and is about to be served.
  struct Next {
    settings::Settings settings;
    std::vector<std::shared_ptr<const listener::Config>> listeners;
    std::vector<issuer::IssuerSettings> issuers;
    ServedUpstreams::List upstreams;
    parts::PartNumbers numbers;
    std::shared_ptr<pipeline::Rules> rules;  // nobody's else until they are served
    Secret admin_token;
    std::string shown;
  };
  // How a reload ended, for whoever asked: an HTTP status and words.
  using Reloaded = std::function<void(unsigned status, const std::string& words)>;

  // ---- server.cc
  void replace_config(const std::shared_ptr<const listener::Config>& config);
  void make_listeners(const std::vector<std::shared_ptr<const listener::Config>>& configs);
  void begin_serving();
  void await_signal();
  void begin_drain(std::string_view why);
  void stop_accepting();
  void drain_listeners(bool leave);
  void one_is_empty();
  void expire_replay_entries();
  void end();

  // ---- server_takeover.cc
  // The sockets of one address, inherited or opened, and whether they are kept elsewhere, too.
  struct Opened {
    std::vector<net::Descriptor> sockets;
    bool kept = false;
  };
  [[nodiscard]] Opened open_sockets(const std::string& name, const settings::Address& address,
                                    std::size_t count);
  [[nodiscard]] Opened adopt(const std::string& name, std::vector<InheritedSocket> inherited,
                             std::size_t count);
  void note_sockets(const std::string& name, const Opened& opened);
  void open_other_sockets();
  void inherit_window(pipeline::Rules& rules);
  void await_ready(std::chrono::steady_clock::time_point until);
  void take_over();
  void await_successor();
  void on_handed_over();
  void on_predecessor_gone();

  // ---- server_reload.cc
  [[nodiscard]] std::shared_ptr<const dpop::NonceIssuer> make_nonces(const settings::Settings& settings);
  // The configs of all listeners, at their numbers.
  [[nodiscard]] std::vector<std::shared_ptr<const listener::Config>> make_listener_configs(
      const settings::Settings& settings);
  void reload(std::string_view why, Reloaded done);
  void refuse_reload(unsigned status, const std::string& why);
  void tell_reloaded(unsigned status, const std::string& words);
  [[nodiscard]] Next prepare(settings::Settings settings, std::string shown);
  void keep_out_used_proofs(Next& next) const;
  static void succeed(pipeline::Rules& rules, const dpop::Window& before, std::string_view nonce_demands,
                      UnixTime over, const settings::Settings& settings);
  void await_next(std::chrono::steady_clock::time_point until);
  void commit(Next next);
  // Tells every worker where the upstream's servers are, as far as that is known.
  void announce(const ServedUpstream& upstream);
  void tell(std::size_t upstream, std::size_t server, const net::Endpoints& endpoints);

  // ---- server_admin.cc
  void serve_admin();
  [[nodiscard]] std::string status_page() const override;
  [[nodiscard]] std::string shown_configuration() const override { return shown_; }
  void tell_of(std::string_view request_id, Done done) override;
  void reload(Done done) override;
  bool drain() override;
  bool set_log_level(std::string_view level) override;

  [[nodiscard]] bool started() const override { return started_; }
  [[nodiscard]] bool alive() const override { return heartbeats_.alive(std::chrono::steady_clock::now()); }
  [[nodiscard]] bool draining() const override { return draining_; }
  [[nodiscard]] std::vector<admin::IssuerReadiness> issuers() const override;
  [[nodiscard]] bool takes_proofs() const override;
  [[nodiscard]] bool has_metrics() const override { return true; }
  [[nodiscard]] std::string metrics() const override;
  [[nodiscard]] std::string assertion_keys() const override {
    return assertions_ == nullptr ? std::string() : assertions_->key_set();
  }

  // What was served before reloads: requests of that time may be remembered.
  struct Past {
    std::uint64_t rules;
    settings::Settings settings;
  };
  [[nodiscard]] const settings::Settings* settings_of(std::uint64_t rules) const;

  settings::Settings settings_;
  std::uint64_t rules_ = 0;  // Rules::number of what is served
  std::deque<Past> past_;    // the newest last; no more than kPast
  std::uint64_t numbered_ = 0;
  std::string shown_;  // the file, for people
  const std::function<settings::Loaded(const settings::Settings&)> read_anew_;
  telemetry::Sink sink_;
  telemetry::Log log_;
  net::Worker control_;
  const std::optional<std::filesystem::path> takeover_;
  std::optional<Inheritance> inheritance_;
  InheritedSockets inherited_;
  const Now born_;             // the store; before this process where it took over
  const Secret nonce_secret_;  // of this process and those that take over
  replay::MemoryStore replay_;
  replay::WorkerStore control_claims_;  // a predecessor's
  issuer::Issuers issuers_;
  std::shared_ptr<upstream::SharedState> shared_upstreams_;
  ServedUpstreams upstreams_;
  CertificateKeeper certificates_;
  MemoryWatch memory_;
  ConfigurationWatch configuration_watch_;
  std::vector<std::shared_ptr<listener::ClientTally>> tallies_;  // of each listener
  std::deque<Crew> crews_;
  std::vector<bool> leaves_queue_;  // of each listener: somebody else holds its sockets, too
  admin::Heartbeats heartbeats_;    // its timers are the crews'
  std::vector<telemetry::RequestMetrics*> request_metrics_;  // of the crews
  std::vector<Handover::Listening> listening_;               // all of them, for a successor
  std::vector<net::Descriptor> probe_sockets_;
  std::vector<net::Descriptor> admin_sockets_;
  std::unique_ptr<Predecessor> predecessor_;
  std::unique_ptr<Handover> handover_;
  std::shared_ptr<const pipeline::AssertionSigner> assertions_;  // of the rules that are served
  dpop::Window window_;                                          // likewise
  std::unique_ptr<admin::Probes> probes_;
  admin::AdminRules admin_rules_;
  std::unique_ptr<admin::PlainServer> admin_;
  boost::asio::signal_set signals_;
  boost::asio::steady_timer delay_;
  boost::asio::steady_timer expiry_;
  boost::asio::steady_timer next_due_;
  std::optional<Next> next_;
  std::vector<Reloaded> reloaded_;        // who waits for the reload under way
  std::vector<Reloaded> reloaded_again_;  // and for the one after it, asked for meanwhile
  bool reload_again_ = false;
  std::uint64_t reloads_ = 0;
  std::uint64_t failed_reloads_ = 0;
  std::vector<std::thread> threads_;
  std::size_t not_empty_ = 0;
  bool accepting_ = false;
  bool empty_ = false;   // drained; a predecessor may still need this process's word
  std::string failure_;  // why run() throws
  bool started_ = false;
  bool draining_ = false;
};

}  // namespace holdfast
