// One attempt to connect to an endpoint, within a time limit. Worker's thread only.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/counted.h"
#include "net/socket.h"
#include "net/timer_wheel.h"
#include "net/worker.h"

namespace holdfast::net {

class ConnectOwner : public virtual Counted {
 public:
  // Exactly one of the two comes, once, never from inside start(); none after cancel(). The socket is
  // connected and non-blocking, ready for a Stream.
  virtual void on_connected(Socket socket) = 0;
  // `error`: an errno; ETIMEDOUT also when our own limit passed.
  virtual void on_connect_failed(int error) = 0;
};

// A member of its owner, to which it holds a Ref while an attempt is under way. May be started again after it
// ended.
class Connect final : private Expirable {
 public:
  Connect(Worker& worker, ConnectOwner& owner);
  ~Connect();
  Connect(const Connect&) = delete;
  Connect& operator=(const Connect&) = delete;

  void start(const Endpoint& to, std::chrono::milliseconds limit);
  void cancel();
  [[nodiscard]] bool under_way() const { return static_cast<bool>(held_); }

 private:
  void on_deadline(int which) override;
  void finish(int error);

  Worker& worker_;
  ConnectOwner& owner_;
  Deadline deadline_;
  Socket socket_;
  Ref<ConnectOwner> held_;
  std::uint32_t attempt_ = 0;  // an answer to an earlier one is nobody's
};

}  // namespace holdfast::net
