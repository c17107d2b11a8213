#include "client_metrics.h"

namespace holdfast {
namespace {

using Tallies = std::span<const std::shared_ptr<listener::ClientTally>>;

// One sample for each listener and each of `names`, zeros included: a rate needs to have seen them.
template <typename Names, typename Count>
void write_each(std::span<const settings::Listener> listeners, Tallies tallies, std::string_view label,
                const Names& names, Count count, telemetry::Exposition& out) {
  for (std::size_t i = 0; i < tallies.size(); ++i) {
    for (std::size_t k = 0; k < names.size(); ++k) {
      out.sample({{"listener", listeners[i].name}, {label, names[k]}}, count(*tallies[i], k));
    }
  }
}

}  // namespace

void write_client_metrics(std::span<const settings::Listener> listeners, Tallies tallies,
                          telemetry::Exposition& out) {
  using listener::ClientTally;
  out.family("holdfast_connections", "gauge", "Connections of clients that are open.");
  for (std::size_t i = 0; i < tallies.size(); ++i) {
    out.sample({{"listener", listeners[i].name}}, std::uint64_t{tallies[i]->open()});
  }
  out.family("holdfast_connection_closes_total", "counter",
             "Connections that were ended because of what the client did or did not do.");
  write_each(
      listeners, tallies, "cause", listener::kCloseNames,
      [](const ClientTally& tally, std::size_t cause) { return tally.closes(cause); }, out);
  out.family("holdfast_stream_resets_total", "counter",
             "Streams of HTTP/2 that were reset because of what the client did or did not do.");
  write_each(
      listeners, tallies, "cause", listener::kStreamResetNames,
      [](const ClientTally& tally, std::size_t cause) { return tally.resets(cause); }, out);
  out.family("holdfast_http2_excess_total", "counter",
             "What clients of HTTP/2 sent that costs and asks for nothing.");
  write_each(
      listeners, tallies, "kind", listener::kExcessNames,
      [](const ClientTally& tally, std::size_t kind) { return tally.excess(kind); }, out);
  out.family("holdfast_accept_pauses_total", "counter",
             "Times that accepting paused at the limit on connections.");
  for (std::size_t i = 0; i < tallies.size(); ++i) {
    out.sample({{"listener", listeners[i].name}}, tallies[i]->pauses());
  }
}

}  // namespace holdfast
