#include "retelling.h"

#include <string>

#include "answer/answer.h"
#include "cli/explanation_json.h"
#include "rehearsal/ladder.h"
#include "telemetry/line_writer.h"

namespace holdfast {
namespace {

std::string time_words(UnixTime time) {
  std::string out;
  telemetry::append_time(out, time);
  return out;
}

std::string kept_words(const telemetry::Recollection::Kind& kind) {
  return std::to_string(kind.kept) + " (" +
         (kind.since ? "all since " + time_words(*kind.since) : "all since this process began") + ')';
}

// Who asked, as far as that is known: the operator has to know this one from others with its id.
std::string about(const telemetry::Recollection& found) {
  const pipeline::Account& account = *found.newest;
  std::string out =
      "request " + account.request_id + " of " + time_words(account.time) + ", from " + account.client_ip;
  if (account.claims) {
    const auto named = [&out](std::string_view what, const std::string& value) {
      if (!value.empty()) out.append(what) += answer::reduce_detail(value);
    };
    named(", sub ", account.claims->sub);
    named(", client_id ", account.claims->client_id);
  }
  if (found.same_id > 1) out += ", the newest of " + std::to_string(found.same_id) + " with this id";
  return out;
}

admin::PlainAnswer sorry(unsigned status, std::string words) {
  admin::PlainAnswer answer;
  answer.status = status;
  answer.body = std::move(words) + '\n';
  return answer;
}

}  // namespace

admin::PlainAnswer retell(const telemetry::Recollection& found, const settings::Settings* judged_by) {
  if (!found.newest) {
    return sorry(404, "no request with this id is remembered. Refused requests are: with a good token " +
                          kept_words(found.known) + ", others " + kept_words(found.strangers));
  }
  if (judged_by == nullptr) {
    return sorry(410,
                 "this request was judged by a configuration that several reloads have replaced since, "
                 "and that is not kept any more");
  }
  cli::Explanation explanation = rehearsal::told({.settings = *judged_by, .account = *found.newest});
  explanation.about = about(found);
  admin::PlainAnswer answer;
  answer.content_type = "application/json";
  answer.body = cli::to_json(explanation) + '\n';
  return answer;
}

}  // namespace holdfast
