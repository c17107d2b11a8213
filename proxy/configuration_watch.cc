#include "configuration_watch.h"

#include <boost/asio/post.hpp>
#include <optional>
#include <string>
#include <utility>

#include "cli/file.h"
#include "settings/node.h"

namespace holdfast {
namespace {

std::vector<std::filesystem::path> files_of(const settings::Settings& settings) {
  std::vector<std::filesystem::path> files{settings.file};
  const auto add = [&](const std::optional<std::filesystem::path>& file) {
    if (file) files.push_back(*file);
  };
  add(settings.dpop.nonce.secret_file);
  for (const settings::Issuer& issuer : settings.issuers) {
    add(issuer.introspection.client_secret_file);
    add(issuer.introspection.key_file);
  }
  if (settings.admin) add(settings.admin->token_file);
  if (settings.assertion) {
    add(settings.assertion->key);
    add(settings.assertion->previous_key);
  }
  for (const settings::Upstream& upstream : settings.upstreams) {
    add(upstream.tls.ca);
    add(upstream.tls.certificate);
    add(upstream.tls.key);
  }
  return files;
}

// A file that is not there has contents of its own: it was removed, or is there again.
crypto::Digest256 digest_of(const std::vector<std::filesystem::path>& files) {
  std::string all;
  for (const std::filesystem::path& file : files) {
    const auto contents = cli::read_file(file, settings::kMaxFileBytes + 1);
    all += crypto::as_text(crypto::sha256(contents ? "+" + *contents : "-"));
  }
  return crypto::sha256(all);
}

}  // namespace

ConfigurationWatch::ConfigurationWatch(boost::asio::io_context& control, net::FileWatch::Timing timing,
                                       std::function<void()> changed)
    : control_(control), changed_(std::move(changed)), watch_(control, timing, [this] { look(); }) {}

void ConfigurationWatch::begin_reading(const std::filesystem::path& file) {
  read_ = digest_of({file});
}

void ConfigurationWatch::keep(const settings::Settings& settings) {
  files_ = settings.reload.watch ? files_of(settings) : std::vector<std::filesystem::path>();
  known_ = digest_of(files_);
  watch_.watch(files_);
  if (files_.empty() || !read_ || *read_ == digest_of({settings.file})) return;
  // Written while new issuers and names were waited for: nobody will say so again.
  known_ = {};
  boost::asio::post(control_, [this] { look(); });
}

// Contents that a reload refused are tried once, not every time that something near them moves.
void ConfigurationWatch::look() {
  const crypto::Digest256 now = digest_of(files_);
  if (now == known_) return;
  known_ = now;
  changed_();
}

}  // namespace holdfast
