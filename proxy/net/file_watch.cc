#include "net/file_watch.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <set>
#include <system_error>
#include <utility>

namespace holdfast::net {

namespace {

namespace fs = std::filesystem;

constexpr int kMostLinks = 16;
constexpr std::uint32_t kEvents = IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE |
                                  IN_DELETE_SELF | IN_MOVE_SELF | IN_ATTRIB | IN_ONLYDIR;

// The folders in which something would have to change for `file` to be another: those of the path itself and
// of every symbolic link on the way to it.
void add_folders(const fs::path& file, std::set<fs::path>& folders) {
  fs::path at = fs::absolute(file).lexically_normal();
  for (int i = 0; i < kMostLinks; ++i) {
    folders.insert(at.parent_path());
    std::error_code error;
    // The first component that is a link decides what comes next.
    fs::path so_far;
    bool followed = false;
    for (auto part = at.begin(); part != at.end(); ++part) {
      so_far /= *part;
      if (!fs::is_symlink(so_far, error)) continue;
      folders.insert(so_far.parent_path());
      fs::path next = so_far.parent_path() / fs::read_symlink(so_far, error);
      if (error) return;
      for (++part; part != at.end(); ++part) next /= *part;
      at = next.lexically_normal();
      followed = true;
      break;
    }
    if (!followed) return;
  }
}

}  // namespace

FileWatch::FileWatch(boost::asio::io_context& io, Timing timing, std::function<void()> maybe_changed)
    : io_(io), timing_(timing), maybe_changed_(std::move(maybe_changed)), timer_(io) {}

FileWatch::~FileWatch() {
  stop();
}

void FileWatch::watch(std::vector<fs::path> files) {
  stop();
  files_ = std::move(files);
  if (files_.empty()) return;
  alive_ = std::make_shared<char>();
  look_again();
  wait_until(Clock::now() + timing_.poll);
}

void FileWatch::stop() {
  alive_.reset();
  events_.reset();
  timer_.cancel();
  first_event_.reset();
  files_.clear();
}

// The folders may be others by now. A fresh descriptor, since old watches would stay on folders that nobody
// asks for any more.
void FileWatch::look_again() {
  events_.reset();
  notified_ = false;
  Descriptor made(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!made) return;
  std::set<fs::path> folders;
  for (const fs::path& file : files_) add_folders(file, folders);
  notified_ = std::ranges::all_of(folders, [&](const fs::path& folder) {
    // A folder that is not there yet is found by a later poll.
    return ::inotify_add_watch(made.fd(), folder.c_str(), kEvents) >= 0 || errno == ENOENT;
  });
  events_.emplace(io_, made.release());
  wait_for_event();
}

void FileWatch::wait_for_event() {
  events_->async_wait(Events::wait_read,
                      [this, alive = std::weak_ptr<char>(alive_)](boost::system::error_code error) {
                        if (!error && !alive.expired()) on_event();
                      });
}

void FileWatch::on_event() {
  alignas(inotify_event) std::array<char, 4096> dropped;
  bool any = false;
  while (::read(events_->native_handle(), dropped.data(), dropped.size()) > 0) any = true;
  wait_for_event();
  if (!any) return;
  const auto now = Clock::now();
  if (!first_event_) first_event_ = now;
  wait_until(std::min(now + timing_.quiet, *first_event_ + timing_.at_most));
}

void FileWatch::wait_until(Clock::time_point when) {
  timer_.expires_at(when);
  timer_.async_wait([this, alive = std::weak_ptr<char>(alive_)](boost::system::error_code error) {
    if (error || alive.expired()) return;
    first_event_.reset();
    // Before the caller reads: a change that comes after that is an event again.
    look_again();
    wait_until(Clock::now() + timing_.poll);
    maybe_changed_();
  });
}

}  // namespace holdfast::net
