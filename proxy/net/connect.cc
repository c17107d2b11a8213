#include "net/connect.h"

#include <cerrno>
#include <utility>

namespace holdfast::net {

Connect::Connect(Worker& worker, ConnectOwner& owner)
    : worker_(worker), owner_(owner), deadline_(worker.wheel(), *this), socket_(worker.io()) {}

Connect::~Connect() {
  cancel();
}

void Connect::start(const Endpoint& to, std::chrono::milliseconds limit) {
  cancel();
  held_ = Ref<ConnectOwner>(&owner_);
  deadline_.arm(limit);
  // async_connect opens the socket; what fails at once is reported on the loop's next turn like all else.
  socket_.async_connect(to.tcp(),
                        [this, keep = held_, attempt = ++attempt_](boost::system::error_code error) {
                          if (attempt == attempt_ && held_) finish(error.value());
                        });
}

void Connect::on_deadline(int) {
  finish(ETIMEDOUT);
}

void Connect::finish(int error) {
  const Ref<ConnectOwner> keep = std::exchange(held_, nullptr);
  ++attempt_;
  deadline_.cancel();
  Socket socket = std::exchange(socket_, Socket(worker_.io()));
  if (error == 0) {
    boost::system::error_code ignored;
    socket.native_non_blocking(true, ignored);
    keep_alive(socket.native_handle());
    return owner_.on_connected(std::move(socket));
  }
  boost::system::error_code ignored;
  socket.close(ignored);
  owner_.on_connect_failed(error);
}

void Connect::cancel() {
  const Ref<ConnectOwner> keep = std::exchange(held_, nullptr);
  ++attempt_;
  deadline_.cancel();
  boost::system::error_code ignored;
  socket_.close(ignored);
}

}  // namespace holdfast::net
