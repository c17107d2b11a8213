#include "settings/report.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

namespace holdfast::settings {

std::string item(std::string_view list, std::size_t index) {
  return std::string(list) + '[' + std::to_string(index) + ']';
}

std::string Place::spelled() const {
  if (parent_ == nullptr) return "";
  std::string path = parent_->spelled();
  if (is_item_) return path + '[' + std::to_string(index_) + ']';
  if (!path.empty()) path += '.';
  return path + quotable(key_);
}

Report::Located Report::locate(std::string_view path) const {
  std::string written(path);
  for (const auto& [from, to] : renamed_) {
    if (path.starts_with(from)) {
      written = to + std::string(path.substr(from.size()));
      break;
    }
  }
  const Node* node = &root_;
  std::string_view rest = written;
  while (!rest.empty()) {
    const Node* next = nullptr;
    std::size_t length = 0;
    if (rest.front() == '[') {
      std::size_t index = 0;
      length = rest.find(']') + 1;
      std::from_chars(rest.data() + 1, rest.data() + length - 1, index);
      // one value may stand for a list of one, which then has no `[0]` in the file
      if (node->kind == Node::Kind::kScalar) {
        written.erase(written.size() - rest.size(), length);
        return {node, written, true};
      }
      if (index < node->items.size()) next = &node->items[index];
    } else {
      if (rest.front() == '.') rest.remove_prefix(1);
      length = std::min(rest.find_first_of(".["), rest.size());
      next = node->find(rest.substr(0, length));
    }
    if (next == nullptr) return {node, written, false};
    node = next;
    rest.remove_prefix(length);
  }
  return {node, written, true};
}

bool Report::refused(std::string_view path) const {
  if (refused_.empty()) return false;
  // an item that was refused refuses its list, a key does not refuse its map
  if (refused_items_.contains(path)) return true;
  for (std::size_t end = path.size();; --end) {
    if ((end == path.size() || path[end] == '.' || path[end] == '[') &&
        refused_.contains(path.substr(0, end)))
      return true;
    if (end <= 1) return false;
  }
}

bool Report::refused_within(std::string_view path) const {
  return refused_within_.contains(path);
}

void Report::error_at(std::string_view path, std::string message) {
  if (overfull()) return;
  Located at = locate(path);
  if (at.node->broken || refused(at.path)) return;
  add_error({at.node->mark, std::move(at.path), std::move(message)});
}

void Report::warning_at(std::string_view path, std::string message) {
  if (warnings_.size() > kMaxProblems) return;
  Located at = locate(path);
  if (at.node->broken || refused(at.path)) return;
  add(warnings_, {at.node->mark, std::move(at.path), std::move(message)});
}

Problem Report::problem_at(std::string_view path, std::string message) const {
  Located at = locate(path);
  return {at.node->mark, std::move(at.path), std::move(message)};
}

std::string Report::shown(std::string_view path) const {
  const Located at = locate(path);
  return at.exact ? describe(*at.node) : "the default";
}

bool Report::add(std::vector<Problem>& to, Problem problem) {
  if (to.size() < kMaxProblems) {
    to.push_back(std::move(problem));
    return true;
  }
  if (to.size() == kMaxProblems) to.push_back({problem.mark, "", "there is more; mend these first"});
  return false;
}

void Report::add_error(Problem problem) {
  if (!add(errors_, std::move(problem)) || errors_.back().path.empty()) return;
  const std::string& path = errors_.back().path;
  refused_.insert(path);
  std::string_view list = path;
  while (list.ends_with(']')) {
    list = list.substr(0, list.rfind('['));
    refused_items_.emplace(list);
  }
  for (std::size_t end = path.size(); end > 0; --end) {
    if (end == path.size() || path[end] == '.' || path[end] == '[')
      refused_within_.emplace(path.substr(0, end));
  }
}

namespace {

std::vector<Problem> in_file_order(std::vector<Problem> problems) {
  std::multimap<Mark, Problem> sorted;  // keeps the order of what stands at one position
  for (Problem& problem : problems) sorted.emplace(problem.mark, std::move(problem));
  problems.clear();
  for (auto& [mark, problem] : sorted) problems.push_back(std::move(problem));
  return problems;
}

}  // namespace

std::vector<Problem> Report::take_errors() {
  return in_file_order(std::exchange(errors_, {}));
}
std::vector<Problem> Report::take_warnings() {
  return in_file_order(std::exchange(warnings_, {}));
}

}  // namespace holdfast::settings
