// The PROXY header that stands before everything else on a connection. Its first input byte says how the rest
// is cut into pieces. No piece may make a difference, no byte beyond the header may be asked for, and the
// header ends within its bound.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "wire/proxy_protocol.h"

namespace {

using holdfast::wire::ProxyHeaderDecoder;

struct Outcome {
  ProxyHeaderDecoder::State state = ProxyHeaderDecoder::State::kNeedMore;
  std::size_t used = 0;
  std::optional<holdfast::http::IpAddress> source = {};
};

Outcome decode(std::span<const char> bytes, std::size_t piece) {
  ProxyHeaderDecoder decoder;
  Outcome out;
  while (out.state == ProxyHeaderDecoder::State::kNeedMore && out.used < bytes.size()) {
    if (decoder.wanted() == 0) std::abort();
    const std::size_t size = std::min({decoder.wanted(), piece, bytes.size() - out.used});
    out.state = decoder.feed(bytes.subspan(out.used, size));
    out.used += size;
  }
  if (out.state == ProxyHeaderDecoder::State::kDone) out.source = decoder.source();
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::span bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Outcome whole = decode(bytes, bytes.size() + 1);
  const Outcome pieces = decode(bytes, std::size_t{data[0]} + 1);
  if (whole.state != pieces.state || whole.source != pieces.source) std::abort();
  if (whole.state == ProxyHeaderDecoder::State::kDone && whole.used != pieces.used) std::abort();
  if (whole.used > 16 + ProxyHeaderDecoder::kMaxLength) std::abort();
  if (whole.source && whole.used < 16 + 12) std::abort();
  return 0;
}
