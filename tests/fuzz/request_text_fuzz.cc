// A request as people have it: whatever it is, no crash, no empty request, no scheme but the two, and no
// error without words.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "cli/request_text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto read = holdfast::cli::read_request(text);
  if (!read) {
    if (read.error().empty()) std::abort();
    return 0;
  }
  if (read->bytes.empty()) std::abort();
  if (!read->scheme.empty() && read->scheme != "http" && read->scheme != "https") std::abort();
  return 0;
}
