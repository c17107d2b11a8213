// See configuration.h.
#include "keys/configuration.h"

#include <algorithm>
#include <stdexcept>

namespace holdfast::integration::keys {
namespace {

const std::vector<std::pair<std::string, std::vector<std::string>>>& lists() {
  static const std::vector<std::pair<std::string, std::vector<std::string>>> all{
      {"listeners", {"public", "mesh"}},
      {"issuers", {"idp"}},
      {"upstreams", {"api"}},
      {"routes", {"route", "open"}}};
  return all;
}

std::string first_of(const std::string& path) {
  return path.substr(0, path.find('.'));
}

bool is_part(const std::string& name) {
  return std::ranges::any_of(
      lists(), [&](const auto& list) { return std::ranges::find(list.second, name) != list.second.end(); });
}

}  // namespace

std::string Configuration::with_names(std::string_view text) const {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] != '@') {
      out += text[i++];
      continue;
    }
    const std::size_t end =
        std::min(text.find_first_not_of("abcdefghijklmnopqrstuvwxyz_", i + 1), text.size());
    out += names_.at(std::string(text.substr(i + 1, end - i - 1)));
    i = end;
  }
  return out;
}

const std::string* Configuration::find(const std::string& path) const {
  const auto at = std::ranges::find(values_, path, &std::pair<std::string, std::string>::first);
  return at == values_.end() ? nullptr : &at->second;
}

void Configuration::put(std::string_view line) {
  const std::size_t colon = std::min(line.find(": "), line.size() - 1);
  if (line.empty() || line[colon] != ':') throw std::invalid_argument("no key: " + std::string(line));
  const std::string path(line.substr(0, colon));
  const std::string value = with_names(line.substr(std::min(colon + 2, line.size())));
  if (path.ends_with('+')) {
    more_[path.substr(0, path.size() - 1)].push_back(value);
    return;
  }
  const auto there = std::ranges::find(values_, path, &std::pair<std::string, std::string>::first);
  if (value.empty()) {
    taken_away_.insert(path);
    if (there != values_.end()) values_.erase(there);
  } else if (there != values_.end()) {
    there->second = value;
  } else {
    values_.emplace_back(path, value);
  }
}

std::string Configuration::flow(const std::string& part) const {
  std::string out;
  for (const auto& [path, value] : values_) {
    if (path.starts_with(part + '.'))
      out += (out.empty() ? "" : ", ") + path.substr(part.size() + 1) + ": " + value;
  }
  return '{' + out + '}';
}

std::string Configuration::yaml() const {
  std::string out;
  std::set<std::string> written{"tls"};
  for (const auto& [list, parts] : lists()) {
    written.insert(list);
    if (taken_away_.contains(list)) continue;
    if (const std::string* const whole = find(list)) {
      out += list + ": " + *whole + '\n';
      continue;
    }
    out += list + ":\n";
    for (const std::string& part : parts) {
      std::string item = flow(part);
      if (part == "public") item.insert(item.size() - 1, ", tls: " + flow("tls"));
      out += "- " + item + '\n';
    }
    const auto more = more_.find(list);
    if (more == more_.end()) continue;
    for (const std::string& item : more->second) out += "- " + item + '\n';
  }
  for (const auto& [path, value] : values_) {
    const std::string top = first_of(path);
    if (is_part(top) || !written.insert(top).second) continue;
    const std::string* const whole = find(top);
    out += top + ": " + (whole != nullptr ? *whole : flow(top)) + '\n';
  }
  return out;
}

}  // namespace holdfast::integration::keys
