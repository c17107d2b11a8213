#include "telemetry/sink.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <utility>

#include "telemetry/line_writer.h"

namespace holdfast::telemetry {

Sink::Sink(int descriptor, Format format, std::size_t capacity)
    : descriptor_(descriptor), format_(format), capacity_(capacity) {
  // Signals are the control thread's; a writer that took one could die with a log in hand.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Sink::~Sink() {
  flush();
  {
    const std::lock_guard lock(mutex_);
    ending_.store(true, std::memory_order_relaxed);
  }
  wake_.notify_one();
  thread_.join();
}

void Sink::append(std::string_view line) {
  bool was_empty = false;
  {
    const std::lock_guard lock(mutex_);
    if (pending_.size() + line.size() > capacity_) {
      dropped_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    was_empty = pending_.empty();
    pending_ += line;
  }
  if (was_empty) wake_.notify_one();
}

void Sink::flush(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  written_.wait_for(lock, patience, [this] { return pending_.empty() && !busy_; });
}

void Sink::run() {
  std::string writing;
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return !pending_.empty() || ending_.load(std::memory_order_relaxed); });
    if (pending_.empty()) return;
    writing.clear();
    std::swap(writing, pending_);
    busy_ = true;
    lock.unlock();
    report_drops(writing);
    const bool written = write_all(writing);
    lock.lock();
    busy_ = false;
    written_.notify_all();
    if (!written) return;
  }
}

// In pieces that a pipe takes whole once poll() said so (PIPE_BUF), so that a reader that has stalled holds
// this thread up in poll(), where it still hears that the process ends. A descriptor that fails for good (the
// reader is gone) loses its lines, as it must; the process goes on.
bool Sink::write_all(std::string_view bytes) {
  while (!bytes.empty()) {
    pollfd ready{.fd = descriptor_, .events = POLLOUT, .revents = 0};
    const int polled = poll(&ready, 1, 100);
    if (ending_.load(std::memory_order_relaxed) && polled == 0) return false;
    if (polled <= 0) continue;
    const ssize_t written = write(descriptor_, bytes.data(), std::min<std::size_t>(bytes.size(), PIPE_BUF));
    if (written >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR && errno != EAGAIN) {
      return true;
    }
  }
  return true;
}

void Sink::report_drops(std::string& into) {
  const std::uint64_t dropped = dropped_.load(std::memory_order_relaxed);
  if (dropped == reported_) return;
  const auto now = std::chrono::floor<Millis>(std::chrono::system_clock::now());
  LineWriter line(into, format_, now, "warn", "log_lines_dropped");
  line.count("lines", dropped - reported_);
  line.end();
  reported_ = dropped;
}

}  // namespace holdfast::telemetry
