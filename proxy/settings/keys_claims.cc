#include "settings/keys_claims.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/ascii.h"
#include "policy/claim_rule.h"

namespace holdfast::settings {
namespace {

constexpr std::string_view kExpected = "true, false, a number or text";

bool all_digits(std::string_view text) {
  for (const char c : text) {
    if (!is_digit(c)) return false;
  }
  return !text.empty();
}

struct Number {
  std::string_view whole;  // without its sign
  std::string_view fraction;
  std::string_view exponent;
  bool negative = false;
  bool has_point = false;
};

// What YAML takes for a decimal number, looser than JSON: [-+] digits [. digits] [e [-+] digits]
std::optional<Number> yaml_number(std::string_view text) {
  Number number;
  number.negative = text.starts_with('-');
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  if (const std::size_t e = text.find_first_of("eE"); e != std::string_view::npos) {
    number.exponent = text.substr(e + 1);
    std::string_view power = number.exponent;
    if (power.starts_with('-') || power.starts_with('+')) power.remove_prefix(1);
    if (!all_digits(power)) return std::nullopt;
    text = text.substr(0, e);
  }
  const std::size_t point = text.find('.');
  number.has_point = point != std::string_view::npos;
  number.whole = text.substr(0, point);
  if (number.has_point) number.fraction = text.substr(point + 1);
  const bool whole = number.whole.empty() || all_digits(number.whole);
  const bool fraction = number.fraction.empty() || all_digits(number.fraction);
  if (!whole || !fraction || (number.whole.empty() && number.fraction.empty())) return std::nullopt;
  return number;
}

bool is_json(const Number& number, std::string_view text) {
  const bool zeros = number.whole.size() > 1 && number.whole.starts_with('0');
  return !text.starts_with('+') && !number.whole.empty() && !zeros &&
         (!number.has_point || !number.fraction.empty());
}

// Words that some readers of YAML take for a truth, a number or nothing, and others for text.
bool is_ambiguous_word(std::string_view text) {
  constexpr auto kWords = std::to_array<std::string_view>(
      {"y", "n", "yes", "no", "on", "off", "null", "~", ".inf", "-.inf", "+.inf", ".nan"});
  for (const std::string_view word : kWords) {
    if (iequals(text, word)) return true;
  }
  return text.starts_with("0x") || text.starts_with("0o") || (iequals(text, "true") && text != "true") ||
         (iequals(text, "false") && text != "false");
}

std::optional<ClaimValue> number_value(std::string_view text, const Number& number) {
  if (!is_json(number, text)) return std::nullopt;
  const char* const end = text.data() + text.size();
  if (!number.has_point && number.exponent.empty()) {
    std::int64_t whole = 0;
    if (std::from_chars(text.data(), end, whole).ec != std::errc()) return std::nullopt;
    return ClaimValue(whole);
  }
  double value = 0;
  if (std::from_chars(text.data(), end, value).ec != std::errc() || !std::isfinite(value))
    return std::nullopt;
  return ClaimValue(value);
}

// What has no quotes is what it looks like, in both YAML and JSON; what they would read differently is
// refused, since a rule that compares with the wrong type never holds.
std::optional<ClaimValue> read_claim_value(const Node& node, const Place& place, Report& report) {
  if (node.kind != Node::Kind::kScalar || node.text.empty()) return refuse(node, place, report, kExpected);
  if (node.quoted) return ClaimValue(node.text);
  if (node.text == "true" || node.text == "false") return ClaimValue(node.text == "true");
  if (const auto number = yaml_number(node.text)) {
    if (auto value = number_value(node.text, *number)) return value;
    return refuse(node, place, report, "a number as JSON writes it, or text in quotes");
  }
  if (is_ambiguous_word(node.text)) {
    return refuse(node, place, report, "true, false, a number, or text in quotes");
  }
  return ClaimValue(node.text);
}

// Quotes are not JSON's to see, so an editor takes any scalar.
Value<ClaimValue> claim_value() {
  return {read_claim_value, any_of({any_text_schema(), Schema{{"type", "boolean"}}})};
}

// policy/claim_rule.h's paths as a regular expression.
Schema claims_schema(const Schema& values) {
  const std::string name = R"(([^.\\]|\\[.\\])+)";
  return {{"type", "object"},
          {"minProperties", 1},
          {"propertyNames", text_schema(name + R"((\.)" + name + ")*",
                                        "the path of a claim such as tenant or resource.owner")},
          {"additionalProperties", values}};
}

void refuse_repeated(const Node& list, const std::vector<ClaimValue>& values, const Place& place,
                     Report& report) {
  for (std::size_t i = 1; i < values.size(); ++i) {
    const auto here = values.begin() + static_cast<std::ptrdiff_t>(i);
    // the default stands for one that was refused
    if (*here == ClaimValue() || std::find(values.begin(), here, *here) == here) continue;
    report.error(list.items[i], Place(place, i), "stands in the list already");
  }
}

void read_claims(const Node& node, const Value<std::vector<ClaimValue>>& values, const Place& place,
                 Require& require, Report& report) {
  if (node.entries.empty()) report.error(node, place, "must not be empty; leave the key out instead");
  for (const Entry& entry : node.entries) {
    const Place at(place, entry.key);
    if (entry.repeated) {
      report_repeated(entry, at, report);
    } else if (const auto path = policy::parse_claim_path(entry.key); !path) {
      report.error(entry.mark, at.spelled(),
                   "must be the path of a claim such as tenant or resource.owner (" + path.error() + ')');
    } else if (auto any_of = values.read(entry.value, at, report)) {
      refuse_repeated(entry.value, *any_of, at, report);
      require.claims.push_back({entry.key, *std::move(any_of)});
    }
  }
}

}  // namespace

Key<Require> claims() {
  const Value<std::vector<ClaimValue>> values = one_or_list(claim_value());
  return {.name = "claims",
          .read =
              [values](const Node& node, const Place& place, Require& require, Report& report) {
                if (node.kind == Node::Kind::kMap) {
                  read_claims(node, values, place, require, report);
                } else {
                  refuse(node, place, report, "a map of claims and the values that each may have");
                }
              },
          .schema = claims_schema(values.schema)};
}

}  // namespace holdfast::settings
