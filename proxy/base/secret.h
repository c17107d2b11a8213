// A secret that cannot be printed, compared or copied by accident, and whose memory is wiped when it goes.
// Any thread, as long as one at a time.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace holdfast {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  Secret(Secret&& other) noexcept : value_(std::move(other.value_)) { other.wipe(); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      wipe();
      value_ = std::move(other.value_);
      other.wipe();
    }
    return *this;
  }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { wipe(); }

  // The one way to the bytes; its name is there to be searched for.
  [[nodiscard]] std::string_view reveal() const { return value_; }
  [[nodiscard]] bool empty() const { return value_.empty(); }

 private:
  void wipe() {
    // Up to the capacity: a short string that was moved away leaves its bytes behind with a size of zero.
    value_.resize(value_.capacity());
    // volatile, so that the stores are not removed as dead
    volatile char* at = value_.data();
    for (std::size_t i = 0; i < value_.size(); ++i) at[i] = 0;
    value_.clear();
  }

  std::string value_;
};

}  // namespace holdfast
