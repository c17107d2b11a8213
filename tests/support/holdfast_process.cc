// See holdfast_process.h. HOLDFAST_BINARY in the environment overrides the path compiled in.
#include "support/holdfast_process.h"

#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <thread>

#include "support/http_message.h"
#include "support/places.h"

namespace holdfast::support {
namespace {

using Clock = std::chrono::steady_clock;

std::string binary() {
  const char* given = std::getenv("HOLDFAST_BINARY");
  return given == nullptr ? holdfast_binary().string() : given;
}

pid_t spawn(const std::vector<std::string>& arguments, const std::filesystem::path& folder,
            const std::filesystem::path& input, const Launch& launch = {}) {
  std::vector<std::string> words = arguments;
  words.insert(words.begin(), binary());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const std::string out = folder / (launch.output + "stdout");
  const std::string err = folder / (launch.output + "stderr");
  // Made before the fork: another thread may hold the allocator's lock at that moment.
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) variables.emplace_back(*variable);
  if (!launch.notify.empty()) variables.push_back("NOTIFY_SOCKET=" + launch.notify);
  std::string own_pid = "LISTEN_PID=" + std::string(20, '\0');
  if (!launch.passed.empty()) {
    variables.push_back("LISTEN_FDS=" + std::to_string(launch.passed.size()));
    variables.push_back("LISTEN_FDNAMES=" + launch.passed_names);
  }
  std::vector<char*> environment;
  for (std::string& variable : variables) environment.push_back(variable.data());
  if (!launch.passed.empty()) environment.push_back(own_pid.data());
  environment.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (pid == 0) {
    const int null = ::open(input.c_str(), O_RDONLY);
    const int to_out = ::open(out.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    const int to_err = ::open(err.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::dup2(null, 0);
    ::dup2(to_out, 1);
    ::dup2(to_err, 2);
    int number = 3;
    for (const int socket : launch.passed) {
      const int copy = ::fcntl(socket, F_DUPFD, 100);  // out of the way of the others
      ::dup2(copy, number++);
      ::close(copy);
    }
    std::snprintf(own_pid.data(), own_pid.size(), "LISTEN_PID=%d", ::getpid());
    ::execve(argv[0], argv.data(), environment.data());
    ::_exit(127);
  }
  return pid;
}

std::optional<int> wait_for_end(pid_t pid, Milliseconds patience) {
  for (const auto deadline = Clock::now() + patience;;) {
    int status = 0;
    if (::waitpid(pid, &status, WNOHANG) == pid) {
      return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    if (Clock::now() > deadline) return std::nullopt;
    std::this_thread::sleep_for(Milliseconds{5});
  }
}

void require(bool ok, const char* what) {
  if (!ok) throw std::runtime_error(what);
}

}  // namespace

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "holdfast-test-XXXXXX").string();
  require(::mkdtemp(name.data()) != nullptr, "mkdtemp");
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;  // a leftover folder fails no test
  std::filesystem::remove_all(path_, ignored);
}

void TemporaryFolder::write(std::string_view name, std::string_view text, bool secret) const {
  const auto file = path_ / name;
  std::ofstream(file, std::ios::binary) << text;
  if (secret)
    std::filesystem::permissions(file,
                                 std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

void write_certificate(const TemporaryFolder& folder, const std::vector<std::string>& names,
                       std::string_view stem) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), X509_free);
  X509* x509 = certificate.get();
  X509_set_version(x509, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
  X509_gmtime_adj(X509_getm_notBefore(x509), -3600);
  X509_gmtime_adj(X509_getm_notAfter(x509), 86400);
  X509_set_pubkey(x509, key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("holdfast test"), -1, -1, 0);
  X509_set_issuer_name(x509, X509_get_subject_name(x509));
  std::string alternatives = "IP:127.0.0.1";
  for (const std::string& name : names) alternatives += ",DNS:" + name;
  X509_EXTENSION* extension =
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, alternatives.c_str());
  require(extension != nullptr, "subjectAltName");
  X509_add_ext(x509, extension, -1);
  X509_EXTENSION_free(extension);
  require(X509_sign(x509, key.get(), EVP_sha256()) > 0, "certificate signature");

