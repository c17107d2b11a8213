#include "telemetry/remembered.h"

#include <algorithm>
#include <utility>

namespace holdfast::telemetry {
namespace {

bool is_newer(const pipeline::Account& account, const std::optional<pipeline::Account>& than) {
  return !than || account.time >= than->time;
}

void add(Recollection::Kind& to, const Recollection::Kind& other) {
  to.kept += other.kept;
  to.since = std::max(to.since, other.since);  // nullopt is the least
}

}  // namespace

void Recollection::add(Recollection other) {
  if (other.newest && is_newer(*other.newest, newest)) newest = std::move(other.newest);
  same_id += other.same_id;
  telemetry::add(known, other.known);
  telemetry::add(strangers, other.strangers);
}

void Remembered::record(const pipeline::AccessRecord& record) {
  if (record.reason && record.grounds != nullptr) {
    pipeline::Account account = pipeline::account_of(record);
    keep(account.claims ? known_ : strangers_, std::move(account));
  }
  next_.record(record);
}

void Remembered::keep(Ring& ring, pipeline::Account account) const {
  if (ring.accounts.size() < each_kind_) {
    ring.accounts.push_back(std::move(account));
    return;
  }
  ring.accounts[ring.next] = std::move(account);
  ring.next = (ring.next + 1) % each_kind_;
}

Recollection Remembered::find(std::string_view request_id) const {
  Recollection found;
  found.known = search(known_, request_id, found);
  found.strangers = search(strangers_, request_id, found);
  return found;
}

Recollection::Kind Remembered::search(const Ring& ring, std::string_view request_id,
                                      Recollection& found) const {
  Recollection::Kind kind{.kept = ring.accounts.size(), .since = std::nullopt};
  // next: the oldest, once all places are taken
  if (kind.kept == each_kind_ && kind.kept != 0) kind.since = ring.accounts[ring.next].time;
  for (std::size_t i = 0; i < kind.kept; ++i) {
    const pipeline::Account& each = ring.accounts[(ring.next + i) % kind.kept];
    if (each.request_id != request_id) continue;
    ++found.same_id;
    if (is_newer(each, found.newest)) found.newest = each;
  }
  return kind;
}

}  // namespace holdfast::telemetry
