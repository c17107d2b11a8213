// Compact JWS: whatever is split is put together again from its segments, byte for byte.
#include "jose/jws.h"

#include <cstdint>
#include <cstdlib>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto jws = holdfast::jose::split_compact(text, holdfast::jose::kMaxTokenSize);
  if (!jws) return 0;
  const std::string again =
      std::string(jws->header).append(".").append(jws->payload).append(".").append(jws->signature);
  if (again != text || jws->header.empty() || jws->payload.empty() || jws->signature.empty()) std::abort();
  if (std::string(jws->signing_input).append(".").append(jws->signature) != text) std::abort();
  return 0;
}
