// Keeps one issuer's keys fresh: finds the key set by discovery, fetches it at start and in the background,
// again when somebody saw an unknown `kid` and the limiter lets it, one fetch at a time. The last good set
// serves on while fetches fail, up to max_stale. Where tokens are asked about is found on the same way. When
// and how often is schedule.h's, what the metadata says discovery.h's; this is the order of things. Control
// thread only, but for loaded() and the counts.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "issuer/discovery.h"
#include "issuer/fetch.h"
#include "issuer/introspection_target.h"
#include "issuer/schedule.h"
#include "issuer/settings.h"
#include "pipeline/ports.h"

namespace holdfast::jose {
class KeySet;
}

namespace holdfast::issuer {

class Keeper {
 public:
  // Told of each new set, and with null keys when the last good one got too old.
  using Publish = std::function<void(const pipeline::IssuerKeys&)>;
  // Told how the issuer is asked about tokens, as soon as that is known and whenever it changes.
  using PublishTarget = std::function<void(std::shared_ptr<const IntrospectionTarget>)>;

  Keeper(boost::asio::io_context& control, IssuerSettings settings, pipeline::EventLog& log, Publish publish,
         PublishTarget publish_target);
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

  void start();
  // Ends fetches and timers; who waits for a refetch is answered.
  void stop();

  // `done` comes when a fetch has ended, after its result was published: this one's, or one's that was under
  // way. At once where the limiter refuses.
  void refetch(std::function<void()> done);

  [[nodiscard]] const IssuerSettings& settings() const { return settings_; }
  // Whether these settings name the same keys and the same place to ask about tokens, found in the same place
  // and by the same rules.
  [[nodiscard]] bool has_source_of(const IssuerSettings& other) const;
  // Goes on with these, which have the same source: another name, other times, other credentials. The keys
  // stay.
  void change(const IssuerSettings& settings);
  // Any thread.
  [[nodiscard]] bool loaded() const { return loaded_.load(std::memory_order_acquire); }
  [[nodiscard]] std::uint64_t refreshes() const { return refreshes_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t failures() const { return failures_.load(std::memory_order_relaxed); }

 private:
  void begin(bool discover);
  void ask_metadata(std::size_t which, std::string failures);
  void take_endpoints(Endpoints found);
  void ask_keys();
  void fetch(const std::string& url, Fetch::Done done);
  [[nodiscard]] std::expected<FetchRequest, std::string> reach(const std::string& url);
  void publish_target();
  void take_keys(std::string_view body);
  void take_set(jose::KeySet set);
  void succeeded();
  void failed(const std::string& why);
  void ended();
  void await_refresh();
  void watch_age();
  [[nodiscard]] double jitter();

  boost::asio::io_context& control_;
  IssuerSettings settings_;
  const std::vector<std::string> metadata_urls_;
  pipeline::EventLog& log_;
  Publish publish_;
  PublishTarget publish_target_;
  RefetchLimiter limiter_;
  RefreshSchedule schedule_;
  boost::asio::steady_timer refresh_;
  boost::asio::steady_timer stale_;
  std::minstd_rand random_{std::random_device{}()};

  bool stopped_ = false;
  bool under_way_ = false;
  bool discovering_ = false;  // what is under way is a background refresh, not a refetch
  SteadyTime due_;            // the next background refresh
  SteadyTime fetched_;        // the last good set
  std::unique_ptr<Fetch> fetch_;
  std::shared_ptr<const net::TlsClientContext> tls_;  // made when needed
  std::optional<Endpoints> endpoints_;                // as they were found last
  std::string contents_;                              // of the last good set, to tell a change
  std::uint64_t generation_ = 0;
  bool published_ = false;
  std::vector<std::function<void()>> waiting_;
  std::atomic<bool> loaded_ = false;
  std::atomic<std::uint64_t> refreshes_ = 0;
  std::atomic<std::uint64_t> failures_ = 0;
};

}  // namespace holdfast::issuer
