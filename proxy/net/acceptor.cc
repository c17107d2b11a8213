#include "net/acceptor.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <limits>

namespace holdfast::net {
namespace {

constexpr std::chrono::milliseconds kOutOfDescriptors{100};

boost::asio::ip::tcp protocol_of(const Endpoint& endpoint) {
  return endpoint.family() == AF_INET ? boost::asio::ip::tcp::v4() : boost::asio::ip::tcp::v6();
}

Endpoint name_of(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof(storage);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size);
  return Endpoint(reinterpret_cast<const sockaddr*>(&storage), size);
}

}  // namespace

Acceptor::Acceptor(Worker& worker, Descriptor listening, AcceptOwner& owner)
    : worker_(worker), owner_(owner), acceptor_(worker.io()), retry_(worker.wheel(), *this) {
  const auto protocol = protocol_of(name_of(listening.fd()));
  acceptor_.assign(protocol, listening.release());
}

Endpoint Acceptor::local() const {
  return name_of(const_cast<Acceptor*>(this)->acceptor_.native_handle());
}

void Acceptor::start() {
  if (accepting_ || !acceptor_.is_open()) return;
  accepting_ = true;
  wait();
}

void Acceptor::pause() {
  accepting_ = false;
  retry_.cancel();
}

void Acceptor::stop() {
  if (!acceptor_.is_open()) return;
  const Ref<AcceptOwner> keep(&owner_);
  accepting_ = true;
  accept(std::numeric_limits<int>::max());
  pause();
  boost::system::error_code ignored;
  acceptor_.close(ignored);
}

void Acceptor::leave() {
  if (!acceptor_.is_open()) return;
  const Ref<AcceptOwner> keep(&owner_);
  pause();
  boost::system::error_code ignored;
  acceptor_.close(ignored);
}

void Acceptor::on_deadline(int) {
  if (accepting_) wait();
}

void Acceptor::wait() {
  if (waiting_) return;
  waiting_ = true;
  acceptor_.async_wait(boost::asio::socket_base::wait_read,
                       [this, keep = Ref<AcceptOwner>(&owner_)](boost::system::error_code error) {
                         waiting_ = false;
                         if (error || !accepting_) return;
                         // A burst of connections must not starve those that are being served.
                         accept(static_cast<int>(Worker::kMostATurn));
                         if (accepting_ && acceptor_.is_open() && !retry_.armed()) wait();
                       });
}

void Acceptor::accept(int most) {
  for (int i = 0; i < most && accepting_; ++i) {
    sockaddr_storage storage{};
    socklen_t size = sizeof(storage);
    const int fd = ::accept4(acceptor_.native_handle(), reinterpret_cast<sockaddr*>(&storage), &size,
                             SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == ECONNABORTED || errno == EINTR) continue;
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
        retry_.arm(kOutOfDescriptors);
      return;
    }
    const Endpoint peer(reinterpret_cast<const sockaddr*>(&storage), size);
    Socket socket(worker_.io());
    boost::system::error_code error;
    socket.assign(protocol_of(peer), fd, error);
    if (error) {
      ::close(fd);
      continue;
    }
    owner_.on_accepted(std::move(socket), peer);
  }
}

}  // namespace holdfast::net
