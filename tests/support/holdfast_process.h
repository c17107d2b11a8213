// The real `holdfast` binary as a child process, with a folder of its own for configuration and certificate.
// The end is a SIGTERM; a crash or a sanitizer's report aborts the test program. Start blocks until /startupz
// answers; what the program prints is kept in files and read back from there.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/socket.h"

namespace holdfast::support {

// A folder that is removed with its contents.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  void write(std::string_view name, std::string_view text, bool secret = false) const;

 private:
  std::filesystem::path path_;
};

// Writes tls.crt and tls.key: self-signed ECDSA P-256 for `names` (DNS) and 127.0.0.1.
void write_certificate(const TemporaryFolder& folder, const std::vector<std::string>& names = {"localhost"},
                       std::string_view stem = "tls");

struct Finished {
  int exit_code = -1;  // 128 + signal where one ended it
  std::string out;
  std::string err;
};

// Runs the binary to its end, for `check`, `keygen` and the like.
[[nodiscard]] Finished run_holdfast(const std::vector<std::string>& arguments, std::string_view input = {},
                                    Milliseconds patience = kPatience);

// How a process is started beyond its configuration.
struct Launch {
  std::vector<std::string> more{};  // arguments of `holdfast run`
  std::string output{};             // before the names of the files that hold what it prints
  std::vector<int> passed{};        // sockets that it gets as a service manager passes them (LISTEN_FDS)
  std::string passed_names{};       // LISTEN_FDNAMES
  std::string notify{};             // NOTIFY_SOCKET
};

class HoldfastProcess {
 public:
  // `yaml` is the whole configuration; `probes_port` is where its probes listen.
  HoldfastProcess(const TemporaryFolder& folder, std::string_view yaml, std::uint16_t probes_port,
                  const Launch& launch = {});
  ~HoldfastProcess();
  HoldfastProcess(const HoldfastProcess&) = delete;
  HoldfastProcess& operator=(const HoldfastProcess&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] bool wait_ready(Milliseconds patience = kPatience) const;  // /readyz is 200
  [[nodiscard]] int probe(std::string_view path) const;                    // status; 0 where nobody answers
  void signal(int number) const;
  // Waits for the end; nullopt when it is still running then.
  std::optional<int> wait_exit(Milliseconds patience = kPatience);
  [[nodiscard]] std::string out() const;
  [[nodiscard]] std::string err() const;
  // Waits until stdout contains the text: the access log is written behind the answer.
  [[nodiscard]] bool wait_out(std::string_view text, Milliseconds patience = kPatience) const;
  [[nodiscard]] std::size_t resident_kib() const;

 private:
  std::filesystem::path folder_;
  std::string output_;
  std::uint16_t probes_port_;
  pid_t pid_ = -1;
  std::optional<int> exit_code_;
};

[[nodiscard]] std::string read_file(const std::filesystem::path& path);

}  // namespace holdfast::support
