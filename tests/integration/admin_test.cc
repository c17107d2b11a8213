// The admin listener: pages without secrets, actions for the token only, reload by request and by watching.
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "sidecar.h"

namespace holdfast::integration {
namespace {

const std::string kToken(kAdminToken);

class Administered {
 public:
  explicit Administered(const std::string& top = "") : port(support::free_port()) {
    Settings settings;
    settings.top = top;
    settings.admin = "{address: \"127.0.0.1:" + std::to_string(port) + "\", token_file: admin.token}";
    sidecar = std::make_unique<Sidecar>(settings);
    yaml = sidecar->yaml();
  }
  void replace(std::string_view old, std::string_view now) {
    const std::size_t at = yaml.find(old);
    ASSERT_NE(at, std::string::npos) << old;
    yaml.replace(at, old.size(), now);
  }
  [[nodiscard]] Response ask(std::string_view method, std::string_view target, std::string_view more = "",
                             std::string_view host = "localhost") const {
    Stream stream = Stream::plain(port);
    stream.send(std::string(method) + " " + std::string(target) + " HTTP/1.1\r\nHost: " + std::string(host) +
                "\r\n" + std::string(more) + "\r\n");
    return MessageReader(stream).response();
  }
  [[nodiscard]] Response act(std::string_view target) const {
    return ask("POST", target, "Authorization: Bearer " + kToken + "\r\n");
  }
  [[nodiscard]] int status_of_public() const {
    Request request;
    request.target = "/public/x";
    return sidecar->send_raw(request.raw()).status;
  }
  [[nodiscard]] bool soon(int status) const {
    for (const auto deadline = std::chrono::steady_clock::now() + kPatience;
         std::chrono::steady_clock::now() < deadline;) {
      if (status_of_public() == status) return true;
      std::this_thread::sleep_for(Milliseconds{20});
    }
    return false;
  }

