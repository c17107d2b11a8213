// The process that this one takes over from (`holdfast run --takeover PATH`; takeover_messages.h has the
// order of things). Before there is a server: what is inherited. Then, on the control thread: the entries of
// its replay store, the word to begin, and its claims for as long as it still has connections.
#pragma once

#include <expected>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "inherited_sockets.h"
#include "net/frame_link.h"
#include "net/worker.h"
#include "replay/memory_store.h"
#include "replay/worker_store.h"
#include "takeover_messages.h"

namespace holdfast {

struct Inheritance {
  takeover::Estate estate;
  std::vector<InheritedSocket> sockets;
  net::Descriptor link;
};

// nullopt: nobody listens at the path, so there is nobody to take over from. Blocking, seconds at most.
[[nodiscard]] std::expected<std::optional<Inheritance>, std::string> inherit_from(
    const std::filesystem::path& path);

class Predecessor {
 public:
  struct Events {
    std::function<void()> go;    // accept: it does not any more
    std::function<void()> gone;  // before `go`: it goes on serving, or it is dead; after: it has drained
  };

  // `claims` decides what it asks; of the control thread.
  Predecessor(net::Worker& control, net::Descriptor link, replay::MemoryStore& store,
              replay::WorkerStore& claims, Events events);
  ~Predecessor();
  Predecessor(const Predecessor&) = delete;
  Predecessor& operator=(const Predecessor&) = delete;

  // Everything here is ready to serve.
  void take();

 private:
  void on_frame(const net::Frame& frame);
  void broken();

  std::shared_ptr<net::FrameLink> link_;
  replay::MemoryStore& store_;
  replay::WorkerStore& claims_;
  Events events_;
};

}  // namespace holdfast
