// See connections.h. Answers must carry Content-Length, as the benchmark's backend sends it: anything else is
// `broken`.
#include "connections.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <stdexcept>
#include <system_error>

#include <strings.h>

namespace holdfast::bench {

struct Connections::Connection {
  int fd = -1;
  SSL* ssl = nullptr;
  std::string_view unsent;
  std::string received;
  Clock::time_point began;
  bool busy = false;
};

namespace {

constexpr const char* kCipherSuite = "TLS_AES_128_GCM_SHA256";

int dial(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0 || ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw std::system_error(errno, std::generic_category(), "connect");
  }
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

// Length of the whole answer at the front of `bytes`, 0 while incomplete, throws where it cannot be told.
std::size_t answer_length(std::string_view bytes) {
  const std::size_t head = bytes.find("\r\n\r\n");
  if (head == std::string_view::npos) return 0;
  for (std::size_t at = bytes.find("\r\n"); at < head; at = bytes.find("\r\n", at + 2)) {
    constexpr std::string_view kName = "content-length:";
    const std::string_view line = bytes.substr(at + 2, head - at - 2);
    if (line.size() <= kName.size() || strncasecmp(line.data(), kName.data(), kName.size()) != 0) continue;
    std::string_view digits = line.substr(kName.size());
    while (digits.starts_with(' ')) digits.remove_prefix(1);
    std::size_t length = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), length);
    const std::size_t whole = head + 4 + length;
    return bytes.size() >= whole ? whole : 0;
  }
  throw std::runtime_error("answer without Content-Length");
}

}  // namespace

std::uint32_t Outcome::percentile(double share) {
  if (microseconds.empty()) return 0;
  std::sort(microseconds.begin(), microseconds.end());
  const auto last = static_cast<double>(microseconds.size() - 1);
  return microseconds[static_cast<std::size_t>(share * last)];
}

Connections::Connections(std::uint16_t port, std::size_t count, const std::string& server_name)
    : epoll_(::epoll_create1(EPOLL_CLOEXEC)), context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free) {
  SSL_CTX_set_min_proto_version(context_.get(), TLS1_3_VERSION);
  SSL_CTX_set_ciphersuites(context_.get(), kCipherSuite);
  for (std::size_t i = 0; i < count; ++i) {
    auto& connection = *connections_.emplace_back(std::make_unique<Connection>());
    connection.fd = dial(port);
    connection.ssl = SSL_new(context_.get());
    SSL_set_fd(connection.ssl, connection.fd);
    SSL_set_tlsext_host_name(connection.ssl, server_name.c_str());
    SSL_set_mode(connection.ssl, SSL_MODE_RELEASE_BUFFERS);
    if (SSL_connect(connection.ssl) != 1) throw std::runtime_error("TLS handshake failed");
    ::fcntl(connection.fd, F_SETFL, ::fcntl(connection.fd, F_GETFL) | O_NONBLOCK);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = &connection;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.fd, &event);
  }
}

Connections::~Connections() {
  for (const auto& connection : connections_) {
    SSL_free(connection->ssl);
    if (connection->fd >= 0) ::close(connection->fd);
  }
  ::close(epoll_);
}

void Connections::begin(Connection& connection, std::string_view request, Clock::time_point since) {
  connection.began = since;
  connection.busy = true;
  ++busy_;
  // A request is a few KiB on an empty socket: a short write would mean that the loop is broken, not that it
  // must wait.
  if (SSL_write(connection.ssl, request.data(), static_cast<int>(request.size())) <= 0) {
    throw std::runtime_error("a request did not fit into the socket");
  }
}

void Connections::drop(Connection& connection, Outcome& outcome) {
  ::epoll_ctl(epoll_, EPOLL_CTL_DEL, connection.fd, nullptr);
  ::close(connection.fd);
  connection.fd = -1;
  ++outcome.broken;
  if (connection.busy) --busy_;
  connection.busy = false;
}

bool Connections::take_answer(Connection& connection, Outcome& outcome) {
  const std::size_t length = answer_length(connection.received);
  if (length == 0) return false;
  int status = 0;
  std::from_chars(connection.received.data() + 9, connection.received.data() + 12, status);
  connection.received.erase(0, length);
  connection.busy = false;
  --busy_;
  ++outcome.by_status[status];
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - connection.began);
  outcome.microseconds.push_back(static_cast<std::uint32_t>(took.count()));
  return true;
}

