#include "cli/test.h"

#include <chrono>
#include <cstdio>

#include "cli/command_line.h"
#include "cli/configuration_file.h"
#include "cli/file.h"
#include "settings/node.h"

namespace holdfast::cli {
namespace {

std::string words_of(const Expected& expected) {
  std::string out = expected.decision;
  const auto add = [&out](const std::string& more) { out += (out.empty() ? "" : ", ") + more; };
  if (expected.status) add(std::to_string(*expected.status));
  if (!expected.reason.empty()) add(expected.reason);
  if (!expected.route.empty()) add("route " + expected.route);
  return out;
}

std::string words_of(const Decision& decided) {
  std::string out = decided.decision;
  if (decided.status != 0) out += ", " + std::to_string(decided.status);
  if (decided.reason) out += ", " + std::string(reason_name(*decided.reason));
  if (!decided.route.empty()) out += ", route " + decided.route;
  return decided.detail.empty() ? out : out + ": " + decided.detail;
}

bool agree(const Expected& expected, const Decision& decided) {
  return (expected.decision.empty() || expected.decision == decided.decision) &&
         (expected.reason.empty() || (decided.reason && reason_name(*decided.reason) == expected.reason)) &&
         (!expected.status || *expected.status == decided.status) &&
         (expected.route.empty() || expected.route == decided.route);
}

}  // namespace

int test(const std::filesystem::path& file, const std::filesystem::path& cases_file, const Decide& decide) {
  // Where policies are tried, certificates and secrets are not at hand.
  const settings::Loaded loaded = read_configuration_alone(file);
  if (!loaded.settings) {
    print_problems(loaded, file);
    return kInvalid;
  }
  const auto text = read_file(cases_file, settings::kMaxFileBytes + 1);
  if (!text) {
    std::fprintf(stderr, "holdfast test: %s: %s\n", cases_file.c_str(), text.error().c_str());
    return kUsage;
  }
  const UnixTime now = std::chrono::floor<Millis>(std::chrono::system_clock::now());
  const auto cases = read_cases(*text, now);
  if (!cases) {
    for (const settings::Problem& problem : cases.error())
      std::fprintf(stderr, "%s\n", to_string(problem, cases_file.string()).c_str());
    return kInvalid;
  }
  const std::vector<Decision> decided = decide(*loaded.settings, *cases, now);
  std::size_t same = 0;
  for (std::size_t i = 0; i < cases->size(); ++i) {
    const PolicyCase& each = (*cases)[i];
    if (decided[i].impossible.empty() && agree(each.expected, decided[i])) {
      ++same;
      std::printf("ok      %s\n", each.name.c_str());
      continue;
    }
    std::printf("DIFFERS %s\n        %s:%u:%u: expected %s; %s\n", each.name.c_str(), cases_file.c_str(),
                each.mark.line, each.mark.column, words_of(each.expected).c_str(),
                decided[i].impossible.empty() ? ("decided " + words_of(decided[i])).c_str()
                                              : decided[i].impossible.c_str());
  }
  std::printf("%zu of %zu as expected\n", same, cases->size());
  return same == cases->size() ? kDone : kDenied;
}

}  // namespace holdfast::cli
