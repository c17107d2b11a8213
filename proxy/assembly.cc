#include "assembly.h"

#include <sys/resource.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <utility>

#include "server.h"

namespace holdfast {
namespace {

// Tokens and keys lie in memory. A limit of one byte stops both core files and pipes to a collector, which a
// limit of zero does not (core(5)).
void forbid_core_dumps() {
  const rlimit none{1, 1};
  setrlimit(RLIMIT_CORE, &none);
}

}  // namespace

int serve(cli::RunOptions options) {
  try {
    forbid_core_dumps();
    std::signal(SIGPIPE, SIG_IGN);
    Server server(std::move(options));
    server.run();
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "holdfast: %s\n", error.what());
    return 1;
  }
}

}  // namespace holdfast
