// The requests of a run, made before the clock starts: plain GETs, or GETs with an access token and a proof
// that is signed for this one request. Signing costs the generator more than the server's work, so it must
// not happen during.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace holdfast::bench {

struct DpopPlan {
  std::string issuer;      // `iss`
  std::string issuer_key;  // PEM file, as `holdfast_load issuer` wrote it
  std::string issuer_alg;
  std::string kid;
  std::string audience;
  std::size_t keys =
      100;  // clients, each with one token; 0: a new key and token for every request (cold caches)
};

[[nodiscard]] std::string plain_request(const std::string& host, const std::string& path);

// `count` requests whose proofs name https://host/path. Their `iat` is now.
[[nodiscard]] std::vector<std::string> dpop_requests(const DpopPlan& plan, const std::string& host,
                                                     const std::string& path, std::size_t count);

}  // namespace holdfast::bench
