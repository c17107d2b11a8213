#include "net/file_watch.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "loopback.h"

namespace holdfast::net {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::turn_until;

class FileWatchTest : public ::testing::Test {
 protected:
  FileWatchTest() {
    std::string pattern = (fs::temp_directory_path() / "holdfast-watch-XXXXXX").string();
    folder = ::mkdtemp(pattern.data());
  }
  ~FileWatchTest() override {
    watch.stop();
    fs::remove_all(folder);
  }
  void write(const fs::path& path, std::string_view text = "x") { std::ofstream(path) << text; }
  // How often it was told within a time that is long enough for once.
  int told_after(const std::function<void()>& change, std::chrono::milliseconds wait = 300ms) {
    told = 0;
    change();
    turn_until(worker, [] { return false; }, wait);
    return told;
  }

  fs::path folder;
  Worker worker{0};
  int told = 0;
  FileWatch watch{worker.io(), {.quiet = 50ms, .at_most = 500ms, .poll = 1h}, [this] { ++told; }};
};

TEST_F(FileWatchTest, TellsOnceOfEachWayToChangeAFile) {
  const fs::path file = folder / "tls.crt";
  write(file);
  watch.watch({file, folder / "tls.key"});
  ASSERT_TRUE(watch.notified());
  EXPECT_EQ(told_after([] {}), 0);
  EXPECT_EQ(told_after([&] { write(file, "written over"); }), 1);
  EXPECT_EQ(told_after([&] {
              write(folder / "new", "moved over");
              fs::rename(folder / "new", file);
            }),
            1);
  EXPECT_EQ(told_after([&] { fs::remove(file); }), 1);
  EXPECT_EQ(told_after([&] { write(file); }), 1);
  EXPECT_EQ(told_after([&] { write(folder / "tls.key"); }), 1);
  EXPECT_EQ(told_after([&] { fs::permissions(file, fs::perms::owner_read); }), 1);
  // Each file of a pair for itself, within a moment.
  EXPECT_EQ(told_after([&] {
              write(folder / "tls.key", "1");
              turn_until(worker, [] { return false; }, 20ms);
              write(file, "2");
            }),
            1);
}

// A volume of Kubernetes: tls.crt -> ..data/tls.crt, ..data -> ..2026_1, and ..data is replaced by a rename.
TEST_F(FileWatchTest, SeesThatALinkOnTheWayWasSwapped) {
  const auto publish = [&](const std::string& version) {
    fs::create_directory(folder / version);
    write(folder / version / "tls.crt", version);
    fs::create_symlink(version, folder / "..data_tmp");
    fs::rename(folder / "..data_tmp", folder / "..data");
  };
  publish("..1");
  fs::create_symlink("..data/tls.crt", folder / "tls.crt");
  watch.watch({folder / "tls.crt"});
  EXPECT_EQ(told_after([&] { publish("..2"); }), 1);
  EXPECT_EQ(told_after([&] { fs::remove_all(folder / "..1"); }), 1);
  EXPECT_EQ(told_after([&] { publish("..3"); }), 1);
  EXPECT_EQ(told_after([&] { write(folder / "..3/tls.crt", "in place"); }), 1);
}

// As certbot and releases do it: the link is in a folder that the path only passes through.
TEST_F(FileWatchTest, SeesALinkedFolderSwapped) {
  for (const char* name : {"a", "b"}) {
    fs::create_directory(folder / name);
    write(folder / name / "tls.crt", name);
  }
  fs::create_directory(folder / "etc");
  fs::create_symlink("../a", folder / "etc/current");
  watch.watch({folder / "etc/current/tls.crt"});
  EXPECT_EQ(told_after([&] {
              fs::create_symlink("../b", folder / "etc/next");
              fs::rename(folder / "etc/next", folder / "etc/current");
            }),
            1);
  EXPECT_EQ(told_after([&] { write(folder / "b/tls.crt", "now there"); }), 1);
  EXPECT_EQ(told_after([&] { write(folder / "a/tls.crt", "no longer there"); }), 0);
}

TEST_F(FileWatchTest, AFolderThatIsNeverQuietHoldsNothingBackForEver) {
  write(folder / "tls.crt");
  watch.watch({folder / "tls.crt"});
  told = 0;
  for (int i = 0; i < 60; ++i) {
    write(folder / "log", std::to_string(i));
    turn_until(worker, [] { return false; }, 20ms);
  }
  EXPECT_GE(told, 1);
  EXPECT_LE(told, 20) << "not of each of the sixty changes";
}

TEST_F(FileWatchTest, PollsWhereNothingIsTold) {
  int polled = 0;
  FileWatch polling(worker.io(), {.quiet = 1h, .at_most = 1h, .poll = 20ms}, [&] { ++polled; });
  polling.watch({folder / "not/there/tls.crt"});
  EXPECT_TRUE(turn_until(worker, [&] { return polled >= 3; }));
  polling.stop();
  turn_until(worker, [] { return false; }, 50ms);
  const int then = polled;
  turn_until(worker, [] { return false; }, 100ms);
  EXPECT_EQ(polled, then);
}

TEST_F(FileWatchTest, MayBeGivenOtherFilesFromItsOwnCall) {
  write(folder / "one");
  fs::create_directory(folder / "other");
  int calls = 0;
  std::unique_ptr<FileWatch> self;
  self = std::make_unique<FileWatch>(worker.io(), FileWatch::Timing{.quiet = 20ms, .at_most = 1h, .poll = 1h},
                                     [&] {
                                       ++calls;
                                       self->watch({folder / "other/two"});
                                     });
  self->watch({folder / "one"});
  write(folder / "one", "again");
  EXPECT_TRUE(turn_until(worker, [&] { return calls == 1; }));
  write(folder / "one", "nobody's");
  turn_until(worker, [] { return false; }, 100ms);
  EXPECT_EQ(calls, 1);
  write(folder / "other/two");
  EXPECT_TRUE(turn_until(worker, [&] { return calls == 2; }));
  self.reset();
  turn_until(worker, [] { return false; }, 20ms);
}

}  // namespace
}  // namespace holdfast::net
