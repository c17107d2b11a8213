// A machine for the tests: variables and files as they say, nothing of the real one.
#pragma once

#include <chrono>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "crypto/private_key.h"
#include "settings/load.h"
#include "support/places.h"

namespace holdfast::settings {

// One of files/: certificates of 2020 to 2120 and their keys, one that expired in 2021, one of 2119.
inline const std::string& test_file(const std::string& name) {
  static std::map<std::string, std::string> known;
  std::string& text = known[name];
  if (text.empty()) {
    std::ifstream in(support::source_folder() / "tests/unit/settings/files" / (name + ".pem"));
    text.assign(std::istreambuf_iterator<char>(in), {});
  }
  return text;
}

inline std::string key_in_pem(crypto::SignatureAlgorithm algorithm) {
  return std::string(crypto::PrivateKey::generate(algorithm)->to_pem()->reveal());
}

// Every file is there but those with "absent" in their name; "open" ones can be read by others, "closed" ones
// by nobody, and "folder" ones are none. "p256...", "assertion...", "client.pem" and "p384..." hold a private
// key, "secret" ones a line, "nonce..." and "token" ones a long one, "leaf...", "expired..." and the like
// what files/ has under that name, "junk..." nothing of use, all others a certificate, an authority's, and
// the key of the first. tests/schema/agreement.py makes the same files.
inline World a_machine(std::map<std::string, std::string, std::less<>> variables = {}) {
  return {[variables](std::string_view name) -> std::optional<std::string> {
            const auto at = variables.find(name);
            return at == variables.end() ? std::nullopt : std::optional<std::string>(at->second);
          },
          [](const std::filesystem::path& path) {
            const std::string name = path.filename().string();
            if (name.contains("absent")) return FileState::kMissing;
            if (name.contains("folder")) return FileState::kFolder;
            if (name.contains("closed")) return FileState::kUnreadable;
            return name.contains("open") ? FileState::kReadableByOthers : FileState::kPrivate;
          },
          [](const std::filesystem::path& path) -> std::optional<std::string> {
            const std::string name = path.filename().string();
            if (name.contains("absent") || name.contains("closed") || name.contains("huge"))
              return std::nullopt;
            if (name.contains("secret")) return std::string("s3cret\n");
            if (name.contains("token") || name.starts_with("nonce")) return std::string(64, 'a') + '\n';
            for (const char* own : {"leaf", "leaf-key", "other-key", "encrypted-key"}) {
              if (name == own + std::string(".pem")) return test_file(own);
            }
            for (const char* own : {"expired", "future"}) {
              if (name.starts_with(own)) return test_file(own) + test_file("leaf-key");
            }
            if (name.starts_with("p256") || name.starts_with("assertion") || name == "client.pem")
              return key_in_pem(crypto::SignatureAlgorithm::kEcdsaP256Sha256);
            if (name.starts_with("p384")) return key_in_pem(crypto::SignatureAlgorithm::kEcdsaP384Sha384);
            if (name.contains("junk")) return "junk";
            return test_file("leaf") + test_file("authority") + test_file("leaf-key");
          },
          std::chrono::sys_days(std::chrono::year(2026) / 6 / 1)};
}

inline std::string lines_of(const std::vector<Problem>& problems) {
  std::string out;
  for (const Problem& problem : problems) out += to_string(problem, "").substr(1) + '\n';
  return out;
}

}  // namespace holdfast::settings
