// The log: one line an ended request (the contract's "The access log") and one line an event, as JSON objects
// or as text, through a bounded buffer to one writer thread. Never a token, a proof, a nonce, a key, a query
// string or a cookie: nothing that holds one is handed in, and a query that slipped into a path is cut.
//
// record() and event() may be called from any thread; they never block on the reader of the log.
#pragma once

#include <atomic>

#include "pipeline/ports.h"
#include "telemetry/line_writer.h"
#include "telemetry/sink.h"

namespace holdfast::telemetry {

enum class AccessMode : std::uint8_t { kAll, kDenied, kOff };

struct LogSettings {
  pipeline::Level level = pipeline::Level::kInfo;  // of events; access lines have their own switch
  Format format = Format::kJson;
  AccessMode access = AccessMode::kAll;
};

class Log final : public pipeline::AccessLog, public pipeline::EventLog {
 public:
  Log(const LogSettings& settings, Sink& sink)
      : format_(settings.format), level_(settings.level), access_(settings.access), sink_(sink) {}

  // True where record() would write: spares a caller the making of a record that nobody wants.
  // `allowed`: there was nothing to say against the request.
  [[nodiscard]] bool wants(bool allowed) const {
    const AccessMode access = access_.load(std::memory_order_relaxed);
    return access == AccessMode::kAll || (access == AccessMode::kDenied && !allowed);
  }
  void record(const pipeline::AccessRecord& record) override;

  using pipeline::EventLog::event;
  void event(pipeline::Level level, std::string_view event,
             std::span<const pipeline::EventField> fields) override;

  void set_level(pipeline::Level level) { level_.store(level, std::memory_order_relaxed); }
  void set_access(AccessMode access) { access_.store(access, std::memory_order_relaxed); }

 private:
  const Format format_;
  std::atomic<pipeline::Level> level_;
  std::atomic<AccessMode> access_;
  Sink& sink_;
};

}  // namespace holdfast::telemetry
