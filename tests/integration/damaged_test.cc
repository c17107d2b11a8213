// `holdfast check` on files that are broken in every way that files get broken: exit code 3, a line for
// people with its place, and never much time. Seconds of CPU are counted, which a busy machine does not
// change much: by default generously, since this build may be slow; a release build (HOLDFAST_BINARY) is held
// to HOLDFAST_CHECK_SECONDS=1.
#include <sys/resource.h>

#include <cstdlib>
#include <fstream>
#include <regex>

#include "sidecar.h"
#include "support/damaged_configurations.h"
#include "support/places.h"

namespace holdfast::integration {
namespace {

double seconds_of_children() {
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

TEST(DamagedTest, CheckRefusesEachWithALineInLittleTime) {
  const char* given = std::getenv("HOLDFAST_CHECK_SECONDS");
  const double allowed = given != nullptr ? std::atof(given) : 30;
  std::ifstream in(support::source_folder() / "config/reference.yaml");
  const std::string whole((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  const support::TemporaryFolder folder;
  support::write_certificate(folder);
  const std::regex line(R"(^(warning: )?[^:]*holdfast\.yaml:[0-9]+:[0-9]+: .+)");
  double slowest = 0;
  std::string slowest_name;
  for (const auto& damaged : support::damaged_configurations(whole)) {
    SCOPED_TRACE(damaged.name);
    folder.write("holdfast.yaml", damaged.text());
    const double before = seconds_of_children();
    const support::Finished done = support::run_holdfast(
        {"check", "-c", (folder.path() / "holdfast.yaml").string()}, {}, std::chrono::seconds(300));
    const double took = seconds_of_children() - before;
    EXPECT_EQ(done.exit_code, 3) << done.err.substr(0, 1000);
    EXPECT_TRUE(std::regex_match(done.err.substr(0, done.err.find('\n')), line)) << done.err.substr(0, 1000);
    EXPECT_LT(took, allowed);
    if (took > slowest) {
      slowest = took;
      slowest_name = damaged.name;
    }
  }
  std::printf("the slowest, %s, took %.3f s of CPU\n", slowest_name.c_str(), slowest);
}

}  // namespace
}  // namespace holdfast::integration
