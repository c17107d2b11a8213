// What two processes say to each other while one takes over from the other (docs/operations.md), as bytes.
// Both are this program, of one user, on one machine; numbers are in its own order. What does not parse ends
// the takeover. Pure.
//
//   successor                         predecessor
//   kHello {version}        ->
//                           <-        kInherit {age, secrets}, kSocket {name} + descriptors ..., kSocketsEnd
//   (starts, fetches keys)            (serves)
//   kTake                   ->
//                           <-        kEntries ...        live entries, while claims go on and are noted
//                           <-        kEntries, kSwitch   the noted ones; from here claims wait
//   kSwitched               ->                            all is here
//                           <-        kGo                 accepts no more, never takes back
//   (accepts)               <-        kClaim {number, claim} ...
//   kResult {number, result} ...      (until its last connection has ended)
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"
#include "pipeline/ports.h"
#include "replay/memory_store.h"

namespace holdfast::takeover {

enum class Type : std::uint8_t {
  kHello = 1,
  kInherit,
  kSocket,
  kSocketsEnd,
  kTake,
  kEntries,
  kSwitch,
  kSwitched,
  kGo,
  kClaim,
  kResult,
};

inline constexpr std::uint32_t kVersion = 3;

// What makes a successor the same process to clients, beside its sockets.
struct Estate {
  std::chrono::milliseconds store_age{};    // since the replay store was born
  Secret nonce_secret;                      // of the process
  Secret ticket_keys;                       // a ring of session ticket keys; may be empty
  std::chrono::milliseconds reach{};        // how long after their iat all proofs are accepted there
  std::chrono::milliseconds clock_skew{};   // dpop.clock_skew
  std::chrono::milliseconds drain{};        // shutdown.drain: so long it goes on by its rules
  std::string nonce_demands;                // parts::nonce_demands
  UnixTime nonces_since = UnixTime::min();  // dpop::Window
};

struct Claim {
  std::uint64_t number = 0;
  pipeline::ReplayClaim claim{};
};

struct Result {
  std::uint64_t number = 0;
  pipeline::ReplayResult result = pipeline::ReplayResult::kUnavailable;
};

[[nodiscard]] std::string hello();
[[nodiscard]] std::optional<std::uint32_t> parse_hello(std::string_view payload);

[[nodiscard]] std::string inherit(const Estate& estate);
[[nodiscard]] std::optional<Estate> parse_inherit(std::string_view payload);

struct Socket {
  std::string name;
  bool kept = false;  // InheritedSocket::kept
};
[[nodiscard]] std::string socket(const Socket& socket);
[[nodiscard]] std::optional<Socket> parse_socket(std::string_view payload);

// As many as fit into one message.
inline constexpr std::size_t kEntriesPerMessage = 1000;
[[nodiscard]] std::string entries(std::span<const replay::LiveEntry> entries);
[[nodiscard]] std::optional<std::vector<replay::LiveEntry>> parse_entries(std::string_view payload);

[[nodiscard]] std::string claim(const Claim& claim);
[[nodiscard]] std::optional<Claim> parse_claim(std::string_view payload);

[[nodiscard]] std::string result(const Result& result);
[[nodiscard]] std::optional<Result> parse_result(std::string_view payload);

}  // namespace holdfast::takeover
