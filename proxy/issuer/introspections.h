// Asking issuers about tokens (RFC 7662) for all workers. One question a token at a time, however many
// requests wait for its answer on however many workers; a bounded number under way for each issuer; answers
// kept until their time. What is asked and what an answer means is token/'s, where to is a Keeper's, which
// tells set_target().
//
// A worker keeps what it was told, so that most requests never leave it; what it does not know it asks of the
// control thread, which asks the issuer. Only facts cross threads: who waits for them stays on its worker.
//
// Threads: Introspections lives on the control thread, a WorkerIntrospections on its worker. The io_contexts
// outlive both; Introspections outlives the workers' loops.
#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "base/secret.h"
#include "issuer/fetch.h"
#include "issuer/introspection_cache.h"
#include "issuer/introspection_target.h"
#include "pipeline/ports.h"

namespace holdfast::issuer {

class Introspections;

class WorkerIntrospections final : public pipeline::Introspector,
                                   public std::enable_shared_from_this<WorkerIntrospections> {
 public:
  WorkerIntrospections(Introspections& all, boost::asio::io_context& worker);

  void introspect(const pipeline::IntrospectionQuestion& question, const Now& now,
                  std::function<void(const pipeline::Introspected&)> done) override;
  // As WorkerKeys::abandon() (issuers.h).
  void abandon() { (void)std::exchange(waiting_, {}); }

 private:
  friend class Introspections;
  using Done = std::function<void(const pipeline::Introspected&)>;

  void take(const IntrospectionKey& key, const IntrospectionAnswerPtr& answer);
  void forget() { cache_.clear(); }
  void stop();

  Introspections& all_;
  boost::asio::io_context& worker_;
  IntrospectionCache cache_;
  std::map<IntrospectionKey, std::vector<Done>> waiting_;
  bool stopped_ = false;
};

// What became of questions to one issuer, since the start.
struct IntrospectionCounts {
  enum Result : std::uint8_t {  // an index, so no enum class
    kActive,
    kInactive,
    kUnusable,   // active, and not to be used: of another kind, or malformed
    kFailed,     // no answer
    kSaturated,  // not asked: too many were under way
  };
  static constexpr auto kResults =
      std::to_array<std::string_view>({"active", "inactive", "unusable", "failed", "saturated"});
  // Seconds, as far as an issuer is waited for.
  static constexpr auto kBounds =
      std::to_array<double>({0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5});

  std::array<std::uint64_t, kResults.size()> results{};
  std::array<std::uint64_t, kBounds.size() + 1> durations{};  // of those asked; not cumulated
  double seconds = 0;
};

class Introspections {
 public:
  // Under way at a time, for each issuer: one that is slow costs a bounded number of connections, and nobody
  // else's.
  static constexpr std::size_t kMaxUnderWay = 64;

  Introspections(boost::asio::io_context& control, pipeline::EventLog& log);
  ~Introspections();
  Introspections(const Introspections&) = delete;
  Introspections& operator=(const Introspections&) = delete;

  // The view of one worker; made before anything runs.
  [[nodiscard]] std::shared_ptr<WorkerIntrospections> view_for(boost::asio::io_context& worker);

  // How issuer number `issuer` is asked from now on. It stays when the issuer ends, for the requests that
  // began before.
  void set_target(std::size_t issuer, std::shared_ptr<const IntrospectionTarget> target);
  // After a reload nothing counts that was learned before.
  void forget();
  // Ends what is under way; who waits is answered, now and from now on.
  void stop();

  [[nodiscard]] const IntrospectionCounts& counts(std::size_t issuer) const;

 private:
  friend class WorkerIntrospections;

  struct Issuer {
    std::shared_ptr<const IntrospectionTarget> target;
    std::size_t under_way = 0;
    IntrospectionCounts counts;
    bool failing = false;
    SteadyTime failure_logged;
  };
  struct Flight {
    std::shared_ptr<const IntrospectionTarget> target;
    std::shared_ptr<const token::AccessToken> jwt;
    Now asked;
    std::uint64_t epoch = 0;
    std::vector<std::shared_ptr<WorkerIntrospections>> askers;
    std::unique_ptr<Fetch> fetch;
  };

  // From a worker's thread.
  void ask(const IntrospectionKey& key, const pipeline::IntrospectionQuestion& question,
           WorkerIntrospections& view);
  void begin(const IntrospectionKey& key, const Secret& credential,
             std::shared_ptr<const token::AccessToken> jwt, std::shared_ptr<WorkerIntrospections> view);
  void land(const IntrospectionKey& key, const FetchResult& fetched);
  [[nodiscard]] Issuer& issuer(std::size_t number);
  void failed(Issuer& issuer, const IntrospectionTarget& target, std::string_view why);
  void succeeded(Issuer& issuer, const IntrospectionTarget& target);
  static void tell(const std::shared_ptr<WorkerIntrospections>& view, const IntrospectionKey& key,
                   IntrospectionAnswerPtr answer);

  boost::asio::io_context& control_;
  pipeline::EventLog& log_;
  IntrospectionCache cache_;
  std::map<std::size_t, Issuer> issuers_;
  std::map<IntrospectionKey, Flight> flights_;
  std::vector<std::shared_ptr<WorkerIntrospections>> views_;
  std::uint64_t epoch_ = 0;  // of the configuration
  bool stopped_ = false;
};

}  // namespace holdfast::issuer
