// What a request keeps where its answer may be ended from here: with its token (close_at_expiry), or, if it
// is a WebSocket, with this process. When the token's end is, the alarm that looks, and of a WebSocket where
// its frames end. Request's own; what is done with it is in expiry.cc.
#pragma once

#include <memory>
#include <optional>

#include "base/time.h"
#include "http/websocket_frames.h"
#include "pipeline/exchange.h"
#include "pipeline/ports.h"

namespace holdfast::pipeline {

struct WatchedTunnel {
  http::WebSocketFrames to_client;
  http::WebSocketFrames to_backend;
  bool client_told = false;  // with a Close, ours or the backend's own: nothing more goes that way
  bool backend_told = false;
};

struct Expiry {
  std::optional<UnixTime> at;  // nullopt: not with its token
  std::unique_ptr<Alarm> alarm;
  std::optional<WatchedTunnel> tunnel;
  std::optional<Cause> closing;  // the tunnel, and why; then the alarm is for the end of patience
};

}  // namespace holdfast::pipeline
