#include "settings/load.h"

#include <utility>

#include "settings/expand.h"
#include "settings/keys.h"
#include "settings/resolve.h"
#include "settings/running.h"
#include "settings/shown.h"

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
  auto root = parse_yaml(text);
  if (!root) return {std::nullopt, {std::move(root.error())}, {}, {}};
  Report report(*root);
  const Place top;
  if (root->kind != Node::Kind::kMap) {
    report.error(*root, top, "a configuration is a map, not " + describe(*root));
    return {std::nullopt, report.take_errors(), {}, {}};
  }
  expand_all(*root, top, world.environment, report);
  Draft draft;
  draft.file = file;
  read_map(*root, top, file_keys(), draft, report);
  Settings settings = resolve(std::move(draft), report);
  settle_files(settings, world, report);
  check(settings, world, report);
  if (running != nullptr) check_running(settings, *running, report);
  Loaded out;
  out.shown = shown(*root);
  if (report.clean()) out.settings = std::move(settings);
  out.errors = report.take_errors();
  out.warnings = report.take_warnings();
  return out;
}

}  // namespace holdfast::settings
