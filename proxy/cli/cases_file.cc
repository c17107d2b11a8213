#include "cli/cases_file.h"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <set>

#include "base/reason.h"
#include "settings/node.h"
#include "settings/report.h"
#include "settings/shape.h"
#include "settings/words.h"

namespace holdfast::cli {
namespace {

using settings::Key;
using settings::Keys;
using settings::Node;
using settings::Place;
using settings::Report;

namespace json = boost::json;

bool is_time(std::string_view claim) {
  return claim == "exp" || claim == "nbf" || claim == "iat" || claim == "auth_time";
}

constexpr Millis kFarthest = std::chrono::hours(24 * 366 * 10);

// now, now-15m, now+1h
std::optional<json::value> time_claim(std::string_view text, UnixTime now) {
  if (!text.starts_with("now")) return std::nullopt;
  text.remove_prefix(3);
  Millis offset{0};
  if (!text.empty()) {
    const auto parsed = settings::parse_time(text.substr(1), Millis(0), kFarthest);
    if ((text[0] != '+' && text[0] != '-') || !parsed) return std::nullopt;
    offset = text[0] == '-' ? -*parsed : *parsed;
  }
  return std::chrono::floor<std::chrono::seconds>(now + offset).time_since_epoch().count();
}

// As JSON writes it; YAML has more forms (0x1F, 007, .5).
std::optional<json::value> number_of(const Node& node) {
  boost::system::error_code error;
  json::value number = json::parse(node.text, error);
  if (error || !number.is_number()) return std::nullopt;
  return number;
}

json::value claim_of(const Node& node, const Place& place, std::string_view name, UnixTime now,
                     Report& report) {
  switch (node.kind) {
    case Node::Kind::kNull:
      return nullptr;
    case Node::Kind::kList: {
      json::array out;
      for (std::size_t i = 0; i < node.items.size(); ++i)
        out.push_back(claim_of(node.items[i], Place(place, i), "", now, report));
      return out;
    }
    case Node::Kind::kMap: {
      json::object out;
      for (const settings::Entry& entry : node.entries) {
        const Place at(place, entry.key);
        if (entry.repeated) settings::report_repeated(entry, at, report);
        out[entry.key] = claim_of(entry.value, at, "", now, report);
      }
      return out;
    }
    case Node::Kind::kScalar:
      break;
  }
  if (is_time(name) && !node.quoted) {
    if (auto time = time_claim(node.text, now)) return *time;
    if (auto seconds = number_of(node)) return *std::move(seconds);
    settings::refuse(node, place, report, "seconds since 1970, or now and a time, such as now-15m");
    return nullptr;
  }
  if (node.quoted) return json::string(node.text);
  if (settings::is_truth(node)) return settings::is_on(node);
  if (settings::is_number(node)) {
    if (auto number = number_of(node)) return *std::move(number);
    settings::refuse(node, place, report, "a number as JSON writes it, or text in quotes");
    return nullptr;
  }
  return json::string(node.text);
}

Key<PolicyCase> claims_key(UnixTime now) {
  return {.name = "claims",
          .read = [now](const Node& node, const Place& place, PolicyCase& owner, Report& report) {
            if (node.kind != Node::Kind::kMap) {
              settings::refuse(node, place, report,
                               "a map of the token's claims; {} for a token that has no more than it must");
              return;
            }
            json::object claims;
            for (const settings::Entry& entry : node.entries) {
              const Place at(place, entry.key);
              if (entry.repeated) settings::report_repeated(entry, at, report);
              claims[entry.key] = claim_of(entry.value, at, entry.key, now, report);
            }
            owner.claims = std::move(claims);
          }};
}

Key<PolicyCase> request_key() {
  return Key<PolicyCase>{
      .name = "request",
      .read =
          [](const Node& node, const Place& place, PolicyCase& owner, Report& report) {
            const std::size_t space = node.text.find(' ');
            const std::string url = space == std::string::npos ? "" : node.text.substr(space + 1);
            // what comes behind the origin is the decoder's to judge
            const std::size_t host = url.find("://");
            const std::size_t end =
                host == std::string::npos ? host : std::min(url.find_first_of("/?", host + 3), url.size());
            const bool blank =
                std::ranges::any_of(url, [](char c) { return static_cast<unsigned char>(c) <= 0x20; });
            if (node.kind != Node::Kind::kScalar || !settings::is_token(node.text.substr(0, space)) ||
                blank || host == std::string::npos || !settings::parse_url(url.substr(0, end))) {
              settings::refuse(node, place, report,
                               "a method and a URL, such as GET https://api.example.com/v1/orders");
              return;
            }
            owner.method = node.text.substr(0, space);
            owner.url = url;
          }}
      .required();
}

Key<PolicyCase> headers_key() {
  return {.name = "headers",
          .read = [](const Node& node, const Place& place, PolicyCase& owner, Report& report) {
            if (node.kind != Node::Kind::kMap) {
              settings::refuse(node, place, report, "a map of names and values");
              return;
            }
            for (const settings::Entry& entry : node.entries) {
              const Place at(place, entry.key);
              const bool control = std::ranges::any_of(
                  entry.value.text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
              if (!settings::is_token(entry.key)) {
                report.error(entry.mark, at.spelled(), "is no name of a header");
              } else if (entry.value.kind != Node::Kind::kScalar || control) {
                settings::refuse(entry.value, at, report, "a header's value");
              } else {
                owner.headers.emplace_back(entry.key, entry.value.text);
              }
            }
          }};
}

bool is_reason(std::string_view word) {
  return std::ranges::find(kAllReasons, word, reason_name) != kAllReasons.end();
}

settings::Value<std::string> reason_value() {
  return {[](const Node& node, const Place& place, Report& report) -> std::optional<std::string> {
            if (node.kind == Node::Kind::kScalar && is_reason(node.text)) return node.text;
            return settings::refuse(node, place, report, "a reason, such as scope_missing");
          },
          {}};
}

settings::Value<std::string> decision_value() {
  return {[](const Node& node, const Place& place, Report& report) -> std::optional<std::string> {
            if (node.kind == Node::Kind::kScalar &&
                (node.text == "allow" || node.text == "deny" || node.text == "report"))
              return node.text;
            return settings::refuse(node, place, report, "allow, deny or report");
          },
          {}};
}

settings::Value<std::optional<int>> status_value() {
  return {[](const Node& node, const Place& place, Report& report) -> std::optional<std::optional<int>> {
            const bool digits = node.kind == Node::Kind::kScalar && node.text.size() == 3 &&
                                std::ranges::all_of(node.text, [](char c) { return c >= '0' && c <= '9'; });
            if (digits) return std::optional<int>(std::stoi(node.text));
            settings::refuse(node, place, report, "a status, such as 403");
            return std::nullopt;
          },
          {}};
}

Key<PolicyCase> expect_key() {
  static const Keys<Expected> kKeys{
      settings::member<Expected>("decision", decision_value(), &Expected::decision),
      settings::member<Expected>("reason", reason_value(), &Expected::reason),
      settings::member<Expected>("status", status_value(), &Expected::status),
      settings::member<Expected>("route", settings::text(), &Expected::route)};
  return Key<PolicyCase>{
      .name = "expect",
      .read =
          [](const Node& node, const Place& place, PolicyCase& owner, Report& report) {
            if (node.kind == Node::Kind::kMap) {
              settings::read_map(node, place, kKeys, owner.expected, report);
              if (node.entries.empty()) report.error(node, place, "must not be empty");
            } else if (node.kind == Node::Kind::kScalar && is_reason(node.text)) {
              owner.expected.reason = node.text;
            } else if (node.kind == Node::Kind::kScalar &&
                       (node.text == "allow" || node.text == "deny" || node.text == "report")) {
              owner.expected.decision = node.text;
            } else {
              settings::refuse(node, place, report,
                               "allow, deny, report, a reason such as scope_missing, or a map of decision, "
                               "reason, status and route");
            }
          }}
      .required();
}

struct CasesFile {
  std::vector<PolicyCase> cases;
};

Keys<CasesFile> file_keys(UnixTime now) {
  Keys<PolicyCase> keys;
  keys.push_back(settings::member<PolicyCase>("name", settings::text(), &PolicyCase::name).required());
  keys.push_back(request_key());
  keys.push_back(headers_key());
  keys.push_back(claims_key(now));
  keys.push_back(settings::member<PolicyCase>("issuer", settings::text(), &PolicyCase::issuer));
  keys.push_back(settings::member<PolicyCase>(
      "scheme", settings::choice<bool>({{"dpop", false}, {"bearer", true}}), &PolicyCase::bearer));
  keys.push_back(settings::member<PolicyCase>("listener", settings::text(), &PolicyCase::listener));
  keys.push_back(expect_key());
  const settings::Value<PolicyCase> one{
      [keys](const Node& node, const Place& place, Report& report) -> std::optional<PolicyCase> {
        if (node.kind != Node::Kind::kMap) return settings::refuse(node, place, report, "a map");
        PolicyCase out;
        out.mark = node.mark;
        settings::read_map(node, place, keys, out, report);
        return out;
      },
      {}};
  Keys<CasesFile> file;
  file.push_back(
      settings::member<CasesFile>("cases", settings::list(one, "must not be empty"), &CasesFile::cases)
          .required());
  return file;
}

}  // namespace

std::expected<std::vector<PolicyCase>, std::vector<settings::Problem>> read_cases(std::string_view text,
                                                                                  UnixTime now) {
  auto parsed = settings::parse_yaml(text);
  if (!parsed) return std::unexpected(std::vector{std::move(parsed.error())});
  // `${...}` means nothing here
  const auto fill = [](auto& self, Node& node) -> void {
    node.text = node.written;
    for (Node& each : node.items) self(self, each);
    for (settings::Entry& entry : node.entries) self(self, entry.value);
  };
  fill(fill, *parsed);
  Report report(*parsed);
  CasesFile file;
  if (parsed->kind != Node::Kind::kMap) {
    report.error(*parsed, Place(), "a file of cases is a map with the key cases, not " + describe(*parsed));
  } else {
    settings::read_map(*parsed, Place(), file_keys(now), file, report);
  }
  std::set<std::string> names;
  for (std::size_t i = 0; i < file.cases.size(); ++i) {
    const PolicyCase& each = file.cases[i];
    if (!each.name.empty() && !names.insert(each.name).second) {
      report.error_at("cases[" + std::to_string(i) + "].name", "is the name of another case");
    }
  }
  if (!report.clean()) return std::unexpected(report.take_errors());
  return std::move(file.cases);
}

}  // namespace holdfast::cli
