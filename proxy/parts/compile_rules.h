// From the settings to the rules that requests are judged by. Start-up and reload only; any one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/rules.h"
#include "settings/model.h"

namespace holdfast::parts {

// What issuers and upstreams of the settings are called by the parts that serve them, in the settings' order.
struct PartNumbers {
  std::vector<std::size_t> issuers;
  std::vector<std::size_t> upstreams;
  std::uint64_t rules = 0;  // Rules::number
};

// `nonces` may be null where no route requires one, `assertions` where there is no identity.assertion.
[[nodiscard]] std::shared_ptr<pipeline::Rules> compile_rules(
    const settings::Settings& settings, const PartNumbers& numbers,
    std::shared_ptr<const dpop::NonceIssuer> nonces,
    std::shared_ptr<const pipeline::AssertionSigner> assertions);

[[nodiscard]] std::vector<http::Cidr> blocks(const std::vector<settings::Cidr>& from);

// Some route answers with nonces.
[[nodiscard]] bool needs_nonces(const settings::Settings& settings);

// Stands for where proofs are let in with a nonce and where without; empty if nowhere without. Processes
// compare it, so it says nothing but whether two are equal.
[[nodiscard]] std::string nonce_demands(const settings::Settings& settings);

// Whether `after` may ask for a nonce where proofs were let in without one, by the demands from `before`.
[[nodiscard]] bool asks_for_more_nonces(std::string_view before, const settings::Settings& after);

}  // namespace holdfast::parts
