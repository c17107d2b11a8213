// Accepting on one listening socket of one worker. Out of descriptors it pauses for a moment instead of
// spinning; stopped, it first hands over what waits in the kernel's queue, because closing an SO_REUSEPORT
// socket resets that. Worker's thread only.
#pragma once

#include <boost/asio/basic_socket_acceptor.hpp>

#include "base/counted.h"
#include "net/socket.h"
#include "net/timer_wheel.h"
#include "net/worker.h"

namespace holdfast::net {

class AcceptOwner : public virtual Counted {
 public:
  // A new connection, non-blocking, ready for a Stream.
  virtual void on_accepted(Socket socket, const Endpoint& peer) = 0;
};

// A member of its owner, to which it holds a Ref while it waits for connections.
class Acceptor final : private Expirable {
 public:
  Acceptor(Worker& worker, Descriptor listening, AcceptOwner& owner);
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  void start();
  // Connections wait in the kernel's queue until start().
  void pause();
  // Hands over what waits in the queue, then closes.
  void stop();
  // Closes and leaves the queue to another process that holds the same socket.
  void leave();
  [[nodiscard]] Endpoint local() const;

 private:
  void on_deadline(int which) override;
  void wait();
  // Accepts what is there, `most` at most.
  void accept(int most);

  Worker& worker_;
  AcceptOwner& owner_;
  boost::asio::basic_socket_acceptor<boost::asio::ip::tcp, Executor> acceptor_;
  Deadline retry_;
  bool accepting_ = false;
  bool waiting_ = false;
};

}  // namespace holdfast::net
