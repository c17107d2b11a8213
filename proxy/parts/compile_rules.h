// From the settings to the rules that requests are judged by. Start-up and reload only; any one thread.
#pragma once

#include <cstdint>
#include <memory>
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

// Whether `after` may ask for a nonce where `before` let proofs in without one.
[[nodiscard]] bool asks_for_more_nonces(const settings::Settings& before, const settings::Settings& after);

}  // namespace holdfast::parts
