// Collects everything that is wrong with one file, each with its position, so that an operator mends it in
// one go. Used by the reading of a file only, on its thread.
#pragma once

#include <cstddef>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "settings/node.h"
#include "settings/problem.h"

namespace holdfast::settings {

inline constexpr std::size_t kMaxProblems =
    200;  // of each kind; a bomb of unknown keys is not worth a list of them

// Where in the tree a value stands, as a chain on the stack: spelled out only when something is wrong.
class Place {
 public:
  Place() = default;
  Place(const Place& parent, std::string_view key) : parent_(&parent), key_(key) {}
  Place(const Place& parent, std::size_t index) : parent_(&parent), index_(index), is_item_(true) {}
  [[nodiscard]] std::string spelled() const;  // "routes[1].access"

 private:
  const Place* parent_ = nullptr;
  std::string_view key_;
  std::size_t index_ = 0;
  bool is_item_ = false;
};

// "routes[1]", for whoever knows the path only.
[[nodiscard]] std::string item(std::string_view list, std::size_t index);

class Report {
 public:
  explicit Report(const Node& root) : root_(root) {}

  void error(Mark mark, std::string path, std::string message) {
    add_error({mark, std::move(path), std::move(message)});
  }
  void error(const Node& node, const Place& place, std::string message) {
    if (!node.broken) error(node.mark, place.spelled(), std::move(message));
  }

  // For checks of the finished model, which know the path but not the node. The position is that of the node,
  // or of the nearest thing around it that the file has. Silent where the value was refused before: one
  // cause, one line.
  void error_at(std::string_view path, std::string message);
  void warning_at(std::string_view path, std::string message);

  // "issuers[0].url" is what the file calls "issuer", and so on: the three-line shorthand.
  void rename(std::string path, std::string written) {
    renamed_.emplace_back(std::move(path), std::move(written));
  }

  // What is said of a key that its map does not know, by its name and its map's path; else nothing is.
  void know_places(std::function<std::string(std::string_view key, std::string_view map)> hint) {
    place_hint_ = std::move(hint);
  }
  [[nodiscard]] std::string place_hint(std::string_view key, std::string_view map) const {
    return place_hint_ ? place_hint_(key, map) : std::string();
  }

  // What error_at() would report.
  [[nodiscard]] Problem problem_at(std::string_view path, std::string message) const;

  // The value at a path as the file writes it, quoted: never with `${...}` replaced.
  [[nodiscard]] std::string shown(std::string_view path) const;

  // Whether the value at a path, or one that it stands in, was refused.
  [[nodiscard]] bool refused(std::string_view path) const;
  // Or one within it.
  [[nodiscard]] bool refused_within(std::string_view path) const;
  // Whether the file itself has the value at a path.
  [[nodiscard]] bool written(std::string_view path) const { return locate(path).exact; }

  [[nodiscard]] bool clean() const { return errors_.empty(); }
  // What is reported now is counted, and no longer listed.
  [[nodiscard]] bool full() const { return errors_.size() >= kMaxProblems; }
  // Nothing that is reported now is even counted.
  [[nodiscard]] bool overfull() const { return errors_.size() > kMaxProblems; }
  // In the order of the file.
  [[nodiscard]] std::vector<Problem> take_errors();
  [[nodiscard]] std::vector<Problem> take_warnings();

 private:
  struct Located {
    const Node* node;
    std::string path;
    bool exact;
  };
  [[nodiscard]] Located locate(std::string_view path) const;
  static bool add(std::vector<Problem>& to, Problem problem);
  void add_error(Problem problem);

  const Node& root_;
  std::vector<Problem> errors_;
  std::vector<Problem> warnings_;
  std::vector<std::pair<std::string, std::string>> renamed_;
  std::function<std::string(std::string_view, std::string_view)> place_hint_;
  // Of the errors' paths: they themselves, the lists that they are items of, and all that they stand in. A
  // file may have as many values as errors, so that looking through all errors for each would take too long.
  std::set<std::string, std::less<>> refused_;
  std::set<std::string, std::less<>> refused_items_;
  std::set<std::string, std::less<>> refused_within_;
};

}  // namespace holdfast::settings
