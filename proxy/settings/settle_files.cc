#include "settings/settle_files.h"

#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>

#include "base/secret.h"
#include "crypto/certificate.h"
#include "crypto/private_key.h"
#include "settings/secret_files.h"
#include "token/introspection_request.h"

namespace holdfast::settings {
namespace {

std::string day_and_time(std::chrono::sys_seconds time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u %02d:%02d:%02d UTC", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return text;
}

constexpr std::string_view kCertificateLabel = "-----BEGIN CERTIFICATE-----";
constexpr std::string_view kKeyLabel = " PRIVATE KEY-----";  // of every kind (RFC 7468 10, 11)

// The two files are easily swapped.
std::string no_chain(std::string_view text) {
  const bool key = text.contains(kKeyLabel) && !text.contains(kCertificateLabel);
  return key ? "holds a private key, and no certificate chain in PEM" : "holds no certificate chain in PEM";
}
std::string no_key(std::string_view text) {
  const bool chain = text.contains(kCertificateLabel) && !text.contains(kKeyLabel);
  return chain ? "holds a certificate, and no private key in PEM"
               : "holds no unencrypted private key in PEM form";
}

struct Settling {
  const std::filesystem::path folder;
  const World& world;
  Report& report;

  void file(std::filesystem::path& path, const std::string& place, bool secret) {
    if (path.empty()) return;  // was refused before
    const std::string named = path.string();
    path = (folder / path).lexically_normal();
    switch (world.file(path)) {
      case FileState::kMissing:
        report.error_at(place, "no such file: " + shown(place, named));
        break;
      case FileState::kFolder:
        report.error_at(place, "is a directory: " + shown(place, named));
        break;
      case FileState::kUnreadable:
        report.error_at(place, "cannot be read by this user: " + shown(place, named));
        break;
      case FileState::kReadableByOthers:
        if (secret)
          report.warning_at(place, "can be read by every user of this machine: " + shown(place, named));
        break;
      case FileState::kPrivate:
      case FileState::kNotLookedAt:
        break;
    }
  }
  // `flaw_of` says of the file's text what is wrong with it, without quoting it; empty: nothing.
  template <class FlawOf>
  void contents(std::filesystem::path& path, const std::string& place, bool secret, FlawOf flaw_of) {
    if (path.empty()) return;
    const std::string named = path.string();
    file(path, place, secret);
    if (!readable(path)) return;
    const Secret text(world.contents(path).value_or(""));
    if (const std::string flaw = flaw_of(text.reveal()); !flaw.empty())
      report.error_at(place, flaw + ": " + shown(place, named));
  }
  // A private key on P-256, as ES256 needs it (RFC 7518 3.4).
  void signing_key(std::filesystem::path& path, const std::string& place) {
    contents(path, place, true, [](std::string_view text) -> std::string {
      const auto key = crypto::PrivateKey::from_pem(text);
      if (!key) return "holds " + key.error();
      if (key->public_key().type() == crypto::KeyType::kP256) return "";
      return "holds a key that does not fit ES256; `holdfast keygen` makes one";
    });
  }
  // A private key of any type that signs.
  void private_key(std::filesystem::path& path, const std::string& place) {
    contents(path, place, true, [](std::string_view text) -> std::string {
      const auto key = crypto::PrivateKey::from_pem(text);
      return key ? "" : "holds " + key.error();
    });
  }
  // What `secret_of` makes of the text is not looked at, only what it has against it.
  template <class SecretOf>
  void secret(std::filesystem::path& path, const std::string& place, SecretOf secret_of) {
    contents(path, place, true, [secret_of](std::string_view text) -> std::string {
      const auto secret = secret_of(text);
      return secret ? "" : secret.error();
    });
  }
  // A file of certificates, of which one at least may sign others where `signing`.
  void authorities(std::filesystem::path& path, const std::string& place, bool signing) {
    contents(path, place, false, [signing](std::string_view text) -> std::string {
      const auto bundle = crypto::read_bundle(text);
      if (bundle && (signing ? bundle->authorities : bundle->certificates) > 0) return "";
      return "holds no " + std::string(signing ? "CA " : "") + "certificate in PEM";
    });
  }
  // What a server or a client shows, and the key that proves it its own.
  void pair(std::filesystem::path& certificate, std::filesystem::path& key, const std::string& path) {
    const std::string named_certificate = certificate.string();
    const std::string named_key = key.string();
    file(certificate, path + ".certificate", false);
    file(key, path + ".key", true);
    std::string chain;
    if (!certificate.empty() && readable(certificate)) {
      chain = world.contents(certificate).value_or("");
      const auto validity = crypto::validity_of_chain(chain);
      check_validity(validity, path + ".certificate", named_certificate, chain);
      if (!validity) chain.clear();
    }
    if (key.empty() || !readable(key)) return;
    const Secret text(world.contents(key).value_or(""));
    switch (crypto::fit_of_key(text.reveal(), chain)) {
      case crypto::KeyFit::kNoKey:
        return report.error_at(path + ".key", no_key(text.reveal()) + ": " + shown(path + ".key", named_key));
      case crypto::KeyFit::kOfAnother:
        if (!chain.empty()) {
          report.error_at(path + ".key", "is not the key of the certificate in " +
                                             shown(path + ".certificate", named_certificate) + ": " +
                                             shown(path + ".key", named_key));
        }
        return;
      case crypto::KeyFit::kFits:
        return;
    }
  }
  void check_validity(const std::optional<crypto::Validity>& validity, const std::string& place,
                      const std::string& named, std::string_view text) {
    const std::string file = ": " + shown(place, named);
    if (!validity) {
      report.error_at(place, no_chain(text) + file);
    } else if (world.now && *world.now >= validity->until) {
      report.error_at(place, "expired on " + day_and_time(validity->until) + file);
    } else if (world.now && *world.now < validity->from) {
      report.error_at(place, "is not valid before " + day_and_time(validity->from) + file);
    }
  }
  [[nodiscard]] bool readable(const std::filesystem::path& path) const {
    const FileState state = world.file(path);
    return state == FileState::kPrivate || state == FileState::kReadableByOthers;
  }
  void file(std::optional<std::filesystem::path>& path, const std::string& place, bool secret) {
    if (path) file(*path, place, secret);
  }
  // as the file writes it, or the default that the file does not write
  [[nodiscard]] std::string shown(const std::string& place, const std::string& named) const {
    const std::string written = report.shown(place);
    return written == "the default"
               ? '"' + named + "\" beside this file, the default where there are no listeners"
               : written;
  }
};

}  // namespace

void settle_files(Settings& settings, const World& world, Report& report) {
  Settling settle{settings.file.parent_path(), world, report};
  for (std::size_t i = 0; i < settings.listeners.size(); ++i) {
    if (!settings.listeners[i].tls) continue;
    auto& pairs = settings.listeners[i].tls->certificates;
    for (std::size_t j = 0; j < pairs.size(); ++j) {
      settle.pair(pairs[j].certificate, pairs[j].key, item(item("listeners", i) + ".tls.certificates", j));
    }
    if (auto& authorities = settings.listeners[i].tls->client_ca)
      settle.authorities(*authorities, item("listeners", i) + ".tls.client_ca", true);
  }
  for (std::size_t i = 0; i < settings.issuers.size(); ++i) {
    Issuer& issuer = settings.issuers[i];
    const std::string path = item("issuers", i);
    if (issuer.ca) settle.authorities(*issuer.ca, path + ".ca", false);
    if (auto& secret = issuer.introspection.client_secret_file)
      settle.secret(*secret, path + ".introspection.client_secret_file", token::client_secret_of);
    if (auto& key = issuer.introspection.key_file) settle.private_key(*key, path + ".introspection.key_file");
  }
  if (settings.admin) {
    if (auto& token = settings.admin->token_file) settle.secret(*token, "admin.token_file", admin_token_of);
    if (settings.admin->socket)
      *settings.admin->socket = (settle.folder / *settings.admin->socket).lexically_normal();
  }
  if (auto& secret = settings.dpop.nonce.secret_file)
    settle.secret(*secret, "dpop.nonce.secret_file", nonce_secrets_of);
  if (settings.assertion) {
    settle.signing_key(settings.assertion->key, "identity.assertion.key");
    if (settings.assertion->previous_key)
      settle.signing_key(*settings.assertion->previous_key, "identity.assertion.previous_key");
  }
  for (std::size_t i = 0; i < settings.upstreams.size(); ++i) {
    UpstreamTls& tls = settings.upstreams[i].tls;
    const std::string path = item("upstreams", i) + ".tls";
    if (tls.ca) settle.authorities(*tls.ca, path + ".ca", false);
    if (tls.certificate && tls.key) {
      settle.pair(*tls.certificate, *tls.key, path);
    } else {
      settle.file(tls.certificate, path + ".certificate", false);
      settle.file(tls.key, path + ".key", true);
    }
  }
}

}  // namespace holdfast::settings
