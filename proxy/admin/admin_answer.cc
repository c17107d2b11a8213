#include "admin/admin_answer.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/ascii.h"
#include "crypto/digest.h"
#include "http/origin.h"

namespace holdfast::admin {
namespace {

PlainAnswer said(unsigned status, std::string body) {
  PlainAnswer answer;
  answer.status = status;
  answer.body = std::move(body) + '\n';
  return answer;
}

bool takes_host(std::string_view authority, const AdminRules& rules) {
  const auto parsed = http::parse_authority(authority);
  if (!parsed) return false;
  return http::is_loopback_host(parsed->host) ||
         std::ranges::find(rules.hosts, parsed->host) != rules.hosts.end();
}

// Why what needs the token is not done.
std::optional<PlainAnswer> refusal(const http::RequestHead& head, const AdminRules& rules) {
  if (head.fields.contains("Origin") || head.fields.contains("Sec-Fetch-Site")) {
    return said(403, "a browser gets nothing that needs the token");
  }
  if (rules.token.empty()) return said(403, "this needs the token of admin.token_file, and there is none");
  constexpr std::string_view kScheme = "bearer ";
  const std::string_view given = head.fields.find("Authorization").value_or("");
  const bool bearer = given.size() > kScheme.size() && iequals(given.substr(0, kScheme.size()), kScheme);
  if (bearer && head.fields.count("Authorization") == 1 &&
      crypto::constant_time_equal(trim_ows(given.substr(kScheme.size())), rules.token.reveal())) {
    return std::nullopt;
  }
  PlainAnswer answer = said(401, "the bearer token of admin.token_file is needed");
  answer.authenticate = "Bearer";
  return answer;
}

void act(std::string_view path, std::string_view query, AdminState& state, const AdminState::Done& done) {
  if (path == "/reload") return state.reload(done);
  if (path == "/drain") return done(said(202, state.drain() ? "draining" : "draining already"));
  constexpr std::string_view kLevel = "level=";
  if (query.starts_with(kLevel) && state.set_log_level(query.substr(kLevel.size()))) {
    return done(said(200, "log level is " + std::string(query.substr(kLevel.size()))));
  }
  done(said(400, "needs ?level= and trace, debug, info, warning or error"));
}

}  // namespace

void answer_admin(const http::RequestHead& head, const AdminRules& rules, AdminState& state,
                  const AdminState::Done& done) {
  if (!takes_host(head.authority, rules)) {
    return done(said(403, "Host is neither loopback nor listed under admin.hosts"));
  }
  const std::size_t question = std::min(head.target.find('?'), head.target.size());
  const std::string_view path = head.target.substr(0, question);
  const std::string_view query = head.target.substr(std::min(question + 1, head.target.size()));
  constexpr std::string_view kRequests = "/requests/";
  const bool asks = path.size() > kRequests.size() && path.starts_with(kRequests);
  const bool page = asks || path == "/" || path == "/config";
  if (!page && path != "/reload" && path != "/drain" && path != "/log-level") {
    return done(said(404, "not found"));
  }
  const bool reads = head.method == "GET" || head.method == "HEAD";
  if (page ? !reads : head.method != "POST") {
    PlainAnswer answer = said(405, "method not allowed");
    answer.allow = page ? "GET, HEAD" : "POST";
    return done(std::move(answer));
  }
  if (!page || asks) {
    if (auto refused = refusal(head, rules)) return done(*std::move(refused));
    return asks ? state.tell_of(path.substr(kRequests.size()), done) : act(path, query, state, done);
  }
  PlainAnswer answer;
  answer.body = path == "/" ? state.status_page() : state.shown_configuration();
  done(std::move(answer));
}

}  // namespace holdfast::admin
