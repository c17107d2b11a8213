// The keys of all issuers: fetched on the control thread, handed to every worker as immutable snapshots. One
// Keeper an issuer decides and fetches (keeper.h); here its results are posted to the workers, and the
// workers' wishes for a refetch to it. An issuer has a number for as long as its keys come from the same
// place and its tokens are asked about there; a reload that changes that gives it a new one, so a number
// never comes to mean other keys. Asking about tokens is introspections.h's, which goes by the same numbers.
//
// Threads: Issuers lives on the control thread; a WorkerKeys belongs to its worker. The io_contexts outlive
// both; Issuers outlives the workers' loops.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "issuer/introspections.h"
#include "issuer/settings.h"
#include "pipeline/ports.h"

namespace holdfast::issuer {

class Keeper;
class Issuers;

// One worker's view: plain pointers, no lock.
class WorkerKeys final : public pipeline::KeySource, public std::enable_shared_from_this<WorkerKeys> {
 public:
  WorkerKeys(Issuers& issuers, boost::asio::io_context& worker) : issuers_(issuers), worker_(worker) {}

  [[nodiscard]] const pipeline::IssuerKeys* keys(std::size_t issuer) override;
  void refetch(std::size_t issuer, std::uint64_t seen_generation, std::function<void(bool)> done) override;
  // The worker ends, its loop has: who still waits is not answered, and let go. Else it would live as long as
  // Issuers, which outlive the worker that it belongs to, where the control loop ended before it asked.
  void abandon();

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

  [[nodiscard]] View& view(std::size_t issuer);
  void update(std::size_t issuer, pipeline::IssuerKeys keys);
  void answer_waiting(std::size_t issuer);

  Issuers& issuers_;
  boost::asio::io_context& worker_;
  std::vector<View> views_;  // by number; grows when a number is first heard of
};

class Issuers {
 public:
  Issuers(boost::asio::io_context& control, const std::vector<IssuerSettings>& issuers,
          pipeline::EventLog& log);
  ~Issuers();
  Issuers(const Issuers&) = delete;
  Issuers& operator=(const Issuers&) = delete;

  // The view of one worker; made before start(), by the thread that starts everything.
  [[nodiscard]] std::shared_ptr<WorkerKeys> view_for(boost::asio::io_context& worker);

  [[nodiscard]] Introspections& introspections() { return introspections_; }
  [[nodiscard]] const Introspections& introspections() const { return introspections_; }

  // Begins to fetch. Control thread, or before it runs.
  void start();
  // Ends fetches and timers; waiting requests are answered false. Control thread.
  void stop();

  // A reload, in two steps, so that new issuers have their keys before anybody asks for them. prepare():
  // each one's number, new ones begin to fetch. commit(): those are the issuers from now on; others end,
  // and their last keys stay for the requests that began before.
  [[nodiscard]] std::vector<std::size_t> prepare(const std::vector<IssuerSettings>& issuers);
  void commit(const std::vector<IssuerSettings>& issuers, const std::vector<std::size_t>& numbers);

  // The issuers' numbers, in the configuration's order.
  [[nodiscard]] const std::vector<std::size_t>& numbers() const { return numbers_; }
  [[nodiscard]] const std::string& name(std::size_t number) const;
  // Keys were loaded at least once since the start.
  [[nodiscard]] bool loaded(std::size_t number) const;
  // Fetches that brought keys, and that did not, since the start.
  [[nodiscard]] std::uint64_t refreshes(std::size_t number) const;
  [[nodiscard]] std::uint64_t failures(std::size_t number) const;

 private:
  friend class WorkerKeys;

  // From a worker's thread: ask issuer's keeper for a fetch, answer goes to `view`.
  void ask_refetch(std::size_t issuer, WorkerKeys& view);
  void publish(std::size_t issuer, const pipeline::IssuerKeys& keys);
  [[nodiscard]] std::size_t make_keeper(const IssuerSettings& settings);

  boost::asio::io_context& control_;
  pipeline::EventLog& log_;
  Introspections introspections_;
  std::vector<std::shared_ptr<Keeper>> keepers_;  // by number; null: ended
  std::vector<std::size_t> numbers_;
  std::vector<std::shared_ptr<WorkerKeys>> views_;
  bool started_ = false;
};

}  // namespace holdfast::issuer
