// What strings and vectors do not do by themselves: give their memory back. clear() keeps it, and so does `=
// {}`; ten thousand idle connections must not each keep the largest message that they ever carried. Pure; any
// thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>

namespace holdfast {

template <typename Buffer>
void release_memory(Buffer& buffer) {
  Buffer().swap(buffer);
}

// Appends to what is bounded and may rest for long: std::string would take twice what it needs.
inline void append_tightly(std::string& buffer, std::span<const char> bytes) {
  const std::size_t size = buffer.size() + bytes.size();
  if (size > buffer.capacity()) {
    std::string larger;
    larger.reserve(std::max(size, buffer.capacity() + buffer.capacity() / 4));
    larger.append(buffer);
    buffer.swap(larger);
  }
  buffer.append(bytes.data(), bytes.size());
}

}  // namespace holdfast
