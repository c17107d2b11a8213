#include "cli/explain.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <iterator>
#include <utility>

#include "cli/command_line.h"
#include "cli/configuration_file.h"
#include "cli/file.h"
#include "jose/jwk_set.h"

namespace holdfast::cli {
namespace {

constexpr std::size_t kMaxCertificate = 1024 * 1024;

int fail(const std::string& why, int code) {
  std::fprintf(stderr, "holdfast explain: %s\n", why.c_str());
  return code;
}

std::expected<std::string, std::string> read_input(const std::string& name) {
  if (name != "-") return read_file(name, kMaxRequestText + 1);
  std::string text;
  std::istreambuf_iterator<char> in(std::cin);
  for (; in != std::istreambuf_iterator<char>() && text.size() <= kMaxRequestText; ++in) text += *in;
  return text;
}

std::string_view sign(Rung::State state) {
  switch (state) {
    case Rung::State::kPassed:
      return "✓";
    case Rung::State::kFailed:
      return "✗";
    case Rung::State::kNotEvaluated:
      break;
  }
  return "·";
}

void print(const Explanation& explanation) {
  std::printf("%s\n", explanation.verdict.c_str());
  if (!explanation.about.empty()) std::printf("%s\n", explanation.about.c_str());
  std::size_t width = 0;
  for (const Rung& rung : explanation.rungs) width = std::max(width, rung.name.size());
  for (const Rung& rung : explanation.rungs) {
    std::string line =
        std::string(sign(rung.state)) + ' ' + rung.name + std::string(width - rung.name.size(), ' ');
    line += "  " +
            (rung.state == Rung::State::kNotEvaluated && rung.words.empty() ? "not evaluated" : rung.words);
    if (!rung.mend.empty()) line += " → " + rung.mend;
    std::printf("%s\n", line.c_str());
  }
}

int show(const Explanation& explanation) {
  print(explanation);
  return explanation.allowed ? kDone : kDenied;
}

int explain_rehearsed(const std::filesystem::path& file, const ExplainOptions& options,
                      const Explain& judge) {
  ExplainInput input;
  input.listener = options.listener;
  input.peer = options.peer;
  input.now = std::chrono::floor<Millis>(std::chrono::system_clock::now());
  if (options.now) {
    const auto given = read_time(*options.now);
    if (!given) return fail("--now is neither seconds since 1970 nor like 2026-11-25T18:00:00Z", kUsage);
    input.now = *given;
  }
  const settings::Loaded loaded = read_configuration(file);
  if (!loaded.settings) {
    print_problems(loaded, file);
    return kInvalid;
  }
  const auto text = read_input(*options.request);
  if (!text) return fail(*options.request + ": " + text.error(), kUsage);
  auto request = read_request(*text);
  if (!request) return fail("the request: " + request.error(), kUsage);
  input.request = *std::move(request);
  if (options.jwks) {
    auto keys = read_file(*options.jwks, jose::kMaxJwkSetSize);
    if (!keys) return fail(options.jwks->string() + ": " + keys.error(), kUsage);
    input.jwks = *std::move(keys);
  }
  if (options.client_certificate) {
    auto chain = read_file(*options.client_certificate, kMaxCertificate);
    if (!chain) return fail(options.client_certificate->string() + ": " + chain.error(), kUsage);
    input.client_certificate = *std::move(chain);
  }
  try {
    return show(judge(*loaded.settings, input));
  } catch (const BadOption& bad) {
    return fail(bad.what(), kUsage);
  }
}

int explain_remembered(const std::filesystem::path& file, const std::string& id, const Recall& recall) {
  const settings::Loaded loaded = read_configuration(file);
  if (!loaded.settings) {
    print_problems(loaded, file);
    return kInvalid;
  }
  const auto explanation = recall(*loaded.settings, id);
  if (!explanation) return fail(explanation.error().words, explanation.error().code);
  return show(*explanation);
}

}  // namespace

std::optional<UnixTime> read_time(const std::string& text) {
  long long number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  constexpr long long kLast = 253'402'300'799;  // of the year 9999
  if (parsed.ec == std::errc() && parsed.ptr == text.data() + text.size() && number >= 0 && number <= kLast)
    return UnixTime(std::chrono::seconds(number));
  int year = 0;
  unsigned month = 0, day = 0, hour = 0, minute = 0, second = 0;
  int end = -1;
  std::sscanf(text.c_str(), "%4d-%2u-%2uT%2u:%2u:%2uZ%n", &year, &month, &day, &hour, &minute, &second, &end);
  if (end != static_cast<int>(text.size()) || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                         std::chrono::day(day)};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
         std::chrono::seconds(second);
}

int explain(const std::filesystem::path& file, const ExplainOptions& options, const Explain& judge,
            const Recall& recall) {
  if (options.id.has_value() == options.request.has_value())
    return fail("--request says what is to be judged, or --id what the running proxy called it", kUsage);
  return options.id ? explain_remembered(file, *options.id, recall) : explain_rehearsed(file, options, judge);
}

}  // namespace holdfast::cli
