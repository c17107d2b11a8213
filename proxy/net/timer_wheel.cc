#include "net/timer_wheel.h"

#include <algorithm>

namespace holdfast::net {

void WheelNode::unlink() {
  next->previous = previous;
  previous->next = next;
  next = previous = this;
}

void WheelNode::link_before(WheelNode& other) {
  next = &other;
  previous = other.previous;
  previous->next = this;
  other.previous = this;
}

Deadline::~Deadline() {
  if (linked()) wheel_.remove(*this);
}

void Deadline::arm(std::chrono::milliseconds after) {
  // Ticks are rounded down and the slot of the running tick is over, hence the one more: never early.
  const auto due = wheel_.clock_() + std::max(after, std::chrono::milliseconds(0)) - wheel_.origin_;
  tick_ = static_cast<std::uint64_t>(due / TimerWheel::kTick) + 1;
  armed_ = true;
  if (linked() && tick_ >= placed_) return;
  if (linked()) wheel_.remove(*this);
  wheel_.place(*this);
}

TimerWheel::TimerWheel(Clock clock) : clock_(clock), origin_(clock()) {}

TimerWheel::~TimerWheel() {
  for (WheelNode& slot : slots_) disarm_all(slot);
  disarm_all(due_);
}

void TimerWheel::disarm_all(WheelNode& list) {
  while (list.linked()) {
    auto& deadline = static_cast<Deadline&>(*list.next);
    deadline.armed_ = false;
    remove(deadline);
  }
}

std::uint64_t TimerWheel::current_tick() const {
  return static_cast<std::uint64_t>((clock_() - origin_) / kTick);
}

void TimerWheel::place(Deadline& deadline) {
  // A deadline re-armed late, from a list of due ones, must still lie ahead of the hand.
  deadline.placed_ = std::max(deadline.tick_, turned_to_ + 1);
  const std::size_t slot = deadline.placed_ % kSlots;
  deadline.link_before(slots_[slot]);
  used_[slot / 64] |= std::uint64_t{1} << (slot % 64);
  ++nodes_;
  if (deadline.placed_ < announced_ && sooner_) {
    announced_ = deadline.placed_;
    sooner_();
  }
}

void TimerWheel::remove(Deadline& deadline) {
  deadline.unlink();
  --nodes_;
}

void TimerWheel::visit(std::size_t slot, std::uint64_t tick) {
  WheelNode& head = slots_[slot];
  WheelNode* node = head.next;
  while (node != &head) {
    auto& deadline = static_cast<Deadline&>(*node);
    node = node->next;
    if (!deadline.armed_) {
      remove(deadline);
    } else if (deadline.tick_ <= tick) {
      deadline.unlink();
      deadline.link_before(due_);
    } else if (deadline.tick_ % kSlots != slot) {
      remove(deadline);
      place(deadline);
    } else {
      deadline.placed_ = deadline.tick_;
    }
  }
  if (!head.linked()) used_[slot / 64] &= ~(std::uint64_t{1} << (slot % 64));
}

void TimerWheel::advance() {
  const std::uint64_t now = current_tick();
  turn_to(now);
  tell(now);
}

// Moves what has fallen due behind what is left of before.
void TimerWheel::turn_to(std::uint64_t now) {
  if (now == turned_to_) return;
  const std::uint64_t first = now - turned_to_ > kSlots ? now - kSlots + 1 : turned_to_ + 1;
  // Set before the visits: what they move lies ahead of now.
  turned_to_ = now;
  if (nodes_ == 0) return;
  for (std::uint64_t tick = first; tick <= now; ++tick) {
    if (may_hold(tick % kSlots)) visit(tick % kSlots, now);
  }
}

void TimerWheel::tell(std::uint64_t now) {
  for (std::size_t told = 0; told < kMostATurn && due_.linked();) {
    auto& deadline = static_cast<Deadline&>(*due_.next);
    remove(deadline);
    if (!deadline.armed_) continue;
    if (deadline.tick_ > now) {  // armed again while it waited here
      place(deadline);
      continue;
    }
    deadline.armed_ = false;
    ++told;
    deadline.owner_.on_deadline(deadline.which_);
  }
}

std::chrono::milliseconds TimerWheel::until_next() {
  if (due_.linked()) {
    announced_ = 0;
    return std::chrono::milliseconds(0);
  }
  announced_ = kNever;
  if (nodes_ == 0) return std::chrono::milliseconds(-1);
  std::uint64_t tick = turned_to_ + 1;
  const std::uint64_t end = turned_to_ + kSlots;
  while (tick < end && !may_hold(tick % kSlots)) {
    // Whole words of unused slots at once: this runs before every wait.
    tick += tick % 64 == 0 && used_[tick % kSlots / 64] == 0 ? 64u : 1u;
  }
  tick = std::min(tick, end);
  announced_ = tick;
  const auto left = origin_ + kTick * static_cast<std::int64_t>(tick) - clock_();
  return std::max(std::chrono::ceil<std::chrono::milliseconds>(left), std::chrono::milliseconds(0));
}

}  // namespace holdfast::net
