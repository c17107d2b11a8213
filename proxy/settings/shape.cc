#include "settings/shape.h"

#include "settings/suggest.h"

namespace holdfast::settings {

Value<bool> boolean() {
  return {[](const Node& node, const Place& place, Report& report) -> std::optional<bool> {
    if (is_on(node)) return true;
    if (is_off(node)) return false;
    return refuse(node, place, report, "true or false");
  }};
}

Value<std::string> text() {
  return {[](const Node& node, const Place& place, Report& report) -> std::optional<std::string> {
    if (node.kind == Node::Kind::kScalar && !node.text.empty()) return node.text;
    return refuse(node, place, report, "text");
  }};
}

std::string one_of(const std::vector<std::string>& words) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i != 0) out += i + 1 == words.size() ? " or " : ", ";
    out += words[i];
  }
  return out;
}

void report_unknown(const Entry& entry, const Place& place, const std::vector<std::string>& known,
                    Report& report) {
  if (report.full()) return report.error(entry.mark, "", "");
  report.error(entry.mark, place.spelled(), "unknown key" + did_you_mean(entry.key, known));
}

void report_repeated(const Entry& entry, const Place& place, Report& report) {
  report.error(entry.mark, place.spelled(),
               "duplicate key; it stands on line " + std::to_string(entry.repeated->line) + " already");
}

}  // namespace holdfast::settings
