// Stateless nonces: see the header.
#include "dpop/nonce.h"

#include <algorithm>
#include <span>
#include <tuple>

#include "base/base64url.h"
#include "crypto/digest.h"

namespace holdfast::dpop {
namespace {

constexpr std::size_t kSlotSize = 8;
constexpr std::size_t kIdSize = 4;
constexpr std::size_t kMarkSize = std::tuple_size_v<NonceMark>;
constexpr std::size_t kTagSize = 16;
constexpr std::int64_t kSlotsPerLifetime = 10;

void put_number(std::string& text, std::int64_t number) {
  for (int shift = 56; shift >= 0; shift -= 8) {
    text.push_back(static_cast<char>(static_cast<std::uint64_t>(number) >> shift & 0xFF));
  }
}

std::int64_t get_number(std::string_view bytes) {
  std::uint64_t number = 0;
  for (const char octet : bytes) number = number << 8 | static_cast<unsigned char>(octet);
  return static_cast<std::int64_t>(number);
}

std::int64_t floor_divide(std::int64_t a, std::int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

Millis slot_length(Millis lifetime) {
  return Millis(std::max<Millis::rep>(lifetime.count() / kSlotsPerLifetime, 1));
}

}  // namespace

Millis nonce_accepted_for(Millis lifetime) {
  return lifetime + slot_length(lifetime);
}

NonceMark nonce_mark_of(const Secret& of_process) {
  const crypto::Digest256 digest = crypto::hmac_sha256(of_process.reveal(), "holdfast nonce mark");
  NonceMark mark{};
  std::ranges::copy(crypto::as_text(digest).substr(0, kMarkSize), mark.begin());
  return mark;
}

NonceIssuer::NonceIssuer(Secret current, std::optional<Secret> previous, Millis lifetime, NonceMark mark)
    : current_(make_key(std::move(current))),
      lifetime_(lifetime),
      slot_length_(slot_length(lifetime)),
      mark_(mark) {
  if (previous) previous_ = make_key(*std::move(previous));
}

NonceIssuer::Key NonceIssuer::make_key(Secret secret) {
  // Tells the secrets of a rotation apart without telling anything of them.
  const crypto::Digest256 digest = crypto::hmac_sha256(secret.reveal(), "holdfast nonce secret id");
  Key key{std::move(secret), {}};
  std::ranges::copy(crypto::as_text(digest).substr(0, kIdSize), key.id.begin());
  return key;
}

std::string NonceIssuer::bytes(const Key& key, std::int64_t slot, const NonceMark& mark) const {
  std::string message = "holdfast nonce";
  put_number(message, slot_length_.count());
  const std::size_t visible = message.size();
  put_number(message, slot);
  message.append(key.id.data(), key.id.size());
  message.append(mark.data(), mark.size());
  const crypto::Digest256 tag = crypto::hmac_sha256(key.secret.reveal(), message);
  return message.substr(visible).append(crypto::as_text(tag).substr(0, kTagSize));
}

std::string NonceIssuer::issue(UnixTime now) const {
  const std::string nonce =
      bytes(current_, floor_divide(now.time_since_epoch().count(), slot_length_.count()), mark_);
  return base64url_encode(std::span(reinterpret_cast<const std::uint8_t*>(nonce.data()), nonce.size()));
}

std::expected<NonceTimes, NonceFlaw> NonceIssuer::judge(std::string_view nonce, UnixTime now) const {
  constexpr std::size_t kSize = kSlotSize + kIdSize + kMarkSize + kTagSize;
  // Its length is known, so nobody makes us decode kilobytes.
  if (nonce.size() != (kSize * 8 + 5) / 6) return std::unexpected(NonceFlaw::kForged);
  const auto decoded = base64url_decode(nonce);
  if (!decoded) return std::unexpected(NonceFlaw::kForged);
  const std::string_view id = std::string_view(*decoded).substr(kSlotSize, kIdSize);
  const auto has_id = [id](const Key& key) { return std::string_view(key.id.data(), key.id.size()) == id; };
  const Key* const key = has_id(current_)                  ? &current_
                         : previous_ && has_id(*previous_) ? &*previous_
                                                           : nullptr;
  if (key == nullptr) return std::unexpected(NonceFlaw::kForged);
  const std::int64_t slot = get_number(std::string_view(*decoded).substr(0, kSlotSize));
  NonceMark mark{};
  std::ranges::copy(std::string_view(*decoded).substr(kSlotSize + kIdSize, kMarkSize), mark.begin());
  if (!crypto::constant_time_equal(bytes(*key, slot, mark), *decoded)) {
    return std::unexpected(NonceFlaw::kForged);
  }

  // From here on the slot is a number of ours, so the arithmetic cannot overflow.
  const UnixTime issued_at(slot_length_ * slot);
  const UnixTime last_accepted = issued_at + nonce_accepted_for(lifetime_);
  if (now < issued_at - slot_length_ || now > last_accepted) return std::unexpected(NonceFlaw::kStale);
  return NonceTimes{issued_at, last_accepted, now >= issued_at + lifetime_ / 2, mark == mark_};
}

}  // namespace holdfast::dpop
