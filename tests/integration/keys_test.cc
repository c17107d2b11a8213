// The list of the configuration's keys, held: each key of `holdfast schema` has a case in which it changes
// what a client, a backend or an operator sees (the tables in keys/), or is named as not there yet; and each
// has a bad value, which `holdfast check` answers with its message, position and exit code.
#include <algorithm>
#include <map>
#include <regex>
#include <set>

#include "keys/world.h"
#include "support/places.h"
#include "support/refused_configurations.h"

namespace holdfast::integration::keys {

void PrintTo(const Case& of, std::ostream* out) {
  *out << of.key;
}

namespace {

namespace json = boost::json;

// ---- each key changes the outcome

class KeysTest : public ::testing::TestWithParam<Case> {
 protected:
  static void SetUpTestSuite() { world = std::make_unique<World>(); }
  static void TearDownTestSuite() { world.reset(); }

  static std::string seen(bool with_change) {
    const std::string said = world->see(GetParam(), with_change);
    const std::string out = world->holdfast == nullptr ? "" : world->holdfast->out();
    if (said != world->expected) {
      ADD_FAILURE() << "the log ends with\n"
                    << out.substr(out.size() - std::min<std::size_t>(out.size(), 2000));
    }
    return said;
  }

  static std::unique_ptr<World> world;
};

std::unique_ptr<World> KeysTest::world;

TEST_P(KeysTest, ChangesTheOutcome) {
  ASSERT_NE(GetParam().before, GetParam().after);
  EXPECT_EQ(seen(false), GetParam().before) << "without the change";
  EXPECT_EQ(seen(true), GetParam().after) << "with the change";
}

std::string name_of(const ::testing::TestParamInfo<Case>& info) {
  std::string name = info.param.key;
  std::ranges::replace(name, '.', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Listeners, KeysTest, ::testing::ValuesIn(listener_cases()), name_of);
INSTANTIATE_TEST_SUITE_P(Issuers, KeysTest, ::testing::ValuesIn(issuer_cases()), name_of);
INSTANTIATE_TEST_SUITE_P(Dpop, KeysTest, ::testing::ValuesIn(dpop_cases()), name_of);
INSTANTIATE_TEST_SUITE_P(Upstreams, KeysTest, ::testing::ValuesIn(upstream_cases()), name_of);
INSTANTIATE_TEST_SUITE_P(Routes, KeysTest, ::testing::ValuesIn(route_cases()), name_of);
INSTANTIATE_TEST_SUITE_P(Identity, KeysTest, ::testing::ValuesIn(identity_cases()), name_of);
INSTANTIATE_TEST_SUITE_P(Rest, KeysTest, ::testing::ValuesIn(rest_cases()), name_of);

// ---- no key is left out

// Each key of the schema, and whether it is but a map of further keys.
using Keys = std::map<std::string, bool>;

json::object resolved(const json::object& definitions, const json::object& form) {
  const auto* const reference = form.if_contains("$ref");
  if (reference == nullptr) return form;
  return definitions.at(reference->as_string().subview(std::string_view("#/definitions/").size()))
      .as_object();
}

void collect(const json::object& definitions, const json::object& named, const std::string& path, Keys& out) {
  const json::object form = resolved(definitions, named);
  for (const char* several : {"anyOf", "allOf"}) {
    if (const auto* forms = form.if_contains(several)) {
      for (const json::value& each : forms->as_array()) collect(definitions, each.as_object(), path, out);
    }
  }
  if (const auto* items = form.if_contains("items")) collect(definitions, items->as_object(), path, out);
  const auto* const properties = form.if_contains("properties");
  if (properties == nullptr) return;
  for (const auto& [key, value] : properties->as_object()) {
    const std::string at = path.empty() ? std::string(key) : path + '.' + std::string(key);
    out[at] = resolved(definitions, value.as_object()).contains("properties");
    collect(definitions, value.as_object(), at, out);
  }
}

Keys keys_of_the_schema() {
  const json::object schema = json::parse(support::run_holdfast({"schema"}).out).as_object();
  Keys out;
  collect(schema.at("definitions").as_object(), schema, "", out);
  return out;
}

std::vector<Case> all_cases() {
  std::vector<Case> out;
  for (const auto& table : {listener_cases(), issuer_cases(), dpop_cases(), upstream_cases(), route_cases(),
                            identity_cases(), rest_cases()})
    out.insert(out.end(), table.begin(), table.end());
  return out;
}

TEST(KeysListTest, HasEveryKeyOfTheSchemaAndNoOther) {
  const Keys keys = keys_of_the_schema();
  EXPECT_GT(keys.size(), 150U);
  std::set<std::string> shown;
  for (const Case& each : all_cases()) shown.insert(each.key);
  for (const HeldElsewhere& each : held_elsewhere()) shown.insert(each.key);
  for (const std::string& key : shown) EXPECT_TRUE(keys.contains(key)) << key << " is no key of the schema";
  for (const NotYet& each : not_yet()) shown.insert(each.key);
  for (const auto& [key, is_map] : keys) {
    EXPECT_TRUE(is_map || shown.contains(key)) << key << " has no case in which it changes the outcome";
  }
}

TEST(KeysListTest, WhatIsHeldElsewhereIsThere) {
  for (const HeldElsewhere& each : held_elsewhere()) {
    const std::string text =
        support::read_file(support::source_folder() / "tests/integration" / (each.file + "_test.cc"));
    EXPECT_TRUE(text.contains("TEST_F(" + each.suite + ", " + each.test + ") {") ||
                text.contains("TEST(" + each.suite + ", " + each.test + ") {"))
        << each.key;
  }
}

std::string without_indexes(const std::string& line) {
  return std::regex_replace(line, std::regex(R"(\[[0-9]+\])"), "");
}

TEST(KeysListTest, WhatDoesNotExistYetIsNamedSo) {
  World world;
  for (const NotYet& each : not_yet()) {
    world.configure({each.line}, By::kCheck);
    const support::Finished done = world.check();
    EXPECT_EQ(done.exit_code, 3) << each.line;
    const std::string said = without_indexes(done.out + done.err);
    const std::size_t at = said.find(": " + each.key + ": ");
    ASSERT_NE(at, std::string::npos) << each.line << '\n' << said;
    EXPECT_TRUE(said.substr(at, said.find('\n', at) - at).contains("not yet supported"))
        << each.line << " has arrived, so its keys need cases\n"
        << said;
  }
}

// ---- each key has a bad value

// The first configuration of refused.txt for each key in which it is said what its value must be.
std::map<std::string, std::pair<std::string, std::string>> bad_values() {
  std::map<std::string, std::pair<std::string, std::string>> out;
  const std::regex said(R"([0-9]+:[0-9]+: (.*?): (must |"\S+" is not yet ).*)");
  for (const auto& each : support::refused_configurations()) {
    for (const std::string& line : each.lines) {
      std::smatch parts;
      if (!std::regex_match(line, parts, said)) continue;
      out.try_emplace(without_indexes(parts[1]), each.text(), line);
    }
  }
  return out;
}

TEST(KeysListTest, EachKeyHasABadValueAndIsAnsweredWithItsPlace) {
  const auto bad = bad_values();
  const support::TemporaryFolder folder;
  for (const auto& [key, is_map] : keys_of_the_schema()) {
    const auto value = bad.find(key);
    if (value == bad.end()) {
      ADD_FAILURE() << "refused.txt has no bad value of " << key;
      continue;
    }
    const auto& [text, line] = value->second;
    folder.write("f.yaml", text);
    const support::Finished done =
        support::run_holdfast({"check", "-c", (folder.path() / "f.yaml").string()});
    EXPECT_EQ(done.exit_code, 3) << key;
    EXPECT_TRUE(done.err.contains("f.yaml:" + line + '\n')) << line << "\nis not in\n" << done.err;
  }
}

}  // namespace
}  // namespace holdfast::integration::keys
