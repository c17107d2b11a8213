#include "settings/suggest.h"

#include <algorithm>
#include <vector>

#include "base/ascii.h"

namespace holdfast::settings {
namespace {

constexpr std::size_t kLongestWord =
    40;  // the distance costs the product of both lengths, and the file is untrusted

constexpr std::size_t kMostWords = 1'000;  // a file may name as many as it likes

std::string folded(std::string_view word) {
  std::string out;
  for (const char c : word) {
    if (c != '-' && c != '_') out += ascii_lower(c);
  }
  return out;
}

// Optimal string alignment.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> cost(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) cost[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) cost[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      cost[i][j] = std::min(
          {cost[i - 1][j] + 1, cost[i][j - 1] + 1, cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0U : 1U)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
      }
    }
  }
  return cost[a.size()][b.size()];
}

// `cert` of `certificate`, `secret` of `secret_file`, `key_path` of `key`: the shortest of those.
std::optional<std::string> longer_or_shorter(std::string_view lean, std::span<const std::string> known) {
  constexpr std::size_t kShortest = 3;
  std::optional<std::string> best;
  for (const std::string& candidate : known.first(std::min(known.size(), kMostWords))) {
    if (candidate.size() > kLongestWord) continue;
    const std::string other = folded(candidate);
    if (std::min(lean.size(), other.size()) < kShortest) continue;
    if ((other.starts_with(lean) || lean.starts_with(other)) && (!best || candidate.size() < best->size()))
      best = candidate;
  }
  return best;
}

}  // namespace

std::optional<std::string> nearest(std::string_view word, std::span<const std::string> known) {
  if (word.empty() || word.size() > kLongestWord) return std::nullopt;
  const std::string lean = folded(word);
  std::optional<std::string> best;
  std::size_t best_distance = std::min<std::size_t>(3, std::max<std::size_t>(1, word.size() / 3)) + 1;
  for (const std::string& candidate : known.first(std::min(known.size(), kMostWords))) {
    if (candidate.size() > kLongestWord) continue;
    const std::string lean_candidate = folded(candidate);
    const std::size_t d = lean == lean_candidate ? 0 : distance(lean, lean_candidate);
    if (d < best_distance) {
      best = candidate;
      best_distance = d;
    }
  }
  return best ? best : longer_or_shorter(lean, known);
}

std::string did_you_mean(std::string_view word, std::span<const std::string> known) {
  const auto meant = nearest(word, known);
  return meant ? "; did you mean \"" + *meant + "\"?" : std::string();
}

}  // namespace holdfast::settings
