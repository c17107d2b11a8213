#include "certificate_keeper.h"

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <map>
#include <string_view>
#include <utility>

namespace holdfast {
namespace {

constexpr std::chrono::hours kWarnBefore{14 * 24};

std::vector<std::filesystem::path> files_of(const net::TlsServerConfig& config) {
  std::vector<std::filesystem::path> files;
  for (const net::TlsServerConfig::Certificate& pair : config.certificates) {
    files.emplace_back(pair.certificate);
    files.emplace_back(pair.key);
  }
  if (config.client_auth != net::ClientAuth::kNone) files.emplace_back(config.client_ca);
  return files;
}

}  // namespace

CertificateKeeper::CertificateKeeper(net::Worker& control, pipeline::EventLog& log, Timing timing,
                                     Replace replace)
    : log_(log),
      timing_(timing),
      replace_(std::move(replace)),
      watch_(control.io(), timing.files, [this] { look_at_files(); }),
      rotate_tickets_(control.wheel(), *this, kRotateTickets),
      expiry_(control.wheel(), *this, kLookAtExpiry) {
  rotate_tickets_.arm(timing_.rotate_tickets);
}

void CertificateKeeper::keep(std::vector<ListenerConfig> listeners) {
  kept_.clear();
  std::vector<std::filesystem::path> files;
  for (ListenerConfig& config : listeners) {
    if (config->tls == nullptr) continue;
    std::ranges::move(files_of(config->tls->config()), std::back_inserter(files));
    kept_.push_back({std::move(config)});
  }
  watch_.watch(std::move(files));
  if (!kept_.empty() && !watch_.notified()) {
    log_.event(pipeline::Level::kWarn, "certificates_polled",
               {{"detail", "changed certificates are found within a minute: inotify watches are used up"}});
  }
  on_deadline(kLookAtExpiry);
  // What changed since those contexts were made, nobody will say again.
  look_at_files();
}

void CertificateKeeper::stop() {
  watch_.stop();
  rotate_tickets_.cancel();
  expiry_.cancel();
}

void CertificateKeeper::on_deadline(int which) {
  if (which == kRotateTickets) {
    ticket_keys_->rotate();
    return rotate_tickets_.arm(timing_.rotate_tickets);
  }
  for (const Kept& kept : kept_) look_at_expiry(*kept.config->tls);
  expiry_.arm(timing_.look_at_expiry);
}

void CertificateKeeper::look_at_files() {
  for (Kept& kept : kept_) {
    const net::TlsServerContext& now = *kept.config->tls;
    if (net::TlsServerContext::files_digest(now.config()) != now.files_digest()) renew(kept);
  }
}

// A new certificate without its key is what a file by file renewal looks like in the middle: the old pair
// serves on until both are there.
void CertificateKeeper::renew(Kept& kept) {
  const net::TlsServerConfig& config = kept.config->tls->config();
  const crypto::Digest256 held = net::TlsServerContext::files_digest(config);
  auto made = net::TlsServerContext::create(config);
  if (!made) {
    if (std::exchange(kept.refused, held) == held) return;
    return log_.event(pipeline::Level::kError, "certificate_not_replaced",
                      {{"listener", kept.config->name}, {"error", made.error()}});
  }
  auto replaced = std::make_shared<listener::Config>(*kept.config);
  replaced->tls = std::move(*made);
  kept.config = std::move(replaced);
  kept.refused = {};
  replace_(kept.config);
  log_.event(pipeline::Level::kInfo, "certificate_replaced", {{"listener", kept.config->name}});
  look_at_expiry(*kept.config->tls);
}

void CertificateKeeper::look_at_expiry(const net::TlsServerContext& context) {
  const auto now = std::chrono::system_clock::now();
  for (const net::TlsServerContext::CertificateFacts& facts : context.certificates()) {
    const auto left = std::chrono::system_clock::from_time_t(facts.not_after) - now;
    if (left > kWarnBefore) continue;
    const bool over = left <= left.zero();
    const std::string days = std::to_string(std::chrono::floor<std::chrono::days>(left).count());
    log_.event(over ? pipeline::Level::kError : pipeline::Level::kWarn,
               over ? "certificate_expired" : "certificate_expires_soon",
               {{"certificate", facts.path}, {"days_left", days}});
  }
}

void CertificateKeeper::write(telemetry::Exposition& out) const {
  std::map<std::string_view, std::time_t> expiry;  // several listeners may serve one file
  for (const Kept& kept : kept_) {
    for (const net::TlsServerContext::CertificateFacts& facts : kept.config->tls->certificates()) {
      const auto [at, fresh] = expiry.emplace(facts.path, facts.not_after);
      if (!fresh) at->second = std::min(at->second, facts.not_after);
    }
  }
  if (expiry.empty()) return;
  out.family("holdfast_tls_certificate_expiry_timestamp_seconds", "gauge",
             "When a certificate that is served runs out.");
  for (const auto& [path, at] : expiry) {
    out.sample({{"certificate", path}}, static_cast<std::uint64_t>(std::max<std::time_t>(at, 0)));
  }
}

}  // namespace holdfast
