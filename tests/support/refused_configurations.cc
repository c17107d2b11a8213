// See refused_configurations.h.
#include "support/refused_configurations.h"

#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>

#include "support/places.h"

namespace holdfast::support {
namespace {

std::string text_of(const char* file) {
  std::ifstream in(source_folder() / "tests/unit/settings" / file);
  return {(std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>()};
}

}  // namespace

std::string beginning_of_configurations(const std::string& name) {
  static const std::string all = text_of("beginnings.txt");
  const std::string head = "=== " + name + '\n';
  const std::size_t at = all.find(head);
  if (at == std::string::npos) throw std::out_of_range(name);
  const std::size_t begin = at + head.size();
  const std::string text = all.substr(begin, all.find("=== ", begin) - begin);
  // its last line may be an indentation that the fragment goes on behind
  const std::size_t open = text.find_last_of('|');
  return open == std::string::npos ? text : text.substr(0, open);
}

std::string RefusedConfiguration::text() const {
  return beginning_of_configurations(beginning) + fragment;
}

std::vector<RefusedConfiguration> refused_configurations() {
  std::istringstream in(text_of("refused.txt"));
  std::vector<RefusedConfiguration> out;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("--- ")) {
      out.push_back({line.substr(4), "", {}});
    } else if (line.starts_with("=> ")) {
      out.back().lines.push_back(line.substr(3));
    } else if (!out.empty()) {
      out.back().fragment += line + '\n';
    }
  }
  return out;
}

}  // namespace holdfast::support
