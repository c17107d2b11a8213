// Which upstreams the process serves, by which number its workers know each (upstream/pools.h), and where
// their servers are: names are resolved again and again, and what changes is told. An upstream that a reload
// leaves as it was keeps its number, and with that its connections. Control thread only.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/resolver.h"
#include "net/worker.h"
#include "pipeline/ports.h"
#include "settings/model.h"
#include "upstream/config.h"
#include "upstream/shared_state.h"

namespace holdfast {

struct ServedUpstream {
  struct Server {
    std::optional<net::Endpoints> endpoints;  // known so far
    bool answered = false;                    // the first resolution has ended, well or not
    std::unique_ptr<net::Resolver> resolver;  // null for an address
  };

  settings::Upstream settings;
  std::string files;  // what its certificate files held
  upstream::Config config;
  std::size_t number = 0;
  std::vector<Server> servers;
};

class ServedUpstreams {
 public:
  using List = std::vector<std::shared_ptr<ServedUpstream>>;
  // Server `server` of upstream `number` has these addresses now.
  using Moved = std::function<void(std::size_t number, std::size_t server, const net::Endpoints& endpoints)>;

  ServedUpstreams(net::Worker& control, std::shared_ptr<upstream::SharedState> shared,
                  pipeline::EventLog& log, Moved moved);

  // The upstreams of these settings: those served now where nothing changed, others new, and resolving.
  // parts::StartError names a file that is wrong; then nothing has begun.
  [[nodiscard]] List prepare(const std::vector<settings::Upstream>& upstreams);
  // Every name was looked up once.
  [[nodiscard]] static bool settled(const List& list);

  struct Difference {
    List added;
    List removed;
  };
  // Serves this list from now on; names of others are looked up no more.
  Difference commit(List list);
  [[nodiscard]] const List& served() const { return served_; }
  // Ends all resolving.
  void stop();

 private:
  [[nodiscard]] std::shared_ptr<ServedUpstream> unchanged(const settings::Upstream& settings,
                                                          const std::string& files) const;
  void resolve(ServedUpstream& upstream);
  void end(ServedUpstream& upstream);

  net::Worker& control_;
  std::shared_ptr<upstream::SharedState> shared_;
  pipeline::EventLog& log_;
  Moved moved_;
  List served_;
  std::vector<std::unique_ptr<net::Resolver>> ending_;  // may sit in a lookup that nobody can interrupt
};

}  // namespace holdfast
