// reload.watch: says when the configuration, or a file whose contents a reload reads, has other contents than
// those that were last told or served. Folders are watched, so that a renamed file and a swapped link, such
// as that of a mounted config map, are seen, and a second of quiet is waited for (net/file_watch.h).
// Listeners' certificates are not among them: certificate_keeper.h swaps those without a reload. Control
// thread only.
#pragma once

#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <functional>
#include <optional>
#include <vector>

#include "crypto/digest.h"
#include "net/file_watch.h"
#include "settings/model.h"

namespace holdfast {

class ConfigurationWatch {
 public:
  ConfigurationWatch(boost::asio::io_context& control, net::FileWatch::Timing timing,
                     std::function<void()> changed);

  // The file is about to be read: what is written from here on is another change.
  void begin_reading(const std::filesystem::path& file);
  // What is served from now on, as it was read last; watches where it says so.
  void keep(const settings::Settings& settings);
  void stop() { watch_.stop(); }

 private:
  void look();

  boost::asio::io_context& control_;
  const std::function<void()> changed_;
  std::optional<crypto::Digest256> read_;  // the file itself, before it was read
  std::vector<std::filesystem::path> files_;
  crypto::Digest256 known_{};  // what the files held when last looked at
  net::FileWatch watch_;
};

}  // namespace holdfast
