#include "cli/schema.h"

#include <cstdio>

#include "cli/command_line.h"
#include "settings/file_schema.h"

namespace holdfast::cli {

int schema() {
  return std::fputs(settings::file_schema().c_str(), stdout) < 0 || std::fflush(stdout) != 0 ? kFailed
                                                                                             : kDone;
}

}  // namespace holdfast::cli
