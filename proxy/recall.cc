#include "recall.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "cli/ask.h"
#include "cli/command_line.h"
#include "cli/explanation_json.h"
#include "http/origin.h"
#include "identity/forwarding_fields.h"
#include "parts/admin_token.h"

namespace holdfast {
namespace {

constexpr std::chrono::seconds kPatience{10};
constexpr int kOk = 200;
constexpr int kUnauthorized = 401;

std::unexpected<cli::Unsaid> unsaid(int code, std::string words) {
  return std::unexpected(cli::Unsaid{code, std::move(words)});
}

std::string name_of(const settings::Admin& admin) {
  if (admin.socket) return "unix:" + admin.socket->string();
  return http::host_and_port(admin.address.host, admin.address.port);
}

// One line, for a terminal.
std::string line_of(std::string_view body) {
  std::string line(body.substr(0, std::min<std::size_t>(body.find('\n'), 1024)));
  std::ranges::replace_if(line, [](char c) { return c < ' ' || c > '~'; }, '?');
  return line;
}

}  // namespace

std::expected<cli::Explanation, cli::Unsaid> recall(const settings::Settings& settings,
                                                    std::string_view request_id) {
  if (!identity::is_request_id(request_id))
    return unsaid(cli::kUsage, "--id is no request id: the answer's request_id is one, and so is the log's");
  if (!settings.admin)
    return unsaid(cli::kUsage, "there is no admin listener to ask: the configuration has admin: off");
  const settings::Admin& admin = *settings.admin;
  if (!admin.token_file)
    return unsaid(cli::kUsage, "the running proxy tells whoever has its token: set admin.token_file");
  const auto token = parts::read_admin_token(*admin.token_file);
  if (!token) return unsaid(cli::kUsage, token.error());
  const auto said = cli::ask(
      {.host = admin.address.host, .port = admin.address.port, .socket = admin.socket},
      "/requests/" + std::string(request_id),
      "Host: localhost\r\nAuthorization: Bearer " + std::string(token->reveal()) + "\r\n", kPatience);
  if (!said)
    return unsaid(cli::kUnreachable, "the admin listener at " + name_of(admin) + ": " + said.error());
  if (said->status == kUnauthorized) {
    return unsaid(cli::kFailed, "the process at " + name_of(admin) + " has another token than " +
                                    admin.token_file->string());
  }
  if (said->status != kOk) return unsaid(cli::kFailed, line_of(said->body));
  auto explanation = cli::read_explanation(said->body);
  if (!explanation)
    return unsaid(cli::kFailed,
                  "the answer of " + name_of(admin) + " cannot be read: " + explanation.error());
  return *std::move(explanation);
}

}  // namespace holdfast