  const auto write = [&](const std::string& name, auto&& put) {
    const std::unique_ptr<FILE, decltype(&std::fclose)> file(std::fopen((folder.path() / name).c_str(), "w"),
                                                             std::fclose);
    require(file != nullptr && put(file.get()) == 1, "writing PEM");
    ::fchmod(::fileno(file.get()), 0600);
  };
  write(std::string(stem) + ".crt", [&](FILE* file) { return PEM_write_X509(file, x509); });
  write(std::string(stem) + ".key", [&](FILE* file) {
    return PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
}

std::string read_file(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

Finished run_holdfast(const std::vector<std::string>& arguments, std::string_view input,
                      Milliseconds patience) {
  const TemporaryFolder folder;
  folder.write("stdin", input);
  const pid_t pid = spawn(arguments, folder.path(), folder.path() / "stdin");
  const auto code = wait_for_end(pid, patience);
  if (!code) {
    ::kill(pid, SIGKILL);
    wait_for_end(pid, kPatience);
    throw std::runtime_error("holdfast " + (arguments.empty() ? "" : arguments.front()) + " did not end");
  }
  return {*code, read_file(folder.path() / "stdout"), read_file(folder.path() / "stderr")};
}

HoldfastProcess::HoldfastProcess(const TemporaryFolder& folder, std::string_view yaml,
                                 std::uint16_t probes_port, const Launch& launch)
    : folder_(folder.path()), output_(launch.output), probes_port_(probes_port) {
  folder.write("holdfast.yaml", yaml);
  std::filesystem::remove(folder_ / (output_ + "stdout"));
  std::filesystem::remove(folder_ / (output_ + "stderr"));
  std::vector<std::string> arguments{"run", "-c", folder_ / "holdfast.yaml"};
  arguments.insert(arguments.end(), launch.more.begin(), launch.more.end());
  pid_ = spawn(arguments, folder_, "/dev/null", launch);
  for (const auto deadline = Clock::now() + kPatience; probe("/startupz") != 200;) {
    exit_code_ = wait_for_end(pid_, Milliseconds{0});
    if (exit_code_ || Clock::now() > deadline) {
      throw std::runtime_error("holdfast did not start (exit code " +
                               std::to_string(exit_code_.value_or(-1)) + "): " + err() + out());
    }
    std::this_thread::sleep_for(Milliseconds{10});
  }
}

HoldfastProcess::~HoldfastProcess() {
  if (!exit_code_) {
    // Asked, not killed: a leak is only reported by a program that ends by itself.
    ::kill(pid_, SIGTERM);
    if (!wait_exit(Milliseconds{40000})) {
      ::kill(pid_, SIGKILL);
      wait_exit(kPatience);
    }
  }
  const std::string said = err();
  const bool crashed = exit_code_ && (*exit_code_ == 128 + SIGSEGV || *exit_code_ == 128 + SIGABRT ||
                                      *exit_code_ == 128 + SIGBUS || *exit_code_ == 128 + SIGILL);
  if (crashed || said.find("Sanitizer") != std::string::npos ||
      said.find("runtime error:") != std::string::npos) {
    // No test may pass over this, and a destructor has no other way to fail one.
    std::fprintf(stderr, "holdfast ended with %d and said:\n%s\n", exit_code_.value_or(-1), said.c_str());
    std::abort();
  }
}

bool HoldfastProcess::wait_ready(Milliseconds patience) const {
  for (const auto deadline = Clock::now() + patience; Clock::now() < deadline;) {
    if (probe("/readyz") == 200) return true;
    std::this_thread::sleep_for(Milliseconds{10});
  }
  return false;
}

int HoldfastProcess::probe(std::string_view path) const {
  try {
    Stream stream = Stream::plain(probes_port_);
    stream.send("GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    return MessageReader(stream).response().status;
  } catch (const std::runtime_error&) {
    return 0;  // nobody listens there, or it is just going
  }
}

void HoldfastProcess::signal(int number) const {
  ::kill(pid_, number);
}

std::optional<int> HoldfastProcess::wait_exit(Milliseconds patience) {
  if (!exit_code_) exit_code_ = wait_for_end(pid_, patience);
  return exit_code_;
}

std::string HoldfastProcess::out() const {
  return read_file(folder_ / (output_ + "stdout"));
}
std::string HoldfastProcess::err() const {
  return read_file(folder_ / (output_ + "stderr"));
}

bool HoldfastProcess::wait_out(std::string_view text, Milliseconds patience) const {
  for (const auto deadline = Clock::now() + patience; Clock::now() < deadline;) {
    if (out().find(text) != std::string::npos) return true;
    std::this_thread::sleep_for(Milliseconds{10});
  }
  return false;
}

std::size_t HoldfastProcess::resident_kib() const {
  std::istringstream status(read_file("/proc/" + std::to_string(pid_) + "/status"));
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::stoul(line.substr(6));
  }
  throw std::runtime_error("no VmRSS");
}

}  // namespace holdfast::support
