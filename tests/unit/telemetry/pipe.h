// A pipe for tests to write a log into and read it from.
#pragma once

#include <unistd.h>

#include <stdexcept>
#include <string>
#include <string_view>

namespace holdfast::telemetry {

// A pipe that a log writes into.
class Pipe {
 public:
  Pipe() {
    int ends[2];
    if (pipe(ends) != 0) throw std::runtime_error("pipe");
    read_ = ends[0];
    write_ = ends[1];
  }
  ~Pipe() {
    close_write();
    close_read();
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  [[nodiscard]] int write_end() const { return write_; }
  void close_write() {
    if (write_ >= 0) close(write_);
    write_ = -1;
  }
  void close_read() {
    if (read_ >= 0) close(read_);
    read_ = -1;
  }
  // Everything until `word` has come, or until the writing end is closed.
  std::string until(std::string_view word) {
    std::string all;
    char buffer[65536];
    while (all.find(word) == std::string::npos) {
      const ssize_t n = read(read_, buffer, sizeof buffer);
      if (n <= 0) break;
      all.append(buffer, static_cast<std::size_t>(n));
    }
    return all;
  }
  std::string rest() {
    close_write();
    return until("never in a log");
  }

 private:
  int read_ = -1;
  int write_ = -1;
};

}  // namespace holdfast::telemetry