  std::uint16_t port;
  std::string yaml;
  std::unique_ptr<Sidecar> sidecar;
};

TEST(AdminTest, PagesShowWhatRunsAndNoSecret) {
  ::setenv("HOLDFAST_TEST_NAME", "kept-to-itself", 1);
  const Administered server("identity: {headers: {sub: \"X-${HOLDFAST_TEST_NAME}\"}}\n");
  const Response status = server.ask("GET", "/");
  EXPECT_EQ(status.status, 200);
  EXPECT_NE(status.body.find("issuer demo: keys loaded"), std::string::npos) << status.body;
  EXPECT_NE(status.body.find("state: serving"), std::string::npos) << status.body;
  const Response config = server.ask("GET", "/config");
  EXPECT_EQ(config.status, 200);
  EXPECT_NE(config.body.find("X-${HOLDFAST_TEST_NAME}"), std::string::npos) << config.body;
  EXPECT_NE(config.body.find("admin.token"), std::string::npos) << config.body;
  for (const char* secret : {"kept-to-itself", kToken.c_str(), "PRIVATE KEY"}) {
    EXPECT_EQ((status.body + config.body).find(secret), std::string::npos);
  }
}

TEST(AdminTest, ActionsNeedTheTokenAndPagesAKnownHost) {
  const Administered server;
  EXPECT_EQ(server.ask("POST", "/drain").status, 401);
  EXPECT_EQ(server.ask("POST", "/drain", "Authorization: Bearer wrong-wrong-wrong-wrong\r\n").status, 401);
  EXPECT_EQ(server.ask("POST", "/drain", "Authorization: Bearer " + kToken + "\r\nOrigin: null\r\n").status,
            403);
  EXPECT_EQ(server.ask("GET", "/", "", "evil.example.com").status, 403);
  EXPECT_EQ(server.sidecar->holdfast->probe("/readyz"), 200) << "nothing has drained it";
}

TEST(AdminTest, ReloadAnswersWithWhatChangedOrWhatIsWrong) {
  Administered server;
  server.replace("{path: /public/**}", "{path: /elsewhere/**}");
  server.sidecar->folder.write("holdfast.yaml", server.yaml);
  const Response done = server.act("/reload");
  EXPECT_EQ(done.status, 200);
  EXPECT_EQ(done.body, "route public changed\n");
  EXPECT_EQ(server.status_of_public(), 404);
  server.sidecar->folder.write("holdfast.yaml", server.yaml + "lgo: 1\n");
  const Response refused = server.act("/reload");
  EXPECT_EQ(refused.status, 422);
  EXPECT_NE(refused.body.find("holdfast.yaml:"), std::string::npos) << refused.body;
  EXPECT_NE(refused.body.find("lgo: unknown key; did you mean \"log\"?"), std::string::npos) << refused.body;
}

TEST(AdminTest, ATokenThatIsChangedCountsAfterTheReload) {
  const Administered server;
  server.sidecar->folder.write("admin.token", "another-token-0123456789", true);
  EXPECT_EQ(server.act("/reload").status, 200);
  EXPECT_EQ(server.act("/reload").status, 401);
}

TEST(AdminTest, LogLevelAndDrain) {
  Administered server;
  EXPECT_EQ(server.act("/log-level?level=loud").status, 400);
  EXPECT_EQ(server.act("/log-level?level=warning").status, 200);
  EXPECT_TRUE(server.sidecar->holdfast->wait_out("log_level_changed"));
  EXPECT_EQ(server.sidecar->holdfast->out().find("reload_begun"), std::string::npos);
  EXPECT_EQ(server.act("/reload").status, 200);
  EXPECT_EQ(server.sidecar->holdfast->out().find("reload_begun"), std::string::npos) << "below the level";
  EXPECT_EQ(server.act("/drain").status, 202);
  EXPECT_EQ(server.sidecar->holdfast->wait_exit(), 0);
}

// What Kubernetes does with a mounted config map: the file is a link through a link that is swapped.
TEST(WatchTest, AChangedFileIsTakenAndASwappedLinkToo) {
  Settings settings;
  settings.top = "reload: {watch: on}\n";
  Sidecar sidecar(settings);
  const auto status = [&] {
    Request request;
    request.target = "/public/x";
    return sidecar.send_raw(request.raw()).status;
  };
  const auto becomes = [&](int wanted) {
    for (const auto deadline = std::chrono::steady_clock::now() + kPatience;
         std::chrono::steady_clock::now() < deadline;) {
      if (status() == wanted) return true;
      std::this_thread::sleep_for(Milliseconds{50});
    }
    return false;
  };
  const std::string open = sidecar.yaml();
  std::string closed = open;
  closed.replace(closed.find("{path: /public/**}"), 18, "{path: /elsewhere}");
  EXPECT_EQ(status(), 200);
  sidecar.folder.write("holdfast.yaml", closed);
  EXPECT_TRUE(becomes(404)) << sidecar.holdfast->out();

  const auto folder = sidecar.folder.path();
  for (const char* version : {"v1", "v2"}) std::filesystem::create_directory(folder / version);
  sidecar.folder.write("v1/holdfast.yaml", closed);
  sidecar.folder.write("v2/holdfast.yaml", open);
  std::filesystem::create_directory_symlink("v1", folder / "..data");
  std::filesystem::create_symlink("..data/holdfast.yaml", folder / "link");
  std::filesystem::rename(folder / "link", folder / "holdfast.yaml");
  std::this_thread::sleep_for(Milliseconds{1500});  // the same contents: no reload
  std::filesystem::create_directory_symlink("v2", folder / "..data_tmp");
  std::filesystem::rename(folder / "..data_tmp", folder / "..data");
  EXPECT_TRUE(becomes(200)) << sidecar.holdfast->out();

  // One refusal for one broken file, and the next good one is taken.
  sidecar.folder.write("v2/holdfast.yaml", open + "nonsense: 1\n");
  EXPECT_TRUE(sidecar.holdfast->wait_out("nonsense: unknown key"));
  sidecar.folder.write("v2/holdfast.yaml", closed);
  EXPECT_TRUE(becomes(404));
  const std::string out = sidecar.holdfast->out();
  EXPECT_EQ(out.find("reload_refused"), out.rfind("reload_refused"));
}

TEST(AdminTest, OverAUnixSocketOfThisUserAlone) {
  Administered server;
  server.sidecar->holdfast->signal(SIGTERM);
  ASSERT_EQ(server.sidecar->holdfast->wait_exit(), 0);
  const std::string path = (server.sidecar->folder.path() / "admin.sock").string();
  server.replace("address: \"127.0.0.1:" + std::to_string(server.port) + "\"", "address: unix:admin.sock");
  server.sidecar->holdfast = std::make_unique<support::HoldfastProcess>(server.sidecar->folder, server.yaml,
                                                                        server.sidecar->probes_port);
  struct stat status{};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  const support::Socket socket(::socket(AF_UNIX, SOCK_STREAM, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  ASSERT_EQ(::connect(socket.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  const std::string request = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
  ASSERT_EQ(::send(socket.fd(), request.data(), request.size(), 0), static_cast<ssize_t>(request.size()));
  std::string answer(4096, '\0');
  const ssize_t got = ::recv(socket.fd(), answer.data(), answer.size(), MSG_WAITALL);
  ASSERT_GT(got, 0);
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 ")) << answer;
  server.sidecar->holdfast->signal(SIGTERM);
  EXPECT_EQ(server.sidecar->holdfast->wait_exit(), 0);
  EXPECT_NE(::stat(path.c_str(), &status), 0) << "it takes its socket with it";
}

}  // namespace
}  // namespace holdfast::integration
