// A machine for the tests: variables and files as they say, nothing of the real one.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "crypto/private_key.h"
#include "settings/load.h"

namespace holdfast::settings {

// Certificates: one that may sign others, and one that may not.
inline constexpr std::string_view kAuthority =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBdjCCARugAwIBAgIUEzTcOKgPxqmygjxMClWU73pXS38wCgYIKoZIzj0EAwIw\n"
    "DzENMAsGA1UEAwwEdGVzdDAgFw0yNjExMjMwNTA4NDhaGA8yMTI2MTAzMDA1MDg0\n"
    "OFowDzENMAsGA1UEAwwEdGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABO8h\n"
    "URX/vNlDCCjtzn85dspoFPULZEEcgHOIJ+S3+1RAReyfqCiXgDSxu6iafQ0HEclO\n"
    "sneeWt6WfBKAwn5T8uyjUzBRMB0GA1UdDgQWBBS/St4OAPtPaoCrEPdvZEvMsQww\n"
    "oDAfBgNVHSMEGDAWgBS/St4OAPtPaoCrEPdvZEvMsQwwoDAPBgNVHRMBAf8EBTAD\n"
    "AQH/MAoGCCqGSM49BAMCA0kAMEYCIQC7dSI40Yn+R9oqQNVKsfCaz/9MFYMT3u9v\n"
    "wXaKiLwDzAIhALPhioAxiiWextS667jGLdKgaNxoJUEcmRCzjCfjd8BZ\n"
    "-----END CERTIFICATE-----\n";
inline constexpr std::string_view kLeaf =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBbzCCARWgAwIBAgIUD8rQueRJSbpa6d7ysKXG6PgAwWcwCgYIKoZIzj0EAwIw\n"
    "DzENMAsGA1UEAwwEbGVhZjAgFw0yNjExMjMwNTA4NDhaGA8yMTI2MTAzMDA1MDg0\n"
    "OFowDzENMAsGA1UEAwwEbGVhZjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABESo\n"
    "lWmnkciz55YAd4pDaWWomoEaT+gvR/C5kLhED6CSeiXJJsZfeaSfzo7REOGJ6KgS\n"
    "G1cOqnVniL/5aVthpM2jTTBLMB0GA1UdDgQWBBTlmH2WtPz5JJQ/W40ciK+AxPwW\n"
    "wDAfBgNVHSMEGDAWgBTlmH2WtPz5JJQ/W40ciK+AxPwWwDAJBgNVHRMEAjAAMAoG\n"
    "CCqGSM49BAMCA0gAMEUCIGA0GAQ1K0AGGGU2ohlClL6CV+0gT4u5kXrxmGNpLHBf\n"
    "AiEApnaOz/aoH7i5pDRd6KZbvWUiVTAVseeR0TyPlxgqos8=\n"
    "-----END CERTIFICATE-----\n";

inline std::string key_in_pem(crypto::SignatureAlgorithm algorithm) {
  return std::string(crypto::PrivateKey::generate(algorithm)->to_pem()->reveal());
}

// Every file is there but those with "absent" in their name; "open" ones can be read by others, "closed" ones
// by nobody. "p256...", "assertion...", "client.pem" and "p384..." hold a private key, "secret" ones a line,
// the others certificates, with one authority's among them but for "leaf" and "junk" ones.
inline World a_machine(std::map<std::string, std::string, std::less<>> variables = {}) {
  return {[variables](std::string_view name) -> std::optional<std::string> {
            const auto at = variables.find(name);
            return at == variables.end() ? std::nullopt : std::optional<std::string>(at->second);
          },
          [](const std::filesystem::path& path) {
            const std::string name = path.filename().string();
            if (name.contains("absent")) return FileState::kMissing;
            if (name.contains("closed")) return FileState::kUnreadable;
            return name.contains("open") ? FileState::kReadableByOthers : FileState::kPrivate;
          },
          [](const std::filesystem::path& path) -> std::optional<std::string> {
            const std::string name = path.filename().string();
            if (name.contains("absent") || name.contains("closed") || name.contains("huge"))
              return std::nullopt;
            if (name.contains("secret")) return std::string("s3cret\n");
            if (name.contains("leaf")) return std::string(kLeaf);
            if (name.starts_with("p256") || name.starts_with("assertion") || name == "client.pem")
              return key_in_pem(crypto::SignatureAlgorithm::kEcdsaP256Sha256);
            if (name.starts_with("p384")) return key_in_pem(crypto::SignatureAlgorithm::kEcdsaP384Sha384);
            return name.contains("junk") ? std::string("junk") : std::string(kLeaf) + std::string(kAuthority);
          }};
}

inline std::string lines_of(const std::vector<Problem>& problems) {
  std::string out;
  for (const Problem& problem : problems) out += to_string(problem, "").substr(1) + '\n';
  return out;
}

}  // namespace holdfast::settings
