// A bump allocator for the bytes of one message head: views into it stay valid while it lives, also when it
// is moved. Not thread-safe: one arena belongs to one message.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace holdfast {

class Arena {
 public:
  Arena() = default;
  Arena(Arena&& other) noexcept
      : chunks_(std::move(other.chunks_)),
        at_(std::exchange(other.at_, nullptr)),
        left_(std::exchange(other.left_, 0)) {
    other.chunks_.clear();
  }
  Arena& operator=(Arena&& other) noexcept {
    chunks_ = std::move(other.chunks_);
    other.chunks_.clear();
    at_ = std::exchange(other.at_, nullptr);
    left_ = std::exchange(other.left_, 0);
    return *this;
  }
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // Room for `size` bytes, unaligned and uninitialised.
  [[nodiscard]] char* allocate(std::size_t size) {
    if (size > left_) grow(size);
    left_ -= size;
    return std::exchange(at_, at_ + size);
  }

  // A copy of `text` that lives as long as the arena.
  std::string_view store(std::string_view text) {
    if (text.empty()) return {};
    char* const copy = allocate(text.size());
    std::memcpy(copy, text.data(), text.size());
    return {copy, text.size()};
  }

  // A copy of the parts put together.
  template <typename... Parts>
  std::string_view concat(const Parts&... parts) {
    const std::size_t size = (std::size_t{0} + ... + std::string_view(parts).size());
    if (size == 0) return {};
    char* const start = allocate(size);
    char* at = start;
    ((std::memcpy(at, std::string_view(parts).data(), std::string_view(parts).size()),
      at += std::string_view(parts).size()),
     ...);
    return {start, size};
  }

 private:
  static constexpr std::size_t kChunk = 2048;

  void grow(std::size_t size) {
    const std::size_t chunk = size > kChunk ? size : kChunk;
    chunks_.push_back(std::make_unique_for_overwrite<char[]>(chunk));
    at_ = chunks_.back().get();
    left_ = chunk;
  }

  std::vector<std::unique_ptr<char[]>> chunks_;
  char* at_ = nullptr;
  std::size_t left_ = 0;
};

}  // namespace holdfast
