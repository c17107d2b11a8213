// A number's decimal digits, for as long as it lives: lengths and statuses in field lists. No thread.
#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace holdfast::wire {

class Digits {
 public:
  explicit Digits(std::uint64_t number)
      : size_(static_cast<std::size_t>(std::to_chars(text_.data(), text_.data() + text_.size(), number).ptr -
                                       text_.data())) {}
  [[nodiscard]] std::string_view view() const { return {text_.data(), size_}; }

 private:
  std::array<char, 20> text_{};  // before size_, which is made from it
  std::size_t size_;
};

}  // namespace holdfast::wire
