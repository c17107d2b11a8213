// What two processes say to each other in a takeover: the first byte chooses the message, the rest is its
// payload. What parses is written again as the same bytes, so both ends hold the same; nothing else happens.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "takeover_messages.h"

namespace {

using namespace holdfast::takeover;

void check(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view payload(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (static_cast<Type>(data[0])) {
    case Type::kHello:
      if (const auto version = parse_hello(payload)) check(*version != kVersion || hello() == payload);
      break;
    case Type::kInherit:
      if (const auto estate = parse_inherit(payload)) {
        check(estate->store_age.count() >= 0 && !estate->nonce_secret.empty());
        check(inherit(*estate) == payload);
      }
      break;
    case Type::kSocket:
      if (const auto passed = parse_socket(payload)) {
        // Any byte but 0 says that it is kept, and 1 is what is written.
        check(socket(*passed).substr(1) == payload.substr(1) && passed->kept == (payload[0] != 0));
      }
      break;
    case Type::kEntries:
      if (const auto all = parse_entries(payload)) check(entries(*all) == payload);
      break;
    case Type::kClaim:
      if (const auto made = parse_claim(payload)) check(claim(*made) == payload);
      break;
    case Type::kResult:
      if (const auto told = parse_result(payload)) check(result(*told) == payload);
      break;
    default:
      break;
  }
  return 0;
}
