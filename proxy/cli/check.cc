#include "cli/check.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>

#include "cli/command_line.h"
#include "cli/configuration_file.h"
#include "settings/replay_rate.h"

namespace holdfast::cli {
namespace {

namespace json = boost::json;

struct Outcome {
  settings::Loaded loaded;
  std::optional<settings::ReplayRate> rate;
  std::optional<std::vector<Reached>> reached;  // nullopt: nobody asked, or there was nothing to go by
  int code = kDone;
};

json::object located(const settings::Problem& problem, const std::filesystem::path& file) {
  return {{"file", file.string()},
          {"line", problem.mark.line},
          {"column", problem.mark.column},
          {"path", problem.path}};
}

json::array list(const std::vector<settings::Problem>& problems, const std::filesystem::path& file) {
  json::array out;
  for (const settings::Problem& problem : problems) {
    json::object entry = located(problem, file);
    entry["message"] = problem.message;
    out.push_back(std::move(entry));
  }
  return out;
}

void print_json(const Outcome& outcome, const std::filesystem::path& file) {
  json::object out{{"valid", outcome.code != kInvalid},
                   {"errors", list(outcome.loaded.errors, file)},
                   {"warnings", list(outcome.loaded.warnings, file)}};
  if (outcome.rate) {
    out["replay"] = json::object{{"capacity", outcome.rate->capacity},
                                 {"kept_seconds", outcome.rate->kept.count()},
                                 {"per_second", outcome.rate->per_second},
                                 {"per_second_of_one_key", outcome.rate->per_second_of_one_key}};
  }
  if (outcome.reached) {
    json::array online;
    for (const Reached& each : *outcome.reached) {
      json::object entry = located(outcome.loaded.at(each.path, ""), file);
      entry["target"] = each.target;
      entry["reached"] = each.reached;
      entry["detail"] = each.detail;
      online.push_back(std::move(entry));
    }
    out["online"] = std::move(online);
  }
  std::printf("%s\n", json::serialize(out).c_str());
}

void print_words(const Outcome& outcome, const std::filesystem::path& file) {
  print_problems(outcome.loaded, file);
  for (const Reached& each : outcome.reached.value_or(std::vector<Reached>())) {
    const std::string words =
        (each.reached ? "reached " : "not reached: ") + each.target + ": " + each.detail;
    std::fprintf(stderr, "%s\n", to_string(outcome.loaded.at(each.path, words), file.string()).c_str());
  }
  if (outcome.code == kInvalid) return;
  std::fprintf(stderr, "%s: valid\n", file.c_str());
  if (!outcome.rate) return;
  const auto words = [](std::size_t rate) { return rate == 0 ? "less than 1" : std::to_string(rate); };
  std::fprintf(
      stderr,
      "the replay store holds %zu proofs, each for %lld s: it sustains %s requests a second, %s of one "
      "client key\n",
      outcome.rate->capacity, static_cast<long long>(outcome.rate->kept.count()),
      words(outcome.rate->per_second).c_str(), words(outcome.rate->per_second_of_one_key).c_str());
}

}  // namespace

int check(const std::filesystem::path& file, const CheckOptions& options, const TryOut& try_out,
          const Reach& reach) {
  Outcome outcome;
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  outcome.loaded = read_configuration(file, nullptr, now);
  if (outcome.loaded.settings) {
    for (const Unusable& each : try_out(*outcome.loaded.settings))
      outcome.loaded.errors.push_back(outcome.loaded.at(each.path, "cannot be used: " + each.why));
    if (!outcome.loaded.errors.empty()) outcome.loaded.settings.reset();
  }
  const bool valid = outcome.loaded.settings && !(options.strict && !outcome.loaded.warnings.empty());
  if (outcome.loaded.settings) {
    outcome.rate = settings::replay_rate(*outcome.loaded.settings);
    if (options.online) outcome.reached = reach(*outcome.loaded.settings);
  }
  if (!valid) {
    outcome.code = kInvalid;
  } else if (outcome.reached && !std::ranges::all_of(*outcome.reached, &Reached::reached)) {
    outcome.code = kUnreachable;
  }
  options.json ? print_json(outcome, file) : print_words(outcome, file);
  return outcome.code;
}

}  // namespace holdfast::cli
