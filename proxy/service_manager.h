// What systemd (or anything that speaks like it) gives a service and wants to hear: sockets that it opened
// (LISTEN_FDS, sd_listen_fds(3)) and one word a change of state (NOTIFY_SOCKET, sd_notify(3)). Nothing of it
// happens where the variables are not set. Control thread.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "inherited_sockets.h"

namespace holdfast {

// The sockets that were passed to this very process, now non-blocking and not inherited further. The
// variables are gone afterwards. The error is a sentence for the operator.
[[nodiscard]] std::expected<std::vector<InheritedSocket>, std::string> take_listen_fds();

// "READY=1", "STOPPING=1", ...; lines. Never blocks, and nobody waits for an answer.
void notify_service_manager(std::string_view state);

}  // namespace holdfast
