// The story's alarms on the worker's wheel. Worker's thread only.
#pragma once

#include <memory>

#include "net/timer_wheel.h"
#include "pipeline/ports.h"

namespace holdfast {

class WheelAlarms final : public pipeline::Alarms {
 public:
  explicit WheelAlarms(net::TimerWheel& wheel) : wheel_(wheel) {}

  [[nodiscard]] std::unique_ptr<pipeline::Alarm> make(pipeline::AlarmOwner& owner) override {
    return std::make_unique<WheelAlarm>(wheel_, owner);
  }

 private:
  class WheelAlarm final : public pipeline::Alarm, private net::Expirable {
   public:
    WheelAlarm(net::TimerWheel& wheel, pipeline::AlarmOwner& owner)
        : owner_(owner), deadline_(wheel, *this) {}
    void arm(Millis after) override { deadline_.arm(after); }

   private:
    void on_deadline(int /*which*/) override { owner_.on_alarm(); }

    pipeline::AlarmOwner& owner_;
    net::Deadline deadline_;
  };

  net::TimerWheel& wheel_;
};

}  // namespace holdfast
