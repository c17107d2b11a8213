#include "rehearsal/issuer_at_hand.h"

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <csignal>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "issuer/introspections.h"
#include "issuer/keeper.h"
#include "net/worker.h"

namespace holdfast::rehearsal {
namespace {

// An issuer may have to be asked three times, five seconds each.
constexpr std::chrono::seconds kBound{16};

// The first failure ends the wait: nobody asks again in a minute.
class FirstFailure final : public pipeline::EventLog {
 public:
  explicit FirstFailure(net::Worker& worker) : worker_(worker) {}
  [[nodiscard]] const std::string& why() const { return why_; }

 private:
  void event(pipeline::Level, std::string_view event, std::span<const pipeline::EventField> fields) override {
    if (event != "issuer_keys_not_fetched" && event != "introspection_unreachable") return;
    for (const pipeline::EventField& field : fields) {
      if (field.name == "why") why_ = field.value;
    }
    worker_.stop();
  }

  net::Worker& worker_;
  std::string why_ = "no answer in time";
};

// Runs the worker's loop until somebody stops it, or for as long as an issuer may take.
void run_bounded(net::Worker& worker) {
  boost::asio::steady_timer bound(worker.io(), kBound);
  bound.async_wait([&worker](boost::system::error_code cancelled) {
    if (!cancelled) worker.stop();
  });
  worker.run();
}

// What was cancelled lets go of what it holds.
void settle(net::Worker& worker) {
  worker.io().restart();
  worker.io().poll();
}

}  // namespace

std::expected<std::shared_ptr<const jose::KeySet>, std::string> fetch_keys(
    const issuer::IssuerSettings& issuer) {
  std::signal(SIGPIPE, SIG_IGN);
  net::Worker worker(0);
  FirstFailure log(worker);
  std::shared_ptr<const jose::KeySet> keys;
  issuer::Keeper keeper(
      worker.io(), issuer, log,
      [&](const pipeline::IssuerKeys& found) {
        keys = found.keys;
        worker.stop();
      },
      [](const std::shared_ptr<const issuer::IntrospectionTarget>&) {});
  keeper.start();
  run_bounded(worker);
  keeper.stop();
  settle(worker);
  if (keys == nullptr) return std::unexpected(log.why());
  return keys;
}

pipeline::Introspected introspect_once(const issuer::IssuerSettings& issuer,
                                       const pipeline::IntrospectionQuestion& question) {
  std::signal(SIGPIPE, SIG_IGN);
  net::Worker worker(0);
  FirstFailure log(worker);
  std::optional<pipeline::Introspected> said;
  issuer::Introspections introspections(worker.io(), log);
  const auto view = introspections.view_for(worker.io());
  const auto ask = [&](const std::shared_ptr<const issuer::IntrospectionTarget>& target) {
    introspections.set_target(question.issuer, target);
    view->introspect(question, net::Worker::now(), [&](const pipeline::Introspected& answer) {
      if (!said) said = answer;
      worker.stop();
    });
  };
  issuer::Keeper keeper(worker.io(), issuer, log, [](const pipeline::IssuerKeys&) {}, ask);
  keeper.start();
  run_bounded(worker);
  keeper.stop();
  if (!said) said = refuse(Reason::introspection_unavailable, "the issuer could not be asked: " + log.why());
  const pipeline::Introspected answer = *std::move(said);
  introspections.stop();
  settle(worker);
  return answer;
}

}  // namespace holdfast::rehearsal
