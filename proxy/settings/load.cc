#include "settings/load.h"

#include <memory>
#include <utility>

#include "settings/check.h"
#include "settings/expand.h"
#include "settings/key_places.h"
#include "settings/keys.h"
#include "settings/resolve.h"
#include "settings/running.h"
#include "settings/settle_files.h"
#include "settings/shown.h"
#include "settings/syntax_hint.h"

namespace holdfast::settings {
namespace {

void expand_all(Node& node, const Place& place, const Environment& environment, Report& report) {
  if (node.kind == Node::Kind::kScalar) {
    auto expanded = expand(node.written, environment);
    if (expanded) {
      node.text = std::move(expanded->text);
      node.expanded = expanded->replaced;
    } else {
      report.error(node, place, std::move(expanded.error()));
      node.text.clear();
      node.broken = true;
    }
  }
  for (std::size_t i = 0; i < node.items.size(); ++i)
    expand_all(node.items[i], Place(place, i), environment, report);
  for (Entry& entry : node.entries) expand_all(entry.value, Place(place, entry.key), environment, report);
}

}  // namespace

Loaded load(std::string_view text, const std::filesystem::path& file, const World& world,
            const Settings* running) {
  auto parsed = parse_yaml(text);
  if (!parsed) return {std::nullopt, {std::move(parsed.error())}, {}, {}};
  // outlives this call in Loaded::at
  struct Read {
    Node root;
    Report report{root};
  };
  const auto read = std::make_shared<Read>(*std::move(parsed));
  Node* const root = &read->root;
  Report& report = read->report;
  const Place top;
  if (root->kind != Node::Kind::kMap) {
    report.error(*root, top, "a configuration is a map, not " + describe(*root) + word_hint(root->text));
    return {std::nullopt, report.take_errors(), {}, {}};
  }
  report.know_places([](std::string_view key, std::string_view map) { return key_places().hint(key, map); });
  expand_all(*root, top, world.environment, report);
  Draft draft;
  draft.file = file;
  read_map(*root, top, file_keys(), draft, report);
  Loaded out;
  out.shown = shown(*root);
  // Where there is more wrong with it than is listed, nobody would see what comes of the rest.
  if (!report.full()) {
    Settings settings = resolve(std::move(draft), report);
    settle_files(settings, world, report);
    check(settings, world, report);
    if (running != nullptr) check_running(settings, *running, report);
    if (report.clean()) out.settings = std::move(settings);
  }
  out.errors = report.take_errors();
  out.warnings = report.take_warnings();
  out.at = [read](std::string_view path, std::string message) {
    return read->report.problem_at(path, std::move(message));
  };
  return out;
}

}  // namespace holdfast::settings
