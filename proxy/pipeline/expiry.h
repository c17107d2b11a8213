// What a request keeps where its answer ends with its token (close_at_expiry): when that is, the alarm that
// looks, and of a WebSocket where its frames end. Request's own; what is done with it is in expiry.cc.
#pragma once

#include <memory>
#include <optional>

#include "base/time.h"
#include "http/websocket_frames.h"
#include "pipeline/ports.h"

namespace holdfast::pipeline {

struct WatchedTunnel {
  http::WebSocketFrames to_client;
  http::WebSocketFrames to_backend;
  bool client_told = false;  // with a Close, ours or the backend's own: nothing more goes that way
  bool backend_told = false;
};

struct Expiry {
  UnixTime at;
  std::unique_ptr<Alarm> alarm;
  std::optional<WatchedTunnel> tunnel;
  bool closing = false;  // the tunnel; then the alarm is for the end of patience
};

}  // namespace holdfast::pipeline
