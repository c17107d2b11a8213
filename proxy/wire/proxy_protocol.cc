#include "wire/proxy_protocol.h"

#include <algorithm>

namespace holdfast::wire {
namespace {

constexpr std::array<unsigned char, 12> kSignature{0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D,
                                                   0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A};
constexpr unsigned char kVersion2 = 0x20;
constexpr unsigned char kLocal = 0x0;
constexpr unsigned char kProxy = 0x1;
constexpr unsigned char kTcp4 = 0x11;
constexpr unsigned char kTcp6 = 0x21;
constexpr std::size_t kTcp4Size = 12;
constexpr std::size_t kTcp6Size = 36;

}  // namespace

ProxyHeaderDecoder::State ProxyHeaderDecoder::feed(std::span<const char> bytes) {
  for (std::size_t i = 0; i < bytes.size() && read_ + i < kept_.size(); ++i) {
    kept_[read_ + i] = static_cast<unsigned char>(bytes[i]);
  }
  read_ += bytes.size();
  // At once where it is something else, HTTP without a header for one: nobody waits for a deadline then.
  const std::size_t compared = std::min(read_, kSignature.size());
  if (!std::equal(kSignature.begin(), kSignature.begin() + static_cast<std::ptrdiff_t>(compared),
                  kept_.begin())) {
    return State::kFault;
  }
  if (size_ == 0 && read_ == kFixed && read_fixed() == State::kFault) return State::kFault;
  wanted_ = (size_ == 0 ? kFixed : size_) - read_;
  if (wanted_ > 0) return State::kNeedMore;
  return read_addresses();
}

ProxyHeaderDecoder::State ProxyHeaderDecoder::read_fixed() {
  const unsigned char version = kept_[12] & 0xF0;
  const unsigned char command = kept_[12] & 0x0F;
  const unsigned char family = kept_[13];
  const std::size_t length = std::size_t{kept_[14]} << 8 | kept_[15];
  if (version != kVersion2 || length > kMaxLength) return State::kFault;
  size_ = kFixed + length;
  if (command == kLocal) return State::kNeedMore;  // whatever the family says
  if (command != kProxy) return State::kFault;
  if (family == kTcp4) return length >= kTcp4Size ? State::kNeedMore : State::kFault;
  if (family == kTcp6) return length >= kTcp6Size ? State::kNeedMore : State::kFault;
  return State::kFault;
}

ProxyHeaderDecoder::State ProxyHeaderDecoder::read_addresses() {
  if ((kept_[12] & 0x0F) == kLocal) return State::kDone;
  const auto at = kept_.begin() + kFixed;
  if (kept_[13] == kTcp4) {
    std::array<std::uint8_t, 4> v4{};
    std::copy_n(at, v4.size(), v4.begin());
    source_ = http::IpAddress::v4(v4);
  } else {
    std::array<std::uint8_t, 16> v6{};
    std::copy_n(at, v6.size(), v6.begin());
    source_ = http::IpAddress::v6(v6);
  }
  return State::kDone;
}

}  // namespace holdfast::wire
