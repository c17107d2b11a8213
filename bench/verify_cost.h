// The unit of account of the benchmark: one ES256 signature verified by OpenSSL, as any verifier must do for
// each proof.
#pragma once

#include <cstddef>

namespace holdfast::bench {

// CPU nanoseconds of one EVP_DigestVerify over a proof-sized message, init included and the key parsed
// beforehand.
[[nodiscard]] double es256_verify_nanoseconds(std::size_t rounds);

}  // namespace holdfast::bench
