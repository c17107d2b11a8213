#include "telemetry/sink.h"

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <map>
#include <sstream>
#include <thread>
#include <vector>

#include "pipe.h"

namespace holdfast::telemetry {
namespace {

TEST(Sink, LinesOfManyThreadsStayWholeAndInOrderAndNoneIsLost) {
  constexpr int kThreads = 4;
  constexpr int kLines = 3000;
  Pipe pipe;
  std::string text;
  std::thread reader([&] { text = pipe.until("last\n"); });
  {
    Sink sink(pipe.write_end());
    std::vector<std::thread> writers;
    for (int t = 0; t < kThreads; ++t) {
      writers.emplace_back([&, t] {
        for (int i = 0; i < kLines; ++i) sink.append(std::to_string(t) + " " + std::to_string(i) + "\n");
      });
    }
    for (std::thread& writer : writers) writer.join();
    sink.append("last\n");
  }
  reader.join();

  std::map<int, int> next;
  std::istringstream lines(text);
  for (int thread = 0, number = 0; lines >> thread >> number;) EXPECT_EQ(number, next[thread]++);
  ASSERT_EQ(next.size(), std::size_t{kThreads});
  for (const auto& [thread, count] : next) EXPECT_EQ(count, kLines);
}

TEST(Sink, AStalledReaderCostsLinesAndNeverTime) {
  Pipe pipe;
  const std::string line(99, 'x');
  std::string text;
  {
    Sink sink(pipe.write_end(), Format::kJson, 10'000);
    const auto start = std::chrono::steady_clock::now();
    // more than a pipe (64 KiB) and the buffer hold together
    for (int i = 0; i < 10'000; ++i) sink.append(line + "\n");
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
    EXPECT_GT(sink.dropped(), 0u);

    std::thread reader([&] { text = pipe.until("log_lines_dropped"); });
    sink.flush();
    sink.append("one more\n");  // the writer tells with the next line
    reader.join();
  }
  EXPECT_NE(text.find(R"("level":"warn","event":"log_lines_dropped","lines":)"), std::string::npos);
}

TEST(Sink, EndsAlthoughItsReaderNeverComes) {
  Pipe pipe;
  const auto start = std::chrono::steady_clock::now();
  {
    Sink sink(pipe.write_end());
    for (int i = 0; i < 1000; ++i) sink.append(std::string(199, 'x') + "\n");
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
}

TEST(Sink, OutlivesAReaderThatIsGone) {
  signal(SIGPIPE, SIG_IGN);
  Pipe pipe;
  pipe.close_read();
  Sink sink(pipe.write_end());
  for (int i = 0; i < 100; ++i) {
    sink.append("nobody reads this\n");
    sink.flush();
  }
}

}  // namespace
}  // namespace holdfast::telemetry
