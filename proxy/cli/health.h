// `holdfast health`: one plain GET to a probe, so that an image needs no curl for its health check.
#pragma once

#include <chrono>
#include <expected>
#include <string>
#include <string_view>

namespace holdfast::cli {

// The status code of the answer, within the time. Plain http only: probes are.
[[nodiscard]] std::expected<int, std::string> probe(std::string_view url, std::chrono::milliseconds timeout);

// 0 for a 2xx within 5 s, 1 otherwise, 2 for no URL.
[[nodiscard]] int health(std::string_view url);

}  // namespace holdfast::cli
