#include "settings/shape.h"

#include <algorithm>
#include <initializer_list>

#include "settings/suggest.h"

namespace holdfast::settings {

namespace {

bool without_quotes(const Node& node) {
  return node.kind == Node::Kind::kScalar && (!node.quoted || node.expanded);
}

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

bool is_false(const Node& node) {
  return without_quotes(node) && is_one_of(node.text, {"false", "False", "FALSE"});
}
bool is_true(const Node& node) {
  return without_quotes(node) && is_one_of(node.text, {"true", "True", "TRUE"});
}

std::size_t take(std::string_view& text, std::string_view characters) {
  const std::size_t count = std::min(text.find_first_not_of(characters), text.size());
  text.remove_prefix(count);
  return count;
}

// YAML 1.2, 10.3.2: the core schema's integers and floats.
bool is_core_number(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789";
  if (is_one_of(text, {".nan", ".NaN", ".NAN"})) return true;
  if (text.starts_with("0o")) return text.size() > 2 && text.find_first_not_of("01234567", 2) == text.npos;
  if (text.starts_with("0x"))
    return text.size() > 2 && text.find_first_not_of("0123456789abcdefABCDEF", 2) == text.npos;
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  if (is_one_of(text, {".inf", ".Inf", ".INF"})) return true;
  const std::size_t whole = take(text, kDigits);
  std::size_t fraction = 0;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    fraction = take(text, kDigits);
  }
  if (whole + fraction == 0) return false;
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
    if (take(text, kDigits) == 0) return false;
  }
  return text.empty();
}

}  // namespace

bool is_truth(const Node& node) {
  return is_true(node) || is_false(node);
}

bool is_number(const Node& node) {
  return without_quotes(node) && is_core_number(node.text);
}

bool takes(const Kinds& kinds, const Node& node) {
  if (node.expanded) return true;
  if (is_truth(node)) return kinds.truth;
  return is_number(node) ? kinds.number : kinds.text;
}

bool is_off(const Node& node) {
  return is_false(node) || (node.kind == Node::Kind::kScalar && node.text == "off");
}
bool is_on(const Node& node) {
  return is_true(node) || (node.kind == Node::Kind::kScalar && node.text == "on");
}

Value<bool> boolean() {
  return {[](const Node& node, const Place& place, Report& report) -> std::optional<bool> {
            if (is_on(node)) return true;
            if (is_off(node)) return false;
            return refuse(node, place, report, "true or false");
          },
          or_variable(truth_schema()), [](const bool& written) { return boost::json::value(written); }};
}

boost::json::value write_text(const std::string& written) {
  return written.empty() ? boost::json::value() : boost::json::value(written);
}

Value<std::string> text() {
  auto value = scalar(
      [](std::string_view text) -> std::expected<std::string, std::string> {
        if (text.empty()) return std::unexpected("text");
        return std::string(text);
      },
      any_text_schema());
  value.schema = any_text_schema();  // which takes variables itself
  value.write = write_text;
  return value;
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
  if (report.full()) return report.error(entry.mark, "", "");  // counted; its words would be dropped
  const std::string path = place.spelled();
  std::string hint = did_you_mean(entry.key, known);
  if (hint.empty()) {
    const std::size_t end = path.size() - quotable(entry.key).size();
    hint = report.place_hint(entry.key, std::string_view(path).substr(0, end == 0 ? 0 : end - 1));
  }
  report.error(entry.mark, path, "unknown key" + hint);
}

void report_repeated(const Entry& entry, const Place& place, Report& report) {
  report.error(entry.mark, place.spelled(),
               "duplicate key; it stands on line " + std::to_string(entry.repeated->line) + " already");
}

}  // namespace holdfast::settings
