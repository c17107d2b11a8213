// A worker's deadlines: a hashed wheel of 10 ms slots, turned by one Asio timer of the worker's, which sleeps
// until the next slot in use and stops when there is none. Arming and cancelling are O(1), without allocation
// or system call, because every request moves several deadlines and hardly any ever expires: a deadline that
// moves later keeps its place and is looked at again when that comes round. A deadline never fires early and
// at most two ticks late while the loop is not busy. Deadlines that were armed together fall due together, a
// thousand slow clients' in one tick, and each ends an exchange: a turn of the loop sees some of them end,
// and other work is done between. Worker's thread only.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>

#include "base/time.h"

namespace holdfast::net {

class TimerWheel;

// Told when a deadline of its own passes. `which` is the number given at construction of the deadline.
class Expirable {
 public:
  virtual void on_deadline(int which) = 0;

 protected:
  ~Expirable() = default;
};

// A place in a circular list.
struct WheelNode {
  WheelNode* next = this;
  WheelNode* previous = this;
  WheelNode() = default;
  WheelNode(const WheelNode&) = delete;
  WheelNode& operator=(const WheelNode&) = delete;
  [[nodiscard]] bool linked() const { return next != this; }
  void unlink();
  void link_before(WheelNode& other);
};

// A deadline inside its owner; arming it again moves it; destroying it disarms it. Must not outlive its
// worker. The owner may destroy the deadline inside on_deadline().
class Deadline : private WheelNode {
 public:
  Deadline(TimerWheel& wheel, Expirable& owner, int which = 0)
      : wheel_(wheel), owner_(owner), which_(which) {}
  ~Deadline();
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  void arm(std::chrono::milliseconds after);
  void cancel() { armed_ = false; }
  [[nodiscard]] bool armed() const { return armed_; }

 private:
  friend class TimerWheel;
  TimerWheel& wheel_;
  Expirable& owner_;
  int which_;
  bool armed_ = false;
  std::uint64_t tick_ = 0;    // when it is due
  std::uint64_t placed_ = 0;  // the tick of the slot that it is linked in
};

class TimerWheel {
 public:
  using Clock = SteadyTime (*)();
  static constexpr std::chrono::milliseconds kTick{10};

  explicit TimerWheel(Clock clock = &std::chrono::steady_clock::now);
  ~TimerWheel();
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  // Of what comes in heaps and costs as much as a request; also for the worker's other heaps.
  static constexpr std::size_t kMostATurn = 2;

  // Fires what is due, no more than kMostATurn, those that were due first before others.
  void advance();
  // How long one may sleep before advance() is worth calling: nothing while some are left that are due;
  // negative: for ever, the wheel is empty. A deadline that is due sooner than was said last is reported by
  // `sooner`.
  [[nodiscard]] std::chrono::milliseconds until_next();
  void on_sooner(std::function<void()> sooner) { sooner_ = std::move(sooner); }
  [[nodiscard]] bool empty() const { return nodes_ == 0; }

 private:
  friend class Deadline;
  static constexpr std::size_t kSlots = 1024;
  static constexpr std::uint64_t kNever = ~std::uint64_t{0};

  [[nodiscard]] std::uint64_t current_tick() const;
  void place(Deadline& deadline);
  void remove(Deadline& deadline);
  [[nodiscard]] bool may_hold(std::size_t slot) const { return (used_[slot / 64] >> (slot % 64) & 1) != 0; }
  void visit(std::size_t slot, std::uint64_t tick);
  void turn_to(std::uint64_t now);
  void tell(std::uint64_t now);
  void disarm_all(WheelNode& list);

  Clock clock_;
  SteadyTime origin_;
  std::uint64_t turned_to_ = 0;       // every slot up to this tick has been visited
  std::uint64_t announced_ = kNever;  // the tick that until_next() spoke of
  std::size_t nodes_ = 0;
  std::function<void()> sooner_;
  WheelNode due_;  // expired, to be told
  std::array<WheelNode, kSlots> slots_;
  std::array<std::uint64_t, kSlots / 64> used_{};  // a bit for each slot that may hold something
};

}  // namespace holdfast::net
