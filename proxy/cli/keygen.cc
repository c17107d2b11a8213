#include "cli/keygen.h"

#include <cstdio>
#include <string>

#include "cli/command_line.h"
#include "crypto/private_key.h"
#include "jose/algorithm.h"
#include "jose/jwk.h"

namespace holdfast::cli {

int keygen(std::string_view algorithm) {
  const auto known = jose::algorithm_named(algorithm);
  if (!known) {
    std::fprintf(stderr, "holdfast keygen: --alg must be one of %s\n",
                 jose::AlgorithmSet::all().names().c_str());
    return kUsage;
  }
  const auto key = crypto::PrivateKey::generate(jose::row_of(*known).signature);
  if (!key) {
    std::fprintf(stderr, "holdfast keygen: %s\n", key.error().c_str());
    return kFailed;
  }
  const auto pem = key->to_pem();
  if (!pem) {
    std::fprintf(stderr, "holdfast keygen: %s\n", pem.error().c_str());
    return kFailed;
  }
  const std::string_view text = pem->reveal();
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    std::fputs("holdfast keygen: the key could not be written\n", stderr);
    return kFailed;
  }
  std::fprintf(stderr, "thumbprint: %s\n", jose::thumbprint(key->public_key()).c_str());
  return kDone;
}

}  // namespace holdfast::cli
