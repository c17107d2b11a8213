// Where log lines go: a bounded buffer that one thread writes to a file descriptor. Appending copies the line
// under a mutex that is held for that copy only, and allocates nothing once the buffer has grown; a reader of
// the log that stalls costs lines, which are counted and reported, and never a worker's time. Home-made where
// a logging library would do, because those allocate and write(2) once a line.
//
// append() for any thread; the rest for the thread that made it.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "telemetry/line_writer.h"

namespace holdfast::telemetry {

class Sink {
 public:
  // Writes to `descriptor`, which stays the caller's. Holds at most `capacity` bytes that are not written
  // yet.
  explicit Sink(int descriptor, Format format = Format::kJson, std::size_t capacity = std::size_t{4} << 20);
  // flush(), then ends the thread.
  ~Sink();
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  // Takes one whole line, or drops it and counts.
  void append(std::string_view line);
  // Waits until what was appended before is written, but not longer than `patience`: a reader that has
  // stalled must not keep the process from ending.
  void flush(std::chrono::milliseconds patience = std::chrono::seconds(2));

  [[nodiscard]] std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  void run();
  bool write_all(std::string_view bytes);
  void report_drops(std::string& into);

  const int descriptor_;
  const Format format_;  // of the line that tells how many were dropped
  const std::size_t capacity_;
  std::mutex mutex_;
  std::condition_variable wake_;     // the writer: there is something, or the end
  std::condition_variable written_;  // flush(): the writer has caught up
  std::string pending_;              // guarded by mutex_
  bool busy_ = false;                // guarded: the writer holds bytes of its own
  std::atomic<bool> ending_{false};
  std::atomic<std::uint64_t> dropped_{0};
  std::uint64_t reported_ = 0;  // the writer's
  std::thread thread_;
};

}  // namespace holdfast::telemetry
