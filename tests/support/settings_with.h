// Settings with one of each part, as a machine without variables or files has them.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "settings/load.h"

namespace holdfast::support {

// `access` is their one route's.
inline settings::Settings settings_with(const std::string& access) {
  const settings::World nothing{[](std::string_view) { return std::nullopt; },
                                [](const std::filesystem::path&) { return settings::FileState::kMissing; },
                                [](const std::filesystem::path&) { return std::nullopt; },
                                {}};
  auto loaded = settings::load(
      "listeners: [{name: l, address: 127.0.0.1:1, tls: off}]\n"
      "issuers: [{name: i, url: https://id.example.com, audiences: any}]\n"
      "upstreams: [{name: u, servers: http://127.0.0.1}]\n"
      "routes: [{name: r, access: " +
          access + "}]\n",
      "f", nothing);
  EXPECT_TRUE(loaded.settings) << (loaded.errors.empty() ? "" : loaded.errors.front().message);
  return *std::move(loaded.settings);
}

}  // namespace holdfast::support
