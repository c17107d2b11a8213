// The keys of dpop.
#include "keys/looks.h"

namespace holdfast::integration::keys {
namespace {

World::ChangeProof dated(std::int64_t from_now) {
  return [from_now](Proof& proof) { proof.payload.number("iat", support::unix_now() + from_now); };
}

std::string order_with_anothers_key(World& world) {
  const SigningKey thief = SigningKey::generate("ES256");
  const std::string token = world.token();
  const Proof proof(thief, "GET", std::string(kOrigin) + "/orders/1", token);
  return verdict(world.ask(Sidecar::with("GET", "/orders/1", token, proof.sign(thief))));
}

std::string nonce_of(World& world) {
  return world.ask(world.order()).fields.value("DPoP-Nonce");
}

std::string order_with_nonce(World& world, const std::string& nonce) {
  return verdict(world.ask(
      world.order_with(world.token(), [&nonce](Proof& proof) { proof.payload.text("nonce", nonce); })));
}

std::string life_of_a_nonce(World& world) {
  const std::string nonce = nonce_of(world);
  return world.settle([&] { return order_with_nonce(world, nonce); });
}

// The nonce that the process before gave out, if there was one.
std::string nonce_of_the_process_before(World& world) {
  if (world.kept.empty()) world.kept = nonce_of(world);
  return order_with_nonce(world, world.kept);
}

// More orders than the smallest share, with one key.
std::string many_orders(World& world) {
  constexpr int kMany = 60;
  Stream stream = world.dial();
  MessageReader reader(stream);
  std::string seen;
  for (int i = 0; i < kMany && (seen.empty() || seen == "200"); ++i) {
    stream.send(world.order().raw());
    seen = verdict(reader.response());
  }
  return seen;
}

}  // namespace

std::vector<Case> dpop_cases() {
  const auto nonce = [](const std::string& more) { return "dpop.nonce: {mode: required" + more + "}"; };
  const auto replay = [](const std::string& more) { return "dpop.replay: {" + more + "}"; };
  return {
      {"dpop.algorithms", {}, {"dpop.algorithms: [ES384, RS256]"}, order(), "200", "401 proof_algorithm"},
      {"dpop.max_age",
       {},
       {"dpop.max_age: 5s"},
       order_with_proof(dated(-30)),
       "200",
       "401 iat_too_old",
       By::kRestart},
      {"dpop.clock_skew",
       {},
       {"dpop.clock_skew: 0s"},
       order_with_proof(dated(6)),
       "200",
       "401 iat_in_future"},
      {"dpop.key_mismatch_status",
       {},
       {"dpop.key_mismatch_status: 401"},
       order_with_anothers_key,
       "403 key_mismatch",
       "401 key_mismatch"},
      {"dpop.nonce.mode", {}, {nonce("")}, order(), "200", "401 nonce_required"},
      {"dpop.nonce.lifetime",
       {nonce("")},
       {nonce(", lifetime: 1s")},
       life_of_a_nonce,
       "200",
       "401 nonce_stale"},
      {"dpop.nonce.secret_file",
       {nonce(", secret_file: nonce.key")},
       {nonce(", secret_file: other-nonce.key")},
       nonce_of_the_process_before,
       "200",
       "401 nonce_invalid",
       By::kRestart},
      {"dpop.replay.capacity",
       {replay("cold_start: accept, per_key: 1%, capacity: 100000")},
       {replay("cold_start: accept, per_key: 1%, capacity: 1000")},
       many_orders,
       "200",
       "429 key_quota",
       By::kRestart},
      {"dpop.replay.per_key",
       {replay("cold_start: accept, capacity: 1000, per_key: 100%")},
       {replay("cold_start: accept, capacity: 1000, per_key: 1%")},
       many_orders,
       "200",
       "429 key_quota",
       By::kRestart},
      {"dpop.replay.cold_start",
       {},
       {replay("cold_start: fresh")},
       order_with_proof(dated(-40)),
       "200",
       "401 iat_too_old",
       By::kRestart},
  };
}

}  // namespace holdfast::integration::keys
