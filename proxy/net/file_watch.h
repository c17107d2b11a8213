// Says when files may have changed: by inotify(7) on their folders, so that a file that is replaced, or a
// symbolic link on the way to it that is swapped (how Kubernetes renews mounted secrets), is seen as one that
// is written; and now and then unasked, where the file system tells nothing. Whether anything did change is
// for the caller to find out. One thread's, the io_context's.
#pragma once

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/wait_traits.hpp>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "net/socket.h"

namespace holdfast::net {

class FileWatch {
 public:
  struct Timing {
    std::chrono::milliseconds quiet{1'000};     // after the last event: several files change one by one
    std::chrono::milliseconds at_most{10'000};  // after the first one, however many follow
    std::chrono::milliseconds poll{60'000};
  };

  // `maybe_changed` may call watch() and stop(), and may destroy nothing.
  FileWatch(boost::asio::io_context& io, Timing timing, std::function<void()> maybe_changed);
  ~FileWatch();
  FileWatch(const FileWatch&) = delete;
  FileWatch& operator=(const FileWatch&) = delete;

  // These files from now on, instead of any others. None: rests.
  void watch(std::vector<std::filesystem::path> files);
  void stop();
  // False where the system gave no inotify (its instances or watches are used up): polling is all there is.
  [[nodiscard]] bool notified() const { return notified_; }

 private:
  using Clock = std::chrono::steady_clock;
  using Timer = boost::asio::basic_waitable_timer<Clock, boost::asio::wait_traits<Clock>, Executor>;
  using Events = boost::asio::posix::basic_stream_descriptor<Executor>;

  void look_again();
  void wait_for_event();
  void on_event();
  void wait_until(Clock::time_point when);

  boost::asio::io_context& io_;
  const Timing timing_;
  const std::function<void()> maybe_changed_;
  std::vector<std::filesystem::path> files_;
  std::optional<Events> events_;
  Timer timer_;
  std::optional<Clock::time_point> first_event_;  // of those not yet told
  std::shared_ptr<char> alive_;                   // what waits with an older one is nobody's
  bool notified_ = false;
};

}  // namespace holdfast::net
