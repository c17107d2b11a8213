#include "pipeline/account.h"

#include <algorithm>

#include "answer/answer.h"
#include "answer/reason_table.h"
#include "http/target_uri.h"

namespace holdfast::pipeline {
namespace {

// As much as a line for people shows of one value.
constexpr std::size_t kLongestText = 256;

std::string cut(std::string_view text) {
  return std::string(text.substr(0, kLongestText));
}

// An issuer makes lists as long as it likes.
void append(std::string& list, std::string_view word) {
  if (list.size() >= kLongestText) return;
  if (!list.empty()) list += ' ';
  list += word.substr(0, kLongestText);
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) append(out, word);
  return cut(out);
}

std::string roles_of(const token::AccessToken& token) {
  std::string out;
  for (const std::string& role : token.realm_roles) append(out, role);
  for (const auto& [client, role] : token.client_roles) append(out, client + ':' + role);
  return cut(out);
}

Account::Claims claims_of(const token::AccessToken& token) {
  return {.sub = cut(token.sub.value_or("")),
          .client_id = cut(token.client_id.value_or("")),
          .aud = joined(token.aud),
          .scopes = joined(token.scopes),
          .roles = roles_of(token),
          .acr = cut(token.acr.value_or("")),
          .exp = token.exp,
          .auth_time = token.auth_time,
          .names_key = token.cnf.jkt.has_value(),
          .certificate = cut(token.cnf.x5t_s256.value_or(""))};
}

// A proof's htu that is not the request's is looked at for its own sake; any other that was compared is it.
std::string named_by(const dpop::Proof& proof, std::optional<Reason> reason, const Subject& subject) {
  if (reason != Reason::htu_mismatch) return cut(subject.normal_uri);
  return cut(http::normalize_absolute_uri(proof.htu).value_or(""));
}

std::optional<std::size_t> issuer_of(const Subject& subject, const Evidence& evidence) {
  if (evidence.opaque || evidence.token != nullptr) return evidence.issuer;
  if (!evidence.parsed) return std::nullopt;
  // The route may not trust it, which is what the account is asked for then.
  const auto& issuers = subject.rules->issuers;
  const auto at = std::ranges::find(issuers, evidence.parsed->unverified_iss, &token::IssuerRules::issuer);
  if (at == issuers.end()) return std::nullopt;
  return static_cast<std::size_t>(at - issuers.begin());
}

std::optional<Account::TokenHeader> header_of(const Evidence& evidence) {
  if (evidence.opaque) return std::nullopt;
  if (evidence.token != nullptr)
    return Account::TokenHeader{evidence.token->alg, cut(evidence.token->kid.value_or(""))};
  if (evidence.parsed)
    return Account::TokenHeader{evidence.parsed->alg, cut(evidence.parsed->kid.value_or(""))};
  return std::nullopt;
}

Decision decision_named(std::string_view word) {
  if (word == "report") return Decision::kReport;
  return word == "allow" ? Decision::kAllow : Decision::kDeny;
}

}  // namespace

Account account_of(const AccessRecord& record) {
  const Grounds& grounds = *record.grounds;
  const Subject& subject = grounds.subject;
  const Evidence& evidence = grounds.evidence;
  Account account{.rules = subject.rules->number,
                  .time = record.time,
                  .request_id = cut(record.request_id),
                  .client_ip = cut(record.client_ip),
                  .method = cut(record.method),
                  .path = cut(record.path),
                  .host = cut(record.host),
                  .listener = grounds.listener,
                  .body = grounds.body,
                  .decision = decision_named(record.decision),
                  .status = static_cast<std::uint16_t>(record.status),
                  .reason = record.reason,
                  .bearer = grounds.tried == policy::AuthScheme::bearer,
                  .opaque = evidence.opaque,
                  .asked = grounds.asked,
                  .answered = grounds.answered,
                  .admitted = grounds.admitted,
                  .forwarded = grounds.forwarded,
                  .issuer = issuer_of(subject, evidence),
                  .token = header_of(evidence)};
  if (subject.client_certificate != nullptr) account.certificate = subject.client_certificate->thumbprint;
  if (subject.route != nullptr) account.route = subject.route->index;
  if (record.reason) {
    account.detail = answer::reduce_detail(grounds.detail.empty() ? answer::reason_row(*record.reason).title
                                                                  : grounds.detail);
  }
  if (evidence.proof) {
    account.proof = Account::Proof{.alg = evidence.proof->header->alg,
                                   .jkt = evidence.proof->header->jkt,
                                   .names = named_by(*evidence.proof, record.reason, subject),
                                   .iat = evidence.proof->iat,
                                   .has_ath = evidence.proof->ath.has_value()};
  }
  if (evidence.token != nullptr) account.claims = claims_of(*evidence.token);
  return account;
}

}  // namespace holdfast::pipeline
