// A bump allocator for the bytes of one message head: views into it stay valid while it lives, also when it
// is moved. Bytes that other messages hold as well may be kept instead of copied. Not thread-safe: one arena
// belongs to one message.
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
  using Release = void (*)(void*);

  Arena() = default;
  Arena(Arena&& other) noexcept
      : chunks_(std::exchange(other.chunks_, {})),
        kept_(std::exchange(other.kept_, {})),
        release_(other.release_),
        at_(std::exchange(other.at_, nullptr)),
        left_(std::exchange(other.left_, 0)) {}
  Arena& operator=(Arena&& other) noexcept {
    if (this == &other) return *this;
    let_go();
    chunks_ = std::exchange(other.chunks_, {});
    kept_ = std::exchange(other.kept_, {});
    release_ = other.release_;
    at_ = std::exchange(other.at_, nullptr);
    left_ = std::exchange(other.left_, 0);
    return *this;
  }
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena() { let_go(); }

  // Room for `size` bytes, unaligned and uninitialised.
  [[nodiscard]] char* allocate(std::size_t size) {
    // What would fill a chunk gets its own and does not end the one under way: many large strings among small
    // ones would waste the better part of a chunk each.
    if (size > kChunk / 2 && size > left_) return new_chunk(size);
    if (size > left_) {
      at_ = new_chunk(kChunk);
      left_ = kChunk;
    }
    left_ -= size;
    return std::exchange(at_, at_ + size);
  }

  // Something that holds bytes which views point into, and which others hold, too. The arena lets go of it at
  // its end, by `release`: the same function for all that one arena keeps.
  void keep(void* shared, Release release) {
    kept_.push_back(shared);
    release_ = release;
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
  // What a proxy adds to a head fits into one or two; a hundred requests on one connection hold a hundred.
  static constexpr std::size_t kChunk = 512;

  char* new_chunk(std::size_t size) {
    chunks_.push_back(std::make_unique_for_overwrite<char[]>(size));
    return chunks_.back().get();
  }
  void let_go() {
    for (void* const shared : kept_) release_(shared);
    kept_.clear();
  }

  std::vector<std::unique_ptr<char[]>> chunks_;
  std::vector<void*> kept_;
  Release release_ = nullptr;
  char* at_ = nullptr;
  std::size_t left_ = 0;
};

}  // namespace holdfast
