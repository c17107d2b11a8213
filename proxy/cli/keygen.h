// `holdfast keygen`: a fresh private key as PEM on stdout, its RFC 7638 thumbprint (the `jkt` that a token
// would be bound to) on stderr.
#pragma once

#include <string_view>

namespace holdfast::cli {

// 0, 2 for an algorithm that is not known, 1 where no key could be made.
[[nodiscard]] int keygen(std::string_view algorithm);

}  // namespace holdfast::cli
