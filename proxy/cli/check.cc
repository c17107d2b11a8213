#include "cli/check.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <string>

#include "cli/command_line.h"
#include "cli/configuration_file.h"

namespace holdfast::cli {
namespace {

// {"valid": ..., "errors": [{"file", "line", "column", "path", "message"}], "warnings": [...]}
std::string to_json(const settings::Loaded& loaded, const std::filesystem::path& file, bool valid) {
  const auto list = [&](const std::vector<settings::Problem>& problems) {
    boost::json::array out;
    for (const settings::Problem& problem : problems) {
      out.push_back(boost::json::object{{"file", file.string()},
                                        {"line", problem.mark.line},
                                        {"column", problem.mark.column},
                                        {"path", problem.path},
                                        {"message", problem.message}});
    }
    return out;
  };
  return boost::json::serialize(boost::json::object{
      {"valid", valid}, {"errors", list(loaded.errors)}, {"warnings", list(loaded.warnings)}});
}

}  // namespace

int check(const std::filesystem::path& file, const CheckOptions& options) {
  if (options.online) {
    std::fputs("holdfast check: --online is not yet supported\n", stderr);
    return kUsage;
  }
  const settings::Loaded loaded = read_configuration(file);
  const bool valid = loaded.settings && !(options.strict && !loaded.warnings.empty());
  if (options.json) {
    std::printf("%s\n", to_json(loaded, file, valid).c_str());
  } else {
    print_problems(loaded, file);
    if (valid) std::fprintf(stderr, "%s: valid\n", file.c_str());
  }
  return valid ? kDone : kInvalid;
}

}  // namespace holdfast::cli
