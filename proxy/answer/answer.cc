// Refusals as messages: see the header.
#include "answer/answer.h"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "answer/reason_table.h"
#include "base/ascii.h"

namespace holdfast::answer {
namespace {

constexpr std::size_t kMaxDetail = 256;
constexpr std::string_view kAllow = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

// RFC 6750 3's error_description excludes '"' and '\', so no quoted-string needs escaping anywhere.
void append_parameter(std::string& challenge, std::string_view name, std::string_view value) {
  challenge += challenge.contains(' ') ? ", " : " ";
  challenge += name;
  challenge += "=\"";
  challenge += value;
  challenge += '"';
}

// Of the configuration, which takes no word that a quoted-string could not hold. Never cut: half a word is
// another one.
std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text += ' ';
    text += word;
  }
  return text;
}

// What the client has to ask its issuer for: RFC 6750 3, RFC 9470 3.
void append_demands(std::string& challenge, Reason reason, const policy::Requirements& require) {
  if (reason == Reason::scope_missing) append_parameter(challenge, "scope", joined(require.scopes));
  if (reason != Reason::step_up_required) return;
  if (!require.acr.empty()) append_parameter(challenge, "acr_values", joined(require.acr));
  if (require.max_auth_age) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(*require.max_auth_age);
    append_parameter(challenge, "max_age", std::to_string(seconds.count()));
  }
}

bool carries_error(Challenge challenge, policy::AuthScheme scheme, policy::AuthScheme blamed) {
  switch (challenge) {
    case Challenge::none:
    case Challenge::bare:
      return false;
    case Challenge::on_each:
      return true;
    case Challenge::on_dpop:
      return scheme == policy::AuthScheme::dpop;
    case Challenge::on_tried:
      return scheme == blamed;
  }
  return false;
}

void add_challenges(http::Fields& fields, const AnswerSettings& settings, const ReasonRow& row,
                    std::string_view description, const AnswerContext& context) {
  if (row.challenge == Challenge::none) return;
  const bool bearer_taken = context.route != nullptr && policy::takes_bearer(context.route->access);
  const policy::AuthScheme blamed = bearer_taken && context.tried == policy::AuthScheme::bearer
                                        ? policy::AuthScheme::bearer
                                        : policy::AuthScheme::dpop;
  for (const policy::AuthScheme scheme : {policy::AuthScheme::dpop, policy::AuthScheme::bearer}) {
    const bool dpop = scheme == policy::AuthScheme::dpop;
    if (!dpop && !bearer_taken) continue;
    std::string challenge = dpop ? "DPoP" : "Bearer";
    if (carries_error(row.challenge, scheme, blamed)) {
      append_parameter(challenge, "error", row.error);
      append_parameter(challenge, "error_description", description);
      if (context.route != nullptr) append_demands(challenge, row.reason, context.route->require);
    }
    if (dpop) append_parameter(challenge, "algs", settings.algs);
    if (!context.resource_metadata.empty())
      append_parameter(challenge, "resource_metadata", context.resource_metadata);
    fields.add("WWW-Authenticate", challenge);
  }
}

Answer make_problem(std::uint16_t status, const ReasonRow& row, std::string_view detail,
                    std::string_view request_id) {
  Answer answer;
  answer.status = status;
  answer.detail = detail;
  answer.close = row.after == After::close;
  answer.fields.add_view("Content-Type", "application/problem+json");
  answer.fields.add_view("Cache-Control", "no-store");
  const std::string_view reason = reason_name(row.reason);
  answer.body = boost::json::serialize(boost::json::object{
      {"type", "urn:holdfast:reason:" + std::string(reason)},
      {"title", row.title},
      {"status", status},
      {"detail", detail},
      {"reason", reason},
      {"request_id", reduce_detail(request_id)},
  });
  return answer;
}

}  // namespace

std::string reduce_detail(std::string_view text) {
  std::string reduced(text.substr(0, kMaxDetail));
  for (char& c : reduced) {
    if (c == '"') c = '\'';
    if (c < 0x20 || c > 0x7E || c == '\\') c = '?';
  }
  return reduced;
}

Answer make_answer(const AnswerSettings& settings, const Refusal& refusal, const AnswerContext& context) {
  const ReasonRow& row = reason_row(refusal.reason);
  const std::string detail =
      reduce_detail(refusal.detail.empty() ? row.title : std::string_view(refusal.detail));
  const std::uint16_t status =
      refusal.reason == Reason::key_mismatch ? settings.key_mismatch_status : row.status;
  Answer answer = make_problem(status, row, detail, context.request_id);
  add_challenges(answer.fields, settings, row, detail, context);
  if (!context.nonce.empty()) answer.fields.add("DPoP-Nonce", context.nonce);
  if (row.after == After::retry) answer.fields.add("Retry-After", std::to_string(context.retry_after));
  return answer;
}

Answer make_malformed_answer(std::uint16_t status, const Refusal& refusal, std::string_view request_id) {
  const ReasonRow& row = reason_row(refusal.reason);
  const std::string_view detail = refusal.detail.empty() ? row.title : std::string_view(refusal.detail);
  Answer answer = make_problem(status, row, reduce_detail(detail), request_id);
  answer.close = true;
  return answer;
}

Answer make_method_not_allowed(std::string_view request_id) {
  Answer answer =
      make_malformed_answer(405, {Reason::request_malformed, "CONNECT and TRACE are not taken"}, request_id);
  answer.fields.add_view("Allow", kAllow);
  return answer;
}

Answer make_options_answer() {
  Answer answer;
  answer.status = 204;
  answer.fields.add_view("Allow", kAllow);
  return answer;
}

bool is_forbidden_method(std::string_view method) {
  // In any case: some backends read methods so.
  return iequals(method, "CONNECT") || iequals(method, "TRACE");
}

void offer_nonce(http::Fields& response, std::string_view nonce) {
  response.set("DPoP-Nonce", nonce);
  // A cache that hands the nonce to others would hand them a used one.
  response.set("Cache-Control", "no-store");
}

}  // namespace holdfast::answer
