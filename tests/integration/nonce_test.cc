// The nonce flow of RFC 9449 section 9, as a client lives through it. Rule 13 of the verifier.
#include <thread>

#include "sidecar.h"

namespace holdfast::integration {
namespace {

constexpr const char* kTarget = "/nonce/1";

class NonceTest : public SharedSidecar {
 protected:
  static Response attempt(const std::string& nonce, std::int64_t age = 0) {
    Proof proof = sidecar->proof("GET", kTarget, sidecar->good_token());
    if (!nonce.empty()) proof.payload.text("nonce", nonce);
    proof.payload.number("iat", support::unix_now() - age);
    return sidecar->send(Sidecar::with("GET", kTarget, sidecar->good_token(), proof.sign(sidecar->client)));
  }

  static std::string offered(const Response& answer) {
    EXPECT_EQ(answer.fields.all("DPoP-Nonce").size(), 1U) << answer.head;
    return answer.fields.value("DPoP-Nonce");
  }
};

TEST_F(NonceTest, AskedForThenAccepted) {
  const Response first = attempt("");
  expect_refusal(first, 401, "nonce_required");
  expect_challenge(first, "use_dpop_nonce");
  const std::string nonce = offered(first);
  EXPECT_FALSE(nonce.empty());
  EXPECT_EQ(sidecar->backend.seen_count(), 0U);
  EXPECT_EQ(attempt(nonce).status, 200);
  EXPECT_EQ(attempt(nonce).status, 200) << "a nonce serves many proofs, each with its own jti";
}

TEST_F(NonceTest, ForgedOrStrangeNonceGetsAFreshOne) {
  const std::string good = offered(attempt(""));
  std::string bent = good;
  bent.back() = bent.back() == 'A' ? 'B' : 'A';
  bent.front() = bent.front() == 'A' ? 'B' : 'A';
  for (const std::string& nonce :
       {bent, std::string("x"), good + "A", std::string(4000, 'n'), std::string("\xc3\xbc")}) {
    const Response answer = attempt(nonce);
    EXPECT_EQ(answer.status, 401);
    EXPECT_TRUE(reason_of(answer) == "nonce_invalid" || reason_of(answer) == "nonce_stale") << answer.body;
    expect_challenge(answer, "use_dpop_nonce");
    EXPECT_EQ(attempt(offered(answer)).status, 200);
  }
}

TEST_F(NonceTest, NonceThatIsNoStringIsRefused) {
  Proof proof = sidecar->proof("GET", kTarget, sidecar->good_token());
  proof.payload.number("nonce", 7);
  EXPECT_EQ(
      sidecar->send(Sidecar::with("GET", kTarget, sidecar->good_token(), proof.sign(sidecar->client))).status,
      401);
  EXPECT_EQ(sidecar->backend.seen_count(), 0U);
}

TEST_F(NonceTest, WrongClockWorksWithANonce) {
  EXPECT_EQ(attempt(offered(attempt("")), 3600).status, 200);
  EXPECT_EQ(attempt(offered(attempt("")), -3600).status, 200);
  EXPECT_EQ(attempt(offered(attempt("")), 90000).status, 401) << "more than a day off";
}

TEST_F(NonceTest, MissingNonceComesBeforeIat) {
  const Response answer = attempt("", 7200);
  expect_refusal(answer, 401, "nonce_required");
}

TEST_F(NonceTest, ReplayIsStillSeen) {
  const Request request = sidecar->with_nonce("GET", kTarget, offered(attempt("")));
  EXPECT_EQ(sidecar->send(request).status, 200);
  expect_refusal(sidecar->send(request), 401, "proof_replayed");
}

TEST_F(NonceTest, NonceIsIgnoredWhereNoneIsRequired) {
  const Response answer = sidecar->send(sidecar->with_nonce("GET", "/orders/1", "from-somewhere-else"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_FALSE(answer.fields.has("DPoP-Nonce"));
}

TEST_F(NonceTest, NoncesAreNeverLogged) {
  const std::string nonce = offered(attempt(""));
  EXPECT_EQ(attempt(nonce).status, 200);
  EXPECT_TRUE(sidecar->holdfast->wait_out("nonce_required"));
  EXPECT_EQ(sidecar->holdfast->out().find(nonce), std::string::npos);
}

TEST(NonceRenewalTest, SuccessesCarryTheNextOnePastHalfItsLife) {
  Settings settings;
  settings.dpop = "nonce: {mode: required, lifetime: 4s}, replay: {cold_start: accept}";
  const Sidecar sidecar(settings);
  const auto attempt = [&](const std::string& nonce) {
    return sidecar.send(sidecar.with_nonce("GET", "/orders/1", nonce));
  };
  const std::string first = attempt("").fields.value("DPoP-Nonce");
  ASSERT_FALSE(first.empty());
  const Response young = attempt(first);
  EXPECT_EQ(young.status, 200);
  EXPECT_FALSE(young.fields.has("DPoP-Nonce")) << "not before half its life";
  std::this_thread::sleep_for(Milliseconds{2900});
  const Response renewed = attempt(first);
  EXPECT_EQ(renewed.status, 200);
  EXPECT_TRUE(renewed.fields.has("DPoP-Nonce")) << renewed.head;
  EXPECT_NE(renewed.fields.value("Cache-Control").find("no-store"), std::string::npos) << renewed.head;
  std::this_thread::sleep_for(Milliseconds{3500});
  const Response stale = attempt(first);
  expect_refusal(stale, 401, "nonce_stale");
  EXPECT_EQ(attempt(stale.fields.value("DPoP-Nonce")).status, 200);
}

TEST(NonceSecretTest, ReplicasWithOneSecretAgree) {
  Settings settings;
  const support::TemporaryFolder shared;
  shared.write("nonce.key", "0123456789abcdef0123456789abcdef", true);
  settings.dpop = "nonce: {mode: required, secret_file: \"" + (shared.path() / "nonce.key").string() +
                  "\"}, replay: {cold_start: accept}";
  const Sidecar one(settings);
  const Sidecar two(settings);
  const auto attempt = [](const Sidecar& sidecar, const std::string& nonce) {
    return sidecar.send(sidecar.with_nonce("GET", "/orders/1", nonce));
  };
  const std::string nonce = attempt(one, "").fields.value("DPoP-Nonce");
  ASSERT_FALSE(nonce.empty());
  EXPECT_EQ(attempt(two, nonce).status, 200);
}

// Each is remembered until its date has passed: they have a share of the room, and all others go on.
TEST(NonceCapacityTest, ProofsOfADistantClockDoNotFillTheStore) {
  Settings settings;
  settings.dpop = "nonce: {mode: required}, replay: {cold_start: accept, capacity: 1000, per_key: 100%}";
  const Sidecar sidecar(settings);
  Stream stream = sidecar.dial();
  MessageReader reader(stream);
  std::string nonce;
  const auto send = [&](std::int64_t ahead) {
    Proof proof = sidecar.proof("GET", "/orders/1", sidecar.good_token());
    proof.payload.text("nonce", nonce);
    proof.payload.number("iat", support::unix_now() + ahead);
    stream.send(Sidecar::with("GET", "/orders/1", sidecar.good_token(), proof.sign(sidecar.client)).raw());
    return reader.response();
  };
  nonce = send(0).fields.value("DPoP-Nonce");
  for (int i = 0; i < 250; ++i) ASSERT_EQ(send(12 * 3600).status, 200) << i;
  expect_refusal(send(12 * 3600), 503, "replay_store_full");
  for (int i = 0; i < 20; ++i) EXPECT_EQ(send(i - 10).status, 200) << i;
}

// Its memory begins anew with a process, and nonces of a shared secret outlive it. A client whose clock is
// ahead dates its proofs later than it makes them: what was used before the restart must not pass for
// younger.
TEST(NonceSecretTest, AProofFromBeforeARestartIsNoneFromAfterIt) {
  constexpr std::int64_t kAhead = 12;  // more than dpop.clock_skew
  Settings settings;
  settings.files = {{"nonce.key", "0123456789abcdef0123456789abcdef"}};
  settings.dpop = "nonce: {mode: required, secret_file: nonce.key}, replay: {cold_start: fresh}";
  Sidecar sidecar(settings);
  const auto request = [&](const std::string& nonce) {
    Proof proof = sidecar.proof("GET", "/orders/1", sidecar.good_token());
    proof.payload.text("nonce", nonce);
    proof.payload.number("iat", support::unix_now() + kAhead);
    return Sidecar::with("GET", "/orders/1", sidecar.good_token(), proof.sign(sidecar.client));
  };
  const std::string nonce = sidecar.send(request("none")).fields.value("DPoP-Nonce");
  const Request used = request(nonce);
  EXPECT_EQ(sidecar.send(used).status, 200) << "of this process, though its slot may have begun before";
  expect_refusal(sidecar.send(used), 401, "proof_replayed");

  sidecar.holdfast.reset();
  sidecar.holdfast =
      std::make_unique<support::HoldfastProcess>(sidecar.folder, sidecar.yaml(), sidecar.probes_port);
  ASSERT_TRUE(sidecar.holdfast->wait_ready());
  // Its date is no longer one in the future.
  std::this_thread::sleep_for(Milliseconds{(kAhead - 10 + 1) * 1000});
  const Response refused = sidecar.send(used);
  expect_refusal(refused, 401, "nonce_stale");
  expect_challenge(refused, "use_dpop_nonce");
  EXPECT_EQ(sidecar.send(request(refused.fields.value("DPoP-Nonce"))).status, 200);
}

}  // namespace
}  // namespace holdfast::integration
