#include "issuer/issuers.h"

#include <boost/asio/post.hpp>
#include <utility>

#include "issuer/keeper.h"

namespace holdfast::issuer {

namespace asio = boost::asio;

// ---- on a worker

WorkerKeys::WorkerKeys(Issuers& issuers, asio::io_context& worker, std::size_t count)
    : issuers_(issuers), worker_(worker), views_(count) {}

const pipeline::IssuerKeys* WorkerKeys::keys(std::size_t issuer) {
  const View& view = views_.at(issuer);
  return view.keys.keys ? &view.keys : nullptr;
}

void WorkerKeys::refetch(std::size_t issuer, std::uint64_t seen_generation, std::function<void(bool)> done) {
  View& view = views_.at(issuer);
  if (view.keys.keys && view.keys.generation != seen_generation) return done(true);
  view.waiting.push_back({seen_generation, std::move(done)});
  // One question a worker is enough, however many requests wait for its answer.
  if (view.waiting.size() == 1) issuers_.ask_refetch(issuer, *this);
}

void WorkerKeys::update(std::size_t issuer, pipeline::IssuerKeys keys) {
  views_.at(issuer).keys = std::move(keys);
}

void WorkerKeys::answer_waiting(std::size_t issuer) {
  View& view = views_.at(issuer);
  for (const Waiter& waiter : std::exchange(view.waiting, {})) {
    waiter.done(view.keys.keys && view.keys.generation != waiter.seen_generation);
  }
}

// ---- on the control thread

Issuers::Issuers(asio::io_context& control, std::vector<IssuerSettings> issuers, pipeline::EventLog& log)
    : control_(control) {
  keepers_.reserve(issuers.size());
  for (IssuerSettings& settings : issuers) {
    const std::size_t number = keepers_.size();
    keepers_.push_back(std::make_unique<Keeper>(
        control, std::move(settings), log,
        [this, number](const pipeline::IssuerKeys& keys) { publish(number, keys); }));
  }
}

Issuers::~Issuers() = default;

std::shared_ptr<WorkerKeys> Issuers::view_for(asio::io_context& worker) {
  views_.push_back(std::make_shared<WorkerKeys>(*this, worker, keepers_.size()));
  return views_.back();
}

void Issuers::start() {
  for (const auto& keeper : keepers_) keeper->start();
}

void Issuers::stop() {
  for (const auto& keeper : keepers_) keeper->stop();
}

const std::string& Issuers::name(std::size_t issuer) const {
  return keepers_.at(issuer)->settings().name;
}

bool Issuers::loaded(std::size_t issuer) const {
  return keepers_.at(issuer)->loaded();
}

std::uint64_t Issuers::refreshes(std::size_t issuer) const {
  return keepers_.at(issuer)->refreshes();
}

std::uint64_t Issuers::failures(std::size_t issuer) const {
  return keepers_.at(issuer)->failures();
}

// The answer is posted after the keys that the fetch brought, so a worker sees them in that order.
void Issuers::ask_refetch(std::size_t issuer, WorkerKeys& view) {
  asio::post(control_, [this, issuer, view = view.shared_from_this()] {
    keepers_.at(issuer)->refetch(
        [issuer, view] { asio::post(view->worker_, [issuer, view] { view->answer_waiting(issuer); }); });
  });
}

void Issuers::publish(std::size_t issuer, const pipeline::IssuerKeys& keys) {
  for (const auto& view : views_) {
    asio::post(view->worker_, [issuer, view, keys] { view->update(issuer, keys); });
  }
}

}  // namespace holdfast::issuer
