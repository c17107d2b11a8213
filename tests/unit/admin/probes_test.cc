// The probes over real loopback sockets.
#include "admin/probes.h"

#include <gtest/gtest.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "net/listen.h"

namespace holdfast::admin {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

struct ReadyState final : ProbeState {
  [[nodiscard]] bool started() const override { return true; }
  [[nodiscard]] bool alive() const override { return true; }
  [[nodiscard]] bool draining() const override { return false; }
  [[nodiscard]] std::vector<IssuerReadiness> issuers() const override { return {{"keycloak", true}}; }
  [[nodiscard]] bool takes_proofs() const override { return true; }
};

class ProbesTest : public testing::Test {
 protected:
  ProbesTest()
      : listening_(net::open_listening_sockets({"127.0.0.1", 0}, 1).value()),
        port_(net::local_endpoint(listening_.front()).port()),
        probes_(control_, std::move(listening_), state_) {
    thread_ = std::thread([this] { control_.run(); });
  }
  ~ProbesTest() override {
    asio::post(control_, [this] { probes_.stop(); });
    control_.stop();
    thread_.join();
  }

  tcp::socket connect() {
    tcp::socket socket(client_);
    socket.connect(tcp::endpoint(asio::ip::address_v4::loopback(), port_));
    return socket;
  }
  // Everything that comes back until the connection ends.
  std::string say(const std::string& bytes) {
    tcp::socket socket = connect();
    boost::system::error_code failed;
    asio::write(socket, asio::buffer(bytes), failed);
    return rest(socket);
  }
  static std::string rest(tcp::socket& socket) {
    std::string all;
    boost::system::error_code failed;
    asio::read(socket, asio::dynamic_buffer(all), failed);
    return all;
  }

  ReadyState state_;
  asio::io_context control_;
  asio::io_context client_;
  std::vector<net::Descriptor> listening_;
  unsigned short port_;
  Probes probes_;
  std::thread thread_;
};

TEST_F(ProbesTest, AnswersAndCloses) {
  const std::string answer = say("GET /readyz?verbose HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 ")) << answer;
  EXPECT_NE(answer.find("Connection: close\r\n"), std::string::npos) << answer;
  EXPECT_TRUE(
      answer.ends_with("\r\n\r\n[+] started ok\n[+] not draining ok\n[+] replay store takes proofs ok\n[+] "
                       "keys of issuer keycloak ok\nok\n"))
      << answer;
}

TEST_F(ProbesTest, HeadHasTheLengthAndNoBody) {
  const std::string answer = say("HEAD /livez HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 ")) << answer;
  EXPECT_NE(answer.find("Content-Length: 3\r\n"), std::string::npos) << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\n")) << answer;
}

TEST_F(ProbesTest, AHeadInPiecesIsPutTogether) {
  tcp::socket socket = connect();
  for (const std::string part : {"GET /li", "vez HTTP/1.1\r\nHost: lo", "calhost\r\n\r", "\n"}) {
    asio::write(socket, asio::buffer(part));
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_TRUE(rest(socket).starts_with("HTTP/1.1 200 "));
}

TEST_F(ProbesTest, RefusesWhatItDoesNotServe) {
  struct Case {
    std::string request, status;
  };
  for (const Case& c :
       {Case{"POST /livez HTTP/1.1\r\nHost: localhost\r\n\r\n", "405"},
        Case{"GET /admin HTTP/1.1\r\nHost: localhost\r\n\r\n", "404"},
        Case{"GET /livez HTTP/1.1\r\n\r\n", "400"}, Case{"rubbish\r\n\r\n", "400"},
        Case{"GET /livez HTTP/1.1\r\nHost: x\r\nA: " + std::string(9000, 'a') + "\r\n\r\n", "431"}}) {
    EXPECT_TRUE(say(c.request).starts_with("HTTP/1.1 " + c.status)) << c.request;
  }
}

TEST_F(ProbesTest, IdleConnectionsAreFewAndDoNotShutOutProbes) {
  std::vector<tcp::socket> idle;
  for (int i = 0; i < 100; ++i) idle.push_back(connect());
  // the oldest beyond the limit are closed at once; the others after five seconds
  const auto start = std::chrono::steady_clock::now();
  EXPECT_TRUE(say("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n").starts_with("HTTP/1.1 200 "));
  EXPECT_EQ(rest(idle.front()), "");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(3));
  for (tcp::socket& socket : idle) EXPECT_EQ(rest(socket), "");
}

}  // namespace
}  // namespace holdfast::admin
