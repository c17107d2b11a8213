// This process's half of being taken over (takeover_messages.h has the order of things): listens at a path
// that only its user can open, hands a successor what makes it the same process, then its store's entries,
// and from the moment of kGo asks it about every claim. Until then a successor that fails or goes costs
// nothing: claims that waited are decided here. Control thread only.
#pragma once

#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <deque>
#include <expected>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "net/frame_link.h"
#include "net/worker.h"
#include "pipeline/ports.h"
#include "replay/memory_store.h"
#include "replay/worker_store.h"
#include "takeover_messages.h"

namespace holdfast {

class Handover final : public replay::Successor {
 public:
  struct Listening {
    takeover::Socket socket;
    int descriptor = -1;
  };
  struct Owner {
    std::function<takeover::Estate()> estate;
    // Each listening socket; the descriptors stay the owner's.
    std::function<std::vector<Listening>()> sockets;
    // The successor accepts: stop, and leave what waits in the sockets' queues to it.
    std::function<void()> handed_over;
  };

  // `stores`: each worker's, and the control thread's own. They outlive the workers' loops.
  Handover(net::Worker& control, pipeline::EventLog& log, const replay::MemoryStore& store,
           std::vector<replay::WorkerStore*> stores, Owner owner);
  ~Handover();
  Handover(const Handover&) = delete;
  Handover& operator=(const Handover&) = delete;

  [[nodiscard]] std::expected<void, std::string> listen(const std::filesystem::path& path);
  // Nobody takes over any more; a takeover under way fails. The path goes with it.
  void stop();
  [[nodiscard]] bool handed_over() const { return state_ >= State::kHandedOver; }

  void claim(replay::WorkerStore& store, std::uint64_t number, const pipeline::ReplayClaim& claim) override;

 private:
  enum class State : std::uint8_t {
    kIdle,
    kGreeted,     // it has our sockets and gets ready
    kCopying,     // entries go out, claims are noted
    kSwitching,   // claims wait for its word that it has everything
    kHandedOver,  // it decides
    kLost,        // it has gone after that: nobody can decide
  };
  struct Asked {
    replay::WorkerStore* store;
    std::uint64_t number;
  };
  struct Held {
    Asked asked;
    pipeline::ReplayClaim claim;
  };
  using Acceptor = boost::asio::posix::basic_stream_descriptor<net::Executor>;

  void accept();
  void greet(const net::Frame& frame);
  void on_frame(const net::Frame& frame);
  void on_result(const net::Frame& frame);
  void on_closed();
  void begin_copying();
  void copy_from(std::size_t shard);
  void send_entries(const std::vector<replay::LiveEntry>& entries);
  void send_claims_away();
  void commit();
  void fail(const std::string& why);
  void ask(const Held& held);
  void answer(const Asked& asked, pipeline::ReplayResult result);

  net::Worker& control_;
  pipeline::EventLog& log_;
  const replay::MemoryStore& store_;
  const std::vector<replay::WorkerStore*> stores_;
  const Owner owner_;
  std::filesystem::path path_;
  std::optional<Acceptor> listening_;
  std::shared_ptr<net::FrameLink> link_;
  boost::asio::steady_timer timer_;
  State state_ = State::kIdle;
  std::uint64_t round_ = 0;  // of takeovers; what comes back from another one is stale
  std::size_t awaited_ = 0;  // stores that have not answered yet
  std::vector<Held> held_;   // claims that wait for kSwitched
  std::uint64_t next_ = 0;
  std::unordered_map<std::uint64_t, Asked> asked_;
};

}  // namespace holdfast
