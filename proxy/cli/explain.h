// `holdfast explain`: one request judged by a configuration as the running proxy would judge it, or one that
// the running proxy has refused and remembers, printed as the ladder of its checks. How it is judged, and how
// the proxy is asked, is the caller's; here are the reading and the printing.
// Nothing that is printed holds a token, a proof or a nonce.
#pragma once

#include <expected>
#include <filesystem>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "cli/request_text.h"
#include "settings/model.h"

namespace holdfast::cli {

struct ExplainOptions {
  std::optional<std::string> request;  // a file, or "-" for stdin
  std::optional<std::string> id;       // or what the running proxy called it
  std::optional<std::filesystem::path> jwks;
  std::optional<std::string> listener;
  std::string peer = "192.0.2.1";
  std::optional<std::filesystem::path> client_certificate;
  std::optional<std::string> now;
};

struct ExplainInput {
  RequestText request;
  std::optional<std::string> jwks;      // the text of a JWK set, for every issuer; nullopt: keys are fetched
  std::optional<std::string> listener;  // its name; nullopt: the one that the request fits
  std::string peer;
  std::optional<std::string> client_certificate;  // PEM, the chain that the client shows
  UnixTime now;
};

struct Rung {
  enum class State : std::uint8_t { kPassed, kFailed, kNotEvaluated };
  State state = State::kNotEvaluated;
  std::string name;
  std::string words;  // what was compared; empty where it was not evaluated
  std::string mend;   // of the one that failed
};

struct Explanation {
  bool allowed = false;
  std::string verdict;  // "denied: 401 htu_mismatch (listener public, route orders)"
  std::string about;    // which request it was; empty where that was said by who asks
  std::vector<Rung> rungs;
};

// An option that says nothing sensible.
struct BadOption : std::runtime_error {
  using std::runtime_error::runtime_error;
};

using Explain = std::function<Explanation(const settings::Settings&, const ExplainInput&)>;

// Why the running proxy said nothing: an exit code, and a sentence.
struct Unsaid {
  int code = 0;
  std::string words;
};
using Recall =
    std::function<std::expected<Explanation, Unsaid>(const settings::Settings&, std::string_view request_id)>;

// 0 allowed; 5 denied; 2 the request cannot be read, or nobody can be asked; 3 the configuration is invalid;
// 4 the running proxy cannot be reached; 1 it does not remember the request.
[[nodiscard]] int explain(const std::filesystem::path& file, const ExplainOptions& options,
                          const Explain& judge, const Recall& recall);

// Seconds since 1970, or 2026-11-25T18:00:00Z. nullopt: neither.
[[nodiscard]] std::optional<UnixTime> read_time(const std::string& text);

}  // namespace holdfast::cli
