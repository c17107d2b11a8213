// From the settings to each part's own small struct: the other half of what assembly does, without any state.
// Start-up and reload only; the control thread.
#pragma once

#include <cstddef>
#include <expected>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "issuer/settings.h"
#include "listener/config.h"
#include "replay/memory_store.h"
#include "settings/model.h"
#include "telemetry/log.h"
#include "upstream/config.h"

namespace holdfast::parts {

// Why the program cannot start, as a sentence for the operator.
struct StartError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

template <typename T>
T or_fail(std::expected<T, std::string> made) {
  if (!made) throw StartError(made.error());
  return std::move(*made);
}

// By the word of the contract's log.level.
[[nodiscard]] std::optional<pipeline::Level> log_level_named(std::string_view word);
[[nodiscard]] telemetry::LogSettings log_settings(const settings::Log& from);
[[nodiscard]] replay::MemoryStoreSettings replay_settings(const settings::Replay& from);

// These read certificates, keys and secrets; StartError names the file that is wrong. `tally` counts what the
// clients of this listener do for as long as the process serves it.
[[nodiscard]] std::vector<issuer::IssuerSettings> issuer_settings(const settings::Settings& settings);
[[nodiscard]] std::shared_ptr<const listener::Config> listener_config(
    const settings::Listener& from, std::size_t index, std::size_t max_connections,
    std::shared_ptr<listener::ClientTally> tally, std::shared_ptr<const net::TicketKeys> ticket_keys);
[[nodiscard]] upstream::Config upstream_config(const settings::Upstream& from);

}  // namespace holdfast::parts
