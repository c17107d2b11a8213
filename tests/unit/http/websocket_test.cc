#include "http/websocket.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

namespace holdfast::http {
namespace {

constexpr std::string_view kKey = "dGhlIHNhbXBsZSBub25jZQ==";  // RFC 6455 1.3
constexpr std::string_view kAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

using List = std::vector<std::pair<std::string, std::string>>;

RequestHead request(const List& fields, std::string_view method = "GET") {
  RequestHead head;
  head.method = method;
  for (const auto& [name, value] : fields) head.fields.add(name, value);
  return head;
}

TEST(WebSocket, AsksOnlyInOneForm) {
  const struct {
    List fields;
    bool asks;
  } cases[] = {
      {{{"Upgrade", "websocket"}, {"Connection", "Upgrade"}}, true},
      {{{"upgrade", "WebSocket"}, {"connection", "keep-alive, upgrade"}}, true},
      {{{"Upgrade", "websocket"}}, false},
      {{{"Connection", "Upgrade"}}, false},
      {{{"Upgrade", "h2c"}, {"Connection", "Upgrade"}}, false},
      {{{"Upgrade", "websocket, h2c"}, {"Connection", "Upgrade"}}, false},
      {{{"Upgrade", "websocket"}, {"Upgrade", "h2c"}, {"Connection", "Upgrade"}}, false},
      {{{"Upgrade", "websocket/13"}, {"Connection", "Upgrade"}}, false},
      {{{"Upgrade", "websocket"}, {"Connection", "close"}}, false},
  };
  for (const auto& each : cases) EXPECT_EQ(asks_for_websocket(request(each.fields)), each.asks);
  RequestHead post = request(cases[0].fields, "POST");
  EXPECT_FALSE(asks_for_websocket(post));
  RequestHead old = request(cases[0].fields);
  old.version_minor = 0;
  EXPECT_FALSE(asks_for_websocket(old));
}

TEST(WebSocket, ChecksVersionKeyAndBody) {
  const struct {
    List fields;
    bool sound;
  } cases[] = {
      {{{"Sec-WebSocket-Version", "13"}, {"Sec-WebSocket-Key", std::string(kKey)}}, true},
      {{{"Sec-WebSocket-Version", "13"}, {"Sec-WebSocket-Key", "++++////++++////++++/w=="}}, true},
      {{{"Sec-WebSocket-Version", "8"}, {"Sec-WebSocket-Key", std::string(kKey)}}, false},
      {{{"Sec-WebSocket-Version", "13"},
        {"Sec-WebSocket-Version", "13"},
        {"Sec-WebSocket-Key", std::string(kKey)}},
       false},
      {{{"Sec-WebSocket-Key", std::string(kKey)}}, false},
      {{{"Sec-WebSocket-Version", "13"}}, false},
      {{{"Sec-WebSocket-Version", "13"}, {"Sec-WebSocket-Key", ""}}, false},
      {{{"Sec-WebSocket-Version", "13"}, {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ"}}, false},
      {{{"Sec-WebSocket-Version", "13"}, {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZR=="}},
       false},  // spare bits
      {{{"Sec-WebSocket-Version", "13"}, {"Sec-WebSocket-Key", "----____----____----_w=="}},
       false},  // base64url
      {{{"Sec-WebSocket-Version", "13"}, {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZSEh"}},
       false},  // 18 bytes
      {{{"Sec-WebSocket-Version", "13"},
        {"Sec-WebSocket-Key", std::string(kKey)},
        {"Sec-WebSocket-Key", std::string(kKey)}},
       false},
  };
  for (const auto& each : cases) {
    EXPECT_EQ(check_websocket(request(each.fields)).has_value(), each.sound) << each.fields.back().second;
  }
  RequestHead with_body = request(cases[0].fields);
  with_body.body = {BodyLength::Kind::kKnown, 0};
  EXPECT_FALSE(check_websocket(with_body));
}

TEST(WebSocket, AnExtendedConnectBecomesAnUpgrade) {
  RequestHead head = request({{"sec-websocket-version", "13"}, {"sec-websocket-key", "x"}}, "CONNECT");
  head.version_major = 2;
  head.protocol = "websocket";
  head.body = {BodyLength::Kind::kUnknown, 0};
  const std::array<std::uint8_t, 16> nonce{'t', 'h', 'e', ' ', 's', 'a', 'm', 'p',
                                           'l', 'e', ' ', 'n', 'o', 'n', 'c', 'e'};
  become_upgrade(head, nonce);
  EXPECT_EQ(head.method, "GET");
  EXPECT_EQ(head.fields.find("sec-websocket-key"), kKey);
  EXPECT_EQ(head.fields.count("sec-websocket-key"), 1U);
  EXPECT_TRUE(check_websocket(head));
  EXPECT_TRUE(is_websocket(head));
}

TEST(WebSocket, AcceptsItsOwnAnswerOnly) {
  EXPECT_EQ(websocket_accept(kKey), kAccept);
  const struct {
    List fields;
    bool right;
  } cases[] = {
      {{{"Upgrade", "websocket"}, {"Connection", "Upgrade"}, {"Sec-WebSocket-Accept", std::string(kAccept)}},
       true},
      {{{"Upgrade", "h2c"}, {"Connection", "Upgrade"}, {"Sec-WebSocket-Accept", std::string(kAccept)}},
       false},
      {{{"Connection", "Upgrade"}, {"Sec-WebSocket-Accept", std::string(kAccept)}}, false},
      {{{"Upgrade", "websocket"}, {"Sec-WebSocket-Accept", std::string(kAccept)}}, false},
      {{{"Upgrade", "websocket"}, {"Connection", "Upgrade"}}, false},
      {{{"Upgrade", "websocket"},
        {"Connection", "Upgrade"},
        {"Sec-WebSocket-Accept", "S3pPLMBiTxaQ9kYGzzhZRbK+xOo="}},
       false},
      {{{"Upgrade", "websocket"},
        {"Connection", "Upgrade"},
        {"Sec-WebSocket-Accept", std::string(kAccept)},
        {"Sec-WebSocket-Accept", std::string(kAccept)}},
       false},
  };
  for (const auto& each : cases) {
    ResponseHead answer;
    answer.status = 101;
    for (const auto& [name, value] : each.fields) answer.fields.add(name, value);
    EXPECT_EQ(accepts_websocket(answer, kKey), each.right);
  }
}

}  // namespace
}  // namespace holdfast::http