void Connections::on_ready(Connection& connection, Outcome& outcome,
                           const std::function<std::string_view()>& next) {
  char chunk[16384];
  for (;;) {
    const int got = SSL_read(connection.ssl, chunk, sizeof chunk);
    if (got <= 0) {
      if (SSL_get_error(connection.ssl, got) == SSL_ERROR_WANT_READ) return;
      return drop(connection, outcome);
    }
    connection.received.append(chunk, static_cast<std::size_t>(got));
    if (!take_answer(connection, outcome)) continue;
    if (const std::string_view request = next(); !request.empty()) begin(connection, request, Clock::now());
    return;
  }
}

Outcome Connections::run(const std::function<std::string_view()>& next) {
  Outcome outcome;
  for (const auto& connection : connections_) {
    if (connection->fd < 0) continue;
    const std::string_view request = next();
    if (request.empty()) break;
    begin(*connection, request, Clock::now());
  }
  await_answers(outcome, next);
  return outcome;
}

void Connections::await_answers(Outcome& outcome, const std::function<std::string_view()>& next) {
  epoll_event events[256];
  auto last_answer = Clock::now();
  while (busy_ > 0) {
    // Never sleeps: waking an idle core costs the waker many microseconds on a virtual machine, and would be
    // charged to the server under test, the more the slower it is.
    const int ready = ::epoll_wait(epoll_, events, 256, 0);
    if (ready > 0) last_answer = Clock::now();
    if (ready == 0 && Clock::now() - last_answer > std::chrono::seconds(30)) {
      throw std::runtime_error("no answer for 30 seconds");
    }
    for (int i = 0; i < ready; ++i) on_ready(*static_cast<Connection*>(events[i].data.ptr), outcome, next);
  }
}

Connections::Connection* Connections::free_connection() {
  const auto found = std::find_if(connections_.begin(), connections_.end(),
                                  [](const auto& each) { return each->fd >= 0 && !each->busy; });
  return found == connections_.end() ? nullptr : found->get();
}

Outcome Connections::paced(const std::function<std::string_view()>& next, std::chrono::microseconds every) {
  Outcome outcome;
  ::prctl(PR_SET_TIMERSLACK, 1UL);
  epoll_event events[256];
  std::string_view request = next();
  bool waited = false;
  auto due = Clock::now();
  while (!request.empty() || busy_ > 0) {
    const auto now = Clock::now();
    Connection* free = free_connection();
    if (!request.empty() && now >= due && free != nullptr) {
      // From when it is sent: that this program woke late is not the server's doing. That no connection was
      // free is.
      begin(*free, request, waited ? due : now);
      waited = false;
      request = next();
      due += every;
      continue;
    }
    if (free == nullptr && busy_ == 0) throw std::runtime_error("the server ended every connection");
    waited = !request.empty() && now >= due;
    const bool until_due = !request.empty() && !waited;
    const auto rest = until_due ? std::chrono::nanoseconds(due - now) : std::chrono::seconds(30);
    const timespec timeout{rest / std::chrono::seconds(1), (rest % std::chrono::seconds(1)).count()};
    const int ready = ::epoll_pwait2(epoll_, events, 256, &timeout, nullptr);
    if (ready == 0 && !until_due) throw std::runtime_error("no answer for 30 seconds");
    for (int i = 0; i < ready; ++i) {
      on_ready(*static_cast<Connection*>(events[i].data.ptr), outcome, [] { return std::string_view(); });
    }
  }
  return outcome;
}

Outcome Connections::once_each(std::string_view request) {
  Outcome outcome;
  for (const auto& connection : connections_) {
    if (connection->fd < 0) continue;
    begin(*connection, request, Clock::now());
    await_answers(outcome, [] { return std::string_view(); });
  }
  return outcome;
}

Outcome Connections::all_at_once(std::string_view request) {
  std::size_t left = connections_.size();
  return run([&]() -> std::string_view {
    if (left == 0) return {};
    --left;
    return request;
  });
}

}  // namespace holdfast::bench
