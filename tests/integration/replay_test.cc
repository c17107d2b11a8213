// One proof, one request: however many copies come at once, one passes. RFC 9449 11.1 and rule 16 of the
// verifier.
#include <barrier>
#include <map>
#include <thread>

#include "sidecar.h"

namespace holdfast::integration {
namespace {

class ReplayTest : public SharedSidecar {};

TEST_F(ReplayTest, SecondUseIsRefused) {
  const Request request = sidecar->with_proof("GET", "/orders/1");
  EXPECT_EQ(sidecar->send(request).status, 200);
  const Response again = sidecar->send(request);
  expect_refusal(again, 401, "proof_replayed");
  expect_challenge(again, "invalid_dpop_proof");
  EXPECT_EQ(sidecar->backend.seen_count(), 1U);
}

TEST_F(ReplayTest, ReSignedProofWithTheSameJtiIsAReplay) {
  Proof proof = sidecar->proof("GET", "/orders/1", sidecar->good_token());
  const auto send = [&] {  // ECDSA is randomised: other bytes, same claims
    return sidecar->send(
        Sidecar::with("GET", "/orders/1", sidecar->good_token(), proof.sign(sidecar->client)));
  };
  EXPECT_EQ(send().status, 200);
  expect_refusal(send(), 401, "proof_replayed");
  proof.payload.text("htu", "HTTPS://API.EXAMPLE.COM:443/orders/1");
  expect_refusal(send(), 401, "proof_replayed");
}

TEST_F(ReplayTest, OneJtiServesOtherRequestsAndKeys) {
  const auto send = [&](const SigningKey& key, const std::string& token, const char* target) {
    Proof proof(key, "GET", std::string(kOrigin) + target, token);
    proof.payload.text("jti", "one-jti-for-all");
    return sidecar->send(Sidecar::with("GET", target, token, proof.sign(key))).status;
  };
  const SigningKey other = SigningKey::generate("ES256");
  const std::string others_token = sidecar->issuer.sign(sidecar->issuer.token(kAudience, other));
  EXPECT_EQ(send(sidecar->client, sidecar->good_token(), "/orders/1"), 200);
  EXPECT_EQ(send(sidecar->client, sidecar->good_token(), "/orders/2"), 200);
  EXPECT_EQ(send(other, others_token, "/orders/1"), 200);
  EXPECT_EQ(send(other, others_token, "/orders/1"), 401);
}

TEST_F(ReplayTest, RefusedRequestClaimsNothing) {
  Proof proof = sidecar->proof("GET", "/orders/1", sidecar->good_token());
  const std::string signed_proof = proof.sign(sidecar->client);
  AccessToken wrong = sidecar->token();
  wrong.payload.text("aud", "elsewhere");
  EXPECT_EQ(
      sidecar->send(Sidecar::with("GET", "/orders/1", sidecar->issuer.sign(wrong), signed_proof)).status,
      401);
  EXPECT_EQ(sidecar->send(Sidecar::with("POST", "/orders/1", sidecar->good_token(), signed_proof)).status,
            401);
  EXPECT_EQ(sidecar->send(Sidecar::with("GET", "/orders/1", sidecar->good_token(), signed_proof)).status,
            200);
}

TEST_F(ReplayTest, SixtyFourCopiesOverSixtyFourConnections) {
  constexpr int kCopies = 64;
  const auto rounds = static_cast<int>(tunable("REPLAY_ROUNDS", 200));
  std::string proof_in_use = sidecar->with_proof("GET", "/orders/1").raw();
  std::atomic<int> passed{0};
  std::atomic<int> replayed{0};
  int good_rounds = 0;
  // Runs while all copies wait: judges the round that ended and makes the next proof.
  std::barrier turn(kCopies, [&]() noexcept {
    good_rounds += passed == 1 && replayed == kCopies - 1 ? 1 : 0;
    passed = replayed = 0;
    proof_in_use = sidecar->with_proof("GET", "/orders/1").raw();
  });
  std::vector<std::thread> clients;
  for (int copy = 0; copy < kCopies; ++copy) {
    clients.emplace_back([&] {
      Stream stream = sidecar->dial();
      MessageReader reader(stream);
      turn.arrive_and_wait();
      for (int round = 0; round < rounds; ++round) {
        try {
          stream.send(proof_in_use);
          const Response answer = reader.response();
          if (answer.status == 200) ++passed;
          if (answer.status == 401 && reason_of(answer) == "proof_replayed") ++replayed;
        } catch (const std::runtime_error&) {
          // Counted by its absence: the round then has too few answers.
        }
        turn.arrive_and_wait();
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(good_rounds, rounds);
  EXPECT_EQ(sidecar->backend.seen_count(), static_cast<std::size_t>(rounds));
}

TEST(ColdStartTest, FreshStoreRefusesProofsFromBeforeItsBirth) {
  Settings settings;
  settings.dpop = "replay: {cold_start: fresh}";
  const Sidecar sidecar(settings);
  const auto send = [&](std::int64_t age) {
    Proof proof = sidecar.proof("GET", "/orders/1", sidecar.good_token());
    proof.payload.number("iat", support::unix_now() - age);
    return sidecar.send(Sidecar::with("GET", "/orders/1", sidecar.good_token(), proof.sign(sidecar.client)));
  };
  expect_refusal(send(40), 401, "iat_too_old");
  std::this_thread::sleep_for(Milliseconds{1100});  // iat has whole seconds: past the second of birth
  EXPECT_EQ(send(0).status, 200);
}

TEST(ReplayCapacityTest, OneKeyHoldsAtMostItsShareAndAFullStoreRefuses) {
  Settings settings;
  settings.dpop = "replay: {cold_start: accept, capacity: 4000, per_key: 10%}";
  const Sidecar sidecar(settings);
  Stream stream = sidecar.dial();
  MessageReader reader(stream);
  std::map<int, int> statuses;
  Response last;
  for (int i = 0; i < 1000 && statuses[429] == 0; ++i) {
    stream.send(sidecar.with_proof("GET", "/orders/1").raw());
    last = reader.response();
    ++statuses[last.status];
  }
  ASSERT_EQ(statuses[429], 1) << "the share of one key was never reached";
  expect_refusal(last, 429, "key_quota");
  EXPECT_TRUE(last.fields.has("Retry-After"));
  EXPECT_LE(statuses[200], 500);
  // Another key is not harmed by the greedy one.
  const SigningKey other = SigningKey::generate("ES256");
  const std::string token = sidecar.issuer.sign(sidecar.issuer.token(kAudience, other));
  const std::string proof = Proof(other, "GET", std::string(kOrigin) + "/orders/1", token).sign(other);
  EXPECT_EQ(sidecar.send(Sidecar::with("GET", "/orders/1", token, proof)).status, 200);
}

}  // namespace
}  // namespace holdfast::integration
