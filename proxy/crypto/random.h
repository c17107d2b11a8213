// Random bytes from OpenSSL's generator. Only ring 2 and below may call it: to rings 0 and 1 randomness is an
// argument. Any thread.
#pragma once

#include <cstddef>
#include <string>

namespace holdfast::crypto {

// `count` unpredictable bytes. Throws std::runtime_error where the generator has none to give: nothing can go
// on without.
[[nodiscard]] std::string random_bytes(std::size_t count);

}  // namespace holdfast::crypto
