#include "issuer/introspections.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <string>
#include <utility>

#include "net/worker.h"
#include "token/introspection_response.h"

namespace holdfast::issuer {
namespace {

namespace asio = boost::asio;
using pipeline::Level;

// Of the control thread, which all workers share, and of each worker. A worker's answers are the control
// thread's own objects, as long as that has them.
constexpr std::size_t kEntries = 65'536;
constexpr std::size_t kBytes = 32 * 1024 * 1024;
constexpr std::size_t kWorkerEntries = 16'384;
constexpr std::size_t kWorkerBytes = 8 * 1024 * 1024;

// An answer parsed, with the strings taken out of it, holds about this many times its text.
constexpr std::size_t kTimesParsed = 6;
constexpr std::size_t kEntryBytes = 1024;

// How often an issuer's failure is logged while it lasts.
constexpr std::chrono::seconds kLogInterval{10};
constexpr std::size_t kLongestSentence = 512;

std::unexpected<Refusal> unavailable(std::string detail) {
  return refuse(Reason::introspection_unavailable, std::move(detail));
}

IntrospectionAnswerPtr no_answer(std::string detail) {
  return std::make_shared<const IntrospectionAnswer>(
      IntrospectionAnswer{.result = unavailable(std::move(detail)), .until = {}});
}

IntrospectionCounts::Result result_of(const Checked<token::AccessToken>& answer) {
  if (answer) return IntrospectionCounts::kActive;
  if (answer.error().reason == Reason::token_inactive) return IntrospectionCounts::kInactive;
  return answer.error().reason == Reason::introspection_unavailable ? IntrospectionCounts::kFailed
                                                                    : IntrospectionCounts::kUnusable;
}

}  // namespace

// ---- on a worker

WorkerIntrospections::WorkerIntrospections(Introspections& all, asio::io_context& worker)
    : all_(all), worker_(worker), cache_(kWorkerEntries, kWorkerBytes) {}

void WorkerIntrospections::introspect(const pipeline::IntrospectionQuestion& question, const Now& now,
                                      Done done) {
  const IntrospectionKey key{question.issuer, question.digest};
  if (const IntrospectionAnswerPtr known = cache_.find(key, now.steady)) return done(known->result);
  if (stopped_) return done(unavailable("this server is shutting down"));
  std::vector<Done>& waiting = waiting_[key];
  waiting.push_back(std::move(done));
  if (waiting.size() == 1) all_.ask(key, question, *this);
}

void WorkerIntrospections::take(const IntrospectionKey& key, const IntrospectionAnswerPtr& answer) {
  if (answer->until > SteadyTime{}) cache_.insert(key, answer);
  const auto waiting = waiting_.extract(key);
  if (waiting.empty()) return;
  for (const Done& done : waiting.mapped()) done(answer->result);
}

void WorkerIntrospections::stop() {
  stopped_ = true;
  const pipeline::Introspected ending = unavailable("this server is shutting down");
  for (const auto& [key, waiting] : std::exchange(waiting_, {})) {
    for (const Done& done : waiting) done(ending);
  }
}

// ---- on the control thread

Introspections::Introspections(asio::io_context& control, pipeline::EventLog& log)
    : control_(control), log_(log), cache_(kEntries, kBytes) {}

Introspections::~Introspections() = default;

std::shared_ptr<WorkerIntrospections> Introspections::view_for(asio::io_context& worker) {
  views_.push_back(std::make_shared<WorkerIntrospections>(*this, worker));
  return views_.back();
}

Introspections::Issuer& Introspections::issuer(std::size_t number) {
  return issuers_[number];
}

void Introspections::set_target(std::size_t number, std::shared_ptr<const IntrospectionTarget> target) {
  issuer(number).target = std::move(target);
}

void Introspections::forget() {
  ++epoch_;
  cache_.clear();
  for (const auto& view : views_) asio::post(view->worker_, [view] { view->forget(); });
}

void Introspections::stop() {
  stopped_ = true;
  flights_.clear();
  for (const auto& view : views_) asio::post(view->worker_, [view] { view->stop(); });
}

const IntrospectionCounts& Introspections::counts(std::size_t number) const {
  static const IntrospectionCounts kNone;
  const auto found = issuers_.find(number);
  return found == issuers_.end() ? kNone : found->second.counts;
}

void Introspections::ask(const IntrospectionKey& key, const pipeline::IntrospectionQuestion& question,
                         WorkerIntrospections& view) {
  asio::post(control_, [this, key, credential = Secret(std::string(question.token)), jwt = question.jwt,
                        view = view.shared_from_this()]() mutable {
    begin(key, credential, std::move(jwt), std::move(view));
  });
}

void Introspections::begin(const IntrospectionKey& key, const Secret& credential,
                           std::shared_ptr<const token::AccessToken> jwt,
                           std::shared_ptr<WorkerIntrospections> view) {
  const Now now = net::Worker::now();
  if (auto known = cache_.find(key, now.steady)) return tell(view, key, std::move(known));
  if (const auto flight = flights_.find(key); flight != flights_.end()) {
    flight->second.askers.push_back(std::move(view));
    return;
  }
  Issuer& asked = issuer(key.issuer);
  if (stopped_ || asked.target == nullptr) {
    return tell(view, key, no_answer("where the issuer can be asked about tokens is not known yet"));
  }
  if (asked.under_way >= kMaxUnderWay) {
    ++asked.counts.results[IntrospectionCounts::kSaturated];
    return tell(view, key, no_answer("too many tokens are being asked about"));
  }
  auto request = introspection_request(*asked.target, credential.reveal(), now.wall);
  if (!request) {
    ++asked.counts.results[IntrospectionCounts::kFailed];
    failed(asked, *asked.target, request.error());
    return tell(view, key, no_answer("the issuer could not be asked about the access token"));
  }
  ++asked.under_way;
  Flight& flight = flights_[key];
  flight = {.target = asked.target, .jwt = std::move(jwt), .asked = now, .epoch = epoch_};
  flight.askers.push_back(std::move(view));
  flight.fetch = std::make_unique<Fetch>(control_, std::move(*request), asked.target->timeout,
                                         [this, key](const FetchResult& fetched) { land(key, fetched); });
}

void Introspections::land(const IntrospectionKey& key, const FetchResult& fetched) {
  const auto node = flights_.extract(key);
  const Flight& flight = node.mapped();
  const Now now = net::Worker::now();
  Issuer& asked = issuer(key.issuer);
  --asked.under_way;

  Checked<token::AccessToken> answer =
      fetched ? token::read_introspection(*fetched, flight.target->iss, flight.jwt.get())
              : unavailable("the issuer did not answer what it was asked about the access token");
  const double seconds = std::chrono::duration<double>(now.steady - flight.asked.steady).count();
  const auto& bounds = IntrospectionCounts::kBounds;
  ++asked.counts.results[result_of(answer)];
  ++asked.counts
        .durations[static_cast<std::size_t>(std::ranges::lower_bound(bounds, seconds) - bounds.begin())];
  asked.counts.seconds += seconds;
  if (result_of(answer) == IntrospectionCounts::kFailed) {
    failed(asked, *flight.target, fetched ? answer.error().detail : fetched.error());
  } else {
    succeeded(asked, *flight.target);
  }

  // What was asked before a reload answers who asked, and nobody after it.
  const Millis lifetime = flight.epoch == epoch_
                              ? token::introspection_lifetime(answer, flight.target->cache, flight.asked.wall)
                              : Millis(0);
  IntrospectionAnswer kept{.result = {}, .until = {}};
  if (lifetime > Millis(0)) kept.until = flight.asked.steady + lifetime;
  kept.bytes = kEntryBytes + (answer ? kTimesParsed * fetched->size() : 0);
  if (answer) {
    kept.result = std::make_shared<const token::AccessToken>(std::move(*answer));
  } else {
    kept.result = std::unexpected(std::move(answer.error()));
  }
  const auto shared = std::make_shared<const IntrospectionAnswer>(std::move(kept));
  if (shared->until > now.steady) cache_.insert(key, shared);
  for (const auto& view : flight.askers) tell(view, key, shared);
}

void Introspections::tell(const std::shared_ptr<WorkerIntrospections>& view, const IntrospectionKey& key,
                          IntrospectionAnswerPtr answer) {
  asio::post(view->worker_, [view, key, answer = std::move(answer)] { view->take(key, answer); });
}

void Introspections::failed(Issuer& issuer, const IntrospectionTarget& target, std::string_view why) {
  const SteadyTime now = std::chrono::steady_clock::now();
  if (std::exchange(issuer.failing, true) && now < issuer.failure_logged + kLogInterval) return;
  issuer.failure_logged = now;
  log_.event(Level::kWarn, "introspection_failed",
             {{"issuer", target.name}, {"why", why.substr(0, kLongestSentence)}});
}

void Introspections::succeeded(Issuer& issuer, const IntrospectionTarget& target) {
  if (!std::exchange(issuer.failing, false)) return;
  log_.event(Level::kInfo, "introspection_works_again", {{"issuer", target.name}});
}

}  // namespace holdfast::issuer
