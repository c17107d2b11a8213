// The fields of gRPC that Holdfast reads, as values: a deadline of a client's and a status of a backend's.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "answer/grpc.h"
#include "http/grpc_timeout.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace holdfast;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto timeout = http::parse_grpc_timeout(text)) {
    require(timeout->count() >= 0 && *timeout <= std::chrono::hours(99'999'999));
    require(size >= 2 && size <= 9);
  }
  http::Fields fields;
  fields.add("grpc-timeout", text);
  fields.add("grpc-status", text);
  require(http::grpc_timeout(fields) == http::parse_grpc_timeout(text));
  if (const auto status = answer::read_grpc_status(fields)) require(*status <= 999 && size <= 3);
  return 0;
}
