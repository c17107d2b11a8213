// The newest requests that something was said against, one object a worker: it stands in front of the access
// log, as the metrics do, and keeps an account of each for whoever asks later why. What is allowed costs a
// look at its record, and nothing of it is kept.
//
// Bounded: so many accounts of a kind, none larger than pipeline::kLargestAccount; the oldest gives way.
// There are two kinds, because anybody can be refused as often as he likes: a request whose token verified is
// pushed out by others of that kind only, never by a stranger's.
//
// One worker's; not thread-safe. What find() brings is a copy, for any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "pipeline/account.h"
#include "pipeline/ports.h"

namespace holdfast::telemetry {

// What workers remember, together.
struct Recollection {
  struct Kind {
    std::size_t kept = 0;
    std::optional<UnixTime> since;  // of when all are kept; nullopt: none had to give way yet
  };
  std::optional<pipeline::Account> newest;  // of those that were asked for
  std::size_t same_id = 0;                  // how many those are: a proxy in front may use an id again
  Kind known;                               // with a token that verified
  Kind strangers;

  void add(Recollection other);
};

class Remembered final : public pipeline::AccessLog {
 public:
  static constexpr std::size_t kEachKind = 512;

  explicit Remembered(pipeline::AccessLog& next, std::size_t each_kind = kEachKind)
      : next_(next), each_kind_(each_kind) {}

  void record(const pipeline::AccessRecord& record) override;

  [[nodiscard]] Recollection find(std::string_view request_id) const;

 private:
  struct Ring {
    std::vector<pipeline::Account> accounts;  // grows to its bound, and then begins anew
    std::size_t next = 0;
  };

  void keep(Ring& ring, pipeline::Account account) const;
  [[nodiscard]] Recollection::Kind search(const Ring& ring, std::string_view request_id,
                                          Recollection& found) const;

  pipeline::AccessLog& next_;
  const std::size_t each_kind_;
  Ring known_;
  Ring strangers_;
};

}  // namespace holdfast::telemetry
