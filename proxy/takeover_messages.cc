#include "takeover_messages.h"

#include <cstring>
#include <type_traits>
#include <utility>

namespace holdfast::takeover {
namespace {

using std::chrono::milliseconds;

template <typename T>
void put(std::string& out, const T& value) {
  static_assert(std::is_trivially_copyable_v<T>);
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void put_text(std::string& out, std::string_view text) {
  put(out, static_cast<std::uint32_t>(text.size()));
  out += text;
}

// Takes a message apart from the front; broken() once something was not there.
class Reader {
 public:
  explicit Reader(std::string_view rest) : rest_(rest) {}

  template <typename T>
  T take() {
    T value{};
    const std::string_view bytes = take_bytes(sizeof value);
    if (!broken_) std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  }
  milliseconds take_time() { return milliseconds(take<std::int64_t>()); }
  std::string_view take_text() { return take_bytes(take<std::uint32_t>()); }

  [[nodiscard]] bool empty() const { return rest_.empty(); }
  // Everything was there, and nothing is left.
  [[nodiscard]] bool whole() const { return !broken_ && rest_.empty(); }
  [[nodiscard]] bool broken() const { return broken_; }

 private:
  std::string_view take_bytes(std::size_t size) {
    if (broken_ || size > rest_.size()) {
      broken_ = true;
      return {};
    }
    const std::string_view bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return bytes;
  }

  std::string_view rest_;
  bool broken_ = false;
};

}  // namespace

std::string hello() {
  std::string out;
  put(out, kVersion);
  return out;
}

std::optional<std::uint32_t> parse_hello(std::string_view payload) {
  Reader in(payload);
  const auto version = in.take<std::uint32_t>();
  return in.whole() ? std::optional(version) : std::nullopt;
}

std::string inherit(const Estate& estate) {
  std::string out;
  put(out, std::int64_t{estate.store_age.count()});
  put_text(out, estate.nonce_secret.reveal());
  put_text(out, estate.ticket_keys.reveal());
  put(out, std::int64_t{estate.reach.count()});
  put(out, std::int64_t{estate.clock_skew.count()});
  put(out, std::int64_t{estate.drain.count()});
  put_text(out, estate.nonce_demands);
  put(out, std::int64_t{estate.nonces_since.time_since_epoch().count()});
  return out;
}

std::optional<Estate> parse_inherit(std::string_view payload) {
  Reader in(payload);
  Estate estate;
  estate.store_age = in.take_time();
  estate.nonce_secret = Secret(std::string(in.take_text()));
  estate.ticket_keys = Secret(std::string(in.take_text()));
  estate.reach = in.take_time();
  estate.clock_skew = in.take_time();
  estate.drain = in.take_time();
  estate.nonce_demands = in.take_text();
  estate.nonces_since = UnixTime(in.take_time());
  // A store from the future would take every proof for one from before its birth.
  if (!in.whole() || estate.store_age.count() < 0 || estate.nonce_secret.empty()) return std::nullopt;
  if (estate.clock_skew.count() < 0 || estate.reach < estate.clock_skew || estate.drain.count() < 0)
    return std::nullopt;
  return estate;
}

std::string socket(const Socket& socket) {
  std::string out;
  put(out, static_cast<std::uint8_t>(socket.kept ? 1 : 0));
  put_text(out, socket.name);
  return out;
}

std::optional<Socket> parse_socket(std::string_view payload) {
  Reader in(payload);
  Socket socket;
  socket.kept = in.take<std::uint8_t>() != 0;
  socket.name = in.take_text();
  return in.whole() ? std::optional(std::move(socket)) : std::nullopt;
}

std::string entries(std::span<const replay::LiveEntry> entries) {
  std::string out;
  for (const replay::LiveEntry& entry : entries) {
    put(out, entry.id);
    put(out, entry.key);
    put(out, std::int64_t{entry.keep.count()});
  }
  return out;
}

std::optional<std::vector<replay::LiveEntry>> parse_entries(std::string_view payload) {
  Reader in(payload);
  std::vector<replay::LiveEntry> all;
  while (!in.empty() && !in.broken()) {
    replay::LiveEntry entry{};
    entry.id = in.take<replay::Id>();
    entry.key = in.take<replay::Id>();
    entry.keep = in.take_time();
    all.push_back(entry);
  }
  return in.whole() ? std::optional(std::move(all)) : std::nullopt;
}

std::string claim(const Claim& claim) {
  std::string out;
  put(out, claim.number);
  put(out, claim.claim.id);
  put(out, claim.claim.key);
  put(out, std::int64_t{claim.claim.issued.time_since_epoch().count()});
  put(out, std::int64_t{claim.claim.keep.count()});
  return out;
}

std::optional<Claim> parse_claim(std::string_view payload) {
  Reader in(payload);
  Claim claim;
  claim.number = in.take<std::uint64_t>();
  claim.claim.id = in.take<std::array<std::uint8_t, 32>>();
  claim.claim.key = in.take<std::array<std::uint8_t, 32>>();
  claim.claim.issued = UnixTime(in.take_time());
  claim.claim.keep = in.take_time();
  return in.whole() ? std::optional(claim) : std::nullopt;
}

std::string result(const Result& result) {
  std::string out;
  put(out, result.number);
  put(out, static_cast<std::uint8_t>(result.result));
  return out;
}

std::optional<Result> parse_result(std::string_view payload) {
  Reader in(payload);
  const auto number = in.take<std::uint64_t>();
  const auto word = in.take<std::uint8_t>();
  if (!in.whole() || word > static_cast<std::uint8_t>(pipeline::ReplayResult::kUnavailable)) {
    return std::nullopt;
  }
  return Result{number, static_cast<pipeline::ReplayResult>(word)};
}

}  // namespace holdfast::takeover
