// The keys of all issuers: fetched on the control thread, handed to every worker as immutable snapshots. One
// Keeper an issuer decides and fetches (keeper.h); here its results are posted to the workers, and the
// workers' wishes for a refetch to it.
//
// Threads: Issuers lives on the control thread, its loaded() is for any thread; a WorkerKeys belongs to its
// worker. The io_contexts outlive both; Issuers outlives the workers' loops.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "issuer/settings.h"
#include "pipeline/ports.h"

namespace holdfast::issuer {

class Keeper;
class Issuers;

// One worker's view: plain pointers, no lock.
class WorkerKeys final : public pipeline::KeySource, public std::enable_shared_from_this<WorkerKeys> {
 public:
  WorkerKeys(Issuers& issuers, boost::asio::io_context& worker, std::size_t count);

  [[nodiscard]] const pipeline::IssuerKeys* keys(std::size_t issuer) override;
  void refetch(std::size_t issuer, std::uint64_t seen_generation, std::function<void(bool)> done) override;

 private:
  friend class Issuers;

  struct Waiter {
    std::uint64_t seen_generation;
    std::function<void(bool)> done;
  };
  struct View {
    pipeline::IssuerKeys keys;  // keys.keys is null: none
    std::vector<Waiter> waiting;
  };

  void update(std::size_t issuer, pipeline::IssuerKeys keys);
  void answer_waiting(std::size_t issuer);

  Issuers& issuers_;
  boost::asio::io_context& worker_;
  std::vector<View> views_;
};

class Issuers {
 public:
  Issuers(boost::asio::io_context& control, std::vector<IssuerSettings> issuers, pipeline::EventLog& log);
  ~Issuers();
  Issuers(const Issuers&) = delete;
  Issuers& operator=(const Issuers&) = delete;

  // The view of one worker; made before start(), by the thread that starts everything.
  [[nodiscard]] std::shared_ptr<WorkerKeys> view_for(boost::asio::io_context& worker);

  // Begins to fetch. Control thread, or before it runs.
  void start();
  // Ends fetches and timers; waiting requests are answered false. Control thread.
  void stop();

  [[nodiscard]] std::size_t count() const { return keepers_.size(); }
  [[nodiscard]] const std::string& name(std::size_t issuer) const;
  // Keys were loaded at least once since the start. Any thread.
  [[nodiscard]] bool loaded(std::size_t issuer) const;
  // Fetches that brought keys, and that did not, since the start. Any thread.
  [[nodiscard]] std::uint64_t refreshes(std::size_t issuer) const;
  [[nodiscard]] std::uint64_t failures(std::size_t issuer) const;

 private:
  friend class WorkerKeys;

  // From a worker's thread: ask issuer's keeper for a fetch, answer goes to `view`.
  void ask_refetch(std::size_t issuer, WorkerKeys& view);
  void publish(std::size_t issuer, const pipeline::IssuerKeys& keys);

  boost::asio::io_context& control_;
  std::vector<std::unique_ptr<Keeper>> keepers_;
  std::vector<std::shared_ptr<WorkerKeys>> views_;
};

}  // namespace holdfast::issuer
