#include "issuer/issuers.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "issuer/keeper.h"

namespace holdfast::issuer {

namespace asio = boost::asio;

// ---- on a worker

WorkerKeys::View& WorkerKeys::view(std::size_t issuer) {
  if (issuer >= views_.size()) views_.resize(issuer + 1);
  return views_[issuer];
}

const pipeline::IssuerKeys* WorkerKeys::keys(std::size_t issuer) {
  if (issuer >= views_.size()) return nullptr;
  const View& view = views_[issuer];
  return view.keys.keys ? &view.keys : nullptr;
}

void WorkerKeys::refetch(std::size_t issuer, std::uint64_t seen_generation, std::function<void(bool)> done) {
  View& view = this->view(issuer);
  if (view.keys.keys && view.keys.generation != seen_generation) return done(true);
  view.waiting.push_back({seen_generation, std::move(done)});
  // One question a worker is enough, however many requests wait for its answer.
  if (view.waiting.size() == 1) issuers_.ask_refetch(issuer, *this);
}

void WorkerKeys::abandon() {
  // What is let go may ask for other things here.
  for (View& each : views_) (void)std::exchange(each.waiting, {});
}

void WorkerKeys::update(std::size_t issuer, pipeline::IssuerKeys keys) {
  view(issuer).keys = std::move(keys);
}

void WorkerKeys::answer_waiting(std::size_t issuer) {
  for (const Waiter& waiter : std::exchange(view(issuer).waiting, {})) {
    const pipeline::IssuerKeys* const now = keys(issuer);
    waiter.done(now != nullptr && now->generation != waiter.seen_generation);
  }
}

// ---- on the control thread

Issuers::Issuers(asio::io_context& control, const std::vector<IssuerSettings>& issuers,
                 pipeline::EventLog& log)
    : control_(control), log_(log), introspections_(control, log) {
  for (const IssuerSettings& settings : issuers) numbers_.push_back(make_keeper(settings));
}

Issuers::~Issuers() = default;

std::size_t Issuers::make_keeper(const IssuerSettings& settings) {
  const std::size_t number = keepers_.size();
  keepers_.push_back(std::make_shared<Keeper>(
      control_, settings, log_, [this, number](const pipeline::IssuerKeys& keys) { publish(number, keys); },
      [this, number](std::shared_ptr<const IntrospectionTarget> target) {
        introspections_.set_target(number, std::move(target));
      }));
  if (started_) keepers_.back()->start();
  return number;
}

std::shared_ptr<WorkerKeys> Issuers::view_for(asio::io_context& worker) {
  views_.push_back(std::make_shared<WorkerKeys>(*this, worker));
  return views_.back();
}

void Issuers::start() {
  started_ = true;
  for (const auto& keeper : keepers_) keeper->start();
}

void Issuers::stop() {
  introspections_.stop();
  for (const auto& keeper : keepers_) {
    if (keeper) keeper->stop();
  }
}

std::vector<std::size_t> Issuers::prepare(const std::vector<IssuerSettings>& issuers) {
  std::vector<std::size_t> numbers;
  for (const IssuerSettings& settings : issuers) {
    const auto same = std::ranges::find_if(
        numbers_, [&](std::size_t number) { return keepers_[number]->has_source_of(settings); });
    numbers.push_back(same != numbers_.end() ? *same : make_keeper(settings));
  }
  return numbers;
}

void Issuers::commit(const std::vector<IssuerSettings>& issuers, const std::vector<std::size_t>& numbers) {
  for (std::size_t i = 0; i < issuers.size(); ++i) keepers_[numbers[i]]->change(issuers[i]);
  for (const std::size_t number : numbers_) {
    if (std::ranges::find(numbers, number) != numbers.end()) continue;
    keepers_[number]->stop();
    // Its timers have been cancelled; what they still call stands in the loop's queue before this.
    asio::post(control_, [ended = std::exchange(keepers_[number], nullptr)] {});
  }
  numbers_ = numbers;
  introspections_.forget();
}

const std::string& Issuers::name(std::size_t number) const {
  return keepers_.at(number)->settings().name;
}

bool Issuers::loaded(std::size_t number) const {
  return keepers_.at(number)->loaded();
}

std::uint64_t Issuers::refreshes(std::size_t number) const {
  return keepers_.at(number)->refreshes();
}

std::uint64_t Issuers::failures(std::size_t number) const {
  return keepers_.at(number)->failures();
}

// The answer is posted after the keys that the fetch brought, so a worker sees them in that order.
void Issuers::ask_refetch(std::size_t issuer, WorkerKeys& view) {
  asio::post(control_, [this, issuer, view = view.shared_from_this()] {
    auto answer = [issuer, view] {
      asio::post(view->worker_, [issuer, view] { view->answer_waiting(issuer); });
    };
    if (keepers_.at(issuer) == nullptr) return answer();
    keepers_[issuer]->refetch(std::move(answer));
  });
}

void Issuers::publish(std::size_t issuer, const pipeline::IssuerKeys& keys) {
  for (const auto& view : views_) {
    asio::post(view->worker_, [issuer, view, keys] { view->update(issuer, keys); });
  }
}

}  // namespace holdfast::issuer
