// What clients hold and were ended for, listener by listener, in Prometheus's text format. Any thread.
#pragma once

#include <memory>
#include <span>

#include "listener/client_tally.h"
#include "settings/model.h"
#include "telemetry/exposition.h"

namespace holdfast {

// holdfast_connections, holdfast_connection_closes_total, holdfast_stream_resets_total,
// holdfast_http2_excess_total and holdfast_accept_pauses_total. `tallies` are those of `listeners`, in order.
void write_client_metrics(std::span<const settings::Listener> listeners,
                          std::span<const std::shared_ptr<listener::ClientTally>> tallies,
                          telemetry::Exposition& out);

}  // namespace holdfast
