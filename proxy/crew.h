// One worker with everything that lives on it; members go in reverse order, the loop last. Made by the thread
// that starts everything, then its own thread's.
#pragma once

#include <atomic>
#include <memory>
#include <utility>
#include <vector>

#include "issuer/issuers.h"
#include "listener/listener.h"
#include "net/worker.h"
#include "pipeline/request_flow.h"
#include "replay/memory_store.h"
#include "replay/worker_store.h"
#include "telemetry/log.h"
#include "telemetry/remembered.h"
#include "telemetry/request_metrics.h"
#include "upstream/pools.h"
#include "wheel_alarms.h"

namespace holdfast {

struct Crew {
  Crew(unsigned index, net::Worker& control, issuer::Issuers& issuers, replay::MemoryStore& replay,
       telemetry::Log& log, std::shared_ptr<upstream::SharedState> shared,
       std::shared_ptr<const pipeline::Rules> rules, const std::atomic<bool>& overloaded)
      : worker(index),
        remembered(log),
        metrics(remembered),
        keys(issuers.view_for(worker.io())),
        introspections(issuers.introspections().view_for(worker.io())),
        claims(replay, worker, control),
        pools(worker, {}, std::move(shared)),
        alarms(worker.wheel()),
        flow({.keys = *keys,
              .introspector = *introspections,
              .replay = claims,
              .upstreams = pools,
              .log = metrics,
              .alarms = alarms,
              .now = &net::Worker::now,
              .overloaded = &overloaded},
             std::move(rules)) {}
  ~Crew() {
    keys->abandon();
    introspections->abandon();
  }

  net::Worker worker;
  telemetry::Remembered remembered;
  telemetry::RequestMetrics metrics;
  std::shared_ptr<issuer::WorkerKeys> keys;
  std::shared_ptr<issuer::WorkerIntrospections> introspections;
  replay::WorkerStore claims;
  upstream::Pools pools;
  WheelAlarms alarms;
  pipeline::RequestFlow flow;
  std::vector<Ref<listener::Listener>> listeners;  // several of one config where sockets were inherited
};

}  // namespace holdfast
