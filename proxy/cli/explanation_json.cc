#include "cli/explanation_json.h"

#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <optional>
#include <utility>

namespace holdfast::cli {
namespace {

namespace json = boost::json;

constexpr auto kStates = std::to_array<std::string_view>({"passed", "failed", "not_evaluated"});

std::optional<std::string> text(const json::object& from, std::string_view name) {
  const json::value* const value = from.if_contains(name);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return std::string(value->get_string());
}

std::optional<Rung> read_rung(const json::value& from) {
  const json::object* const object = from.if_object();
  if (object == nullptr) return std::nullopt;
  const auto name = text(*object, "name");
  const auto state = text(*object, "state");
  const auto known = std::ranges::find(kStates, state.value_or(""));
  if (!name || known == kStates.end()) return std::nullopt;
  return Rung{.state = static_cast<Rung::State>(known - kStates.begin()),
              .name = *name,
              .words = text(*object, "words").value_or(""),
              .mend = text(*object, "mend").value_or("")};
}

}  // namespace

std::string to_json(const Explanation& explanation) {
  json::array checks;
  for (const Rung& rung : explanation.rungs) {
    checks.push_back(json::object{{"name", rung.name},
                                  {"state", kStates[static_cast<std::size_t>(rung.state)]},
                                  {"words", rung.words},
                                  {"mend", rung.mend}});
  }
  return json::serialize(json::object{{"allowed", explanation.allowed},
                                      {"verdict", explanation.verdict},
                                      {"about", explanation.about},
                                      {"checks", std::move(checks)}});
}

std::expected<Explanation, std::string> read_explanation(std::string_view text_of) {
  boost::system::error_code error;
  const json::value value = json::parse(json::string_view(text_of.data(), text_of.size()), error);
  const json::object* const object = value.if_object();
  if (error || object == nullptr) return std::unexpected("no JSON object");
  const json::value* const allowed = object->if_contains("allowed");
  const auto verdict = text(*object, "verdict");
  const json::value* const checks = object->if_contains("checks");
  if (allowed == nullptr || !allowed->is_bool() || !verdict || checks == nullptr || !checks->is_array())
    return std::unexpected("no explanation");
  Explanation out{.allowed = allowed->get_bool(),
                  .verdict = *verdict,
                  .about = text(*object, "about").value_or(""),
                  .rungs = {}};
  for (const json::value& each : checks->get_array()) {
    auto rung = read_rung(each);
    if (!rung) return std::unexpected("a check without name or state");
    out.rungs.push_back(*std::move(rung));
  }
  return out;
}

}  // namespace holdfast::cli
