// Every way in which a proof can be wrong, sent to the real binary: status, challenge, reason, and nothing of
// it at the backend; and spellings that must pass. Rules 4 to 15 of the verifier.
#include "refusal_cases.h"

namespace holdfast::integration {
namespace {

using support::base64url;
using support::compact_jws;
using support::sha256;
using support::unix_now;

class ProofTest : public RefusalTest {};

TEST_F(ProofTest, MalformedProof) {
  constexpr const char* kReason = "proof_malformed";
  const auto row = [&](const char* name, std::function<std::string(const Sidecar&)> make) {
    return Case{name, 401, "invalid_dpop_proof", kReason, proof_bytes(std::move(make))};
  };
  check({
      row("not a JWS", [](const Sidecar&) { return "rubbish"; }),
      row("two segments", [](const Sidecar& s) { return segments(good_proof(s))[0] + ".abcd"; }),
      row("four segments", [](const Sidecar& s) { return good_proof(s) + ".abcd"; }),
      row("empty signature",
          [](const Sidecar& s) {
            return segments(good_proof(s))[0] + "." + segments(good_proof(s))[1] + ".";
          }),
      row("padded", [](const Sidecar& s) { return good_proof(s) + "=="; }),
      row("base64, not base64url", [](const Sidecar& s) { return "+/" + good_proof(s); }),
      row("header is not JSON", [](const Sidecar& s) { return compact_jws("{", "{}", s.client); }),
      row("header is an array", [](const Sidecar& s) { return compact_jws("[]", "{}", s.client); }),
      row("payload is a string",
          [](const Sidecar& s) {
            return compact_jws(s.proof("GET", kTarget, "t").header.json(), "\"x\"", s.client);
          }),
      row("payload with a comment",
          [](const Sidecar& s) {
            const Proof proof = s.proof("GET", kTarget, s.good_token());
            return compact_jws(proof.header.json(), "/**/" + proof.payload.json(), s.client);
          }),
      row("rest after the payload",
          [](const Sidecar& s) {
            const Proof proof = s.proof("GET", kTarget, s.good_token());
            return compact_jws(proof.header.json(), proof.payload.json() + "{}", s.client);
          }),
      row("duplicate member in the payload",
          [](const Sidecar& s) {
            Proof proof = s.proof("GET", kTarget, s.good_token());
            proof.payload.repeat("htm", "\"GET\"");
            return proof.sign(s.client);
          }),
      row("duplicate member in the header",
          [](const Sidecar& s) {
            Proof proof = s.proof("GET", kTarget, s.good_token());
            proof.header.repeat("alg", "\"ES256\"");
            return proof.sign(s.client);
          }),
      row("duplicate by escape",
          [](const Sidecar& s) {
            const Proof proof = s.proof("GET", kTarget, s.good_token());
            std::string payload = proof.payload.json();
            payload.insert(1, R"("h\u0074m":"POST",)");
            return compact_jws(proof.header.json(), payload, s.client);
          }),
      row("invalid UTF-8",
          [](const Sidecar& s) {
            Proof proof = s.proof("GET", kTarget, s.good_token());
            proof.payload.raw("x", "\"\xff\xfe\"");
            return proof.sign(s.client);
          }),
      row("too deep",
          [](const Sidecar& s) {
            Proof proof = s.proof("GET", kTarget, s.good_token());
            proof.payload.raw("x", "[[[[[[[[[1]]]]]]]]]");
            return proof.sign(s.client);
          }),
      row("over 8 KiB",
          [](const Sidecar& s) {
            Proof proof = s.proof("GET", kTarget, s.good_token());
            proof.payload.text("x", std::string(8192, 'x'));
            return proof.sign(s.client);
          }),
  });
}

TEST_F(ProofTest, ProofHeader) {
  const auto row = [&](const char* name, const char* reason, std::function<void(Proof&)> change) {
    return Case{name, 401, "invalid_dpop_proof", reason, proof_with(std::move(change))};
  };
  check({
      row("typ missing", "proof_type", [](Proof& p) { p.header.erase("typ"); }),
      row("typ JWT", "proof_type", [](Proof& p) { p.header.text("typ", "JWT"); }),
      row("typ is a number", "proof_type", [](Proof& p) { p.header.number("typ", 1); }),
      row("alg none", "proof_algorithm", [](Proof& p) { p.header.text("alg", "none"); }),
      row("alg HS256", "proof_algorithm", [](Proof& p) { p.header.text("alg", "HS256"); }),
      row("alg lower case", "proof_algorithm", [](Proof& p) { p.header.text("alg", "es256"); }),
      row("alg missing", "proof_algorithm", [](Proof& p) { p.header.erase("alg"); }),
      row("crit", "proof_critical", [](Proof& p) { p.header.raw("crit", R"(["exp"])"); }),
      row("b64", "proof_critical", [](Proof& p) { p.header.raw("b64", "true"); }),
      row("jwk missing", "proof_key", [](Proof& p) { p.header.erase("jwk"); }),
      row("jwk is a string", "proof_key", [](Proof& p) { p.header.text("jwk", "x"); }),
      row("jwk empty", "proof_key", [](Proof& p) { p.header.raw("jwk", "{}"); }),
      row("jwk symmetric", "proof_key_private",
          [](Proof& p) { p.header.raw("jwk", R"({"kty":"oct","k":"AAAA"})"); }),
      row("point not on the curve", "proof_key",
          [](Proof& p) {
            p.header.raw("jwk", R"({"kty":"EC","crv":"P-256","x":")" + base64url(std::string(32, '\1')) +
                                    R"(","y":")" + base64url(std::string(32, '\2')) + "\"}");
          }),
      row("P-384 key under ES256", "proof_key",
          [](Proof& p) { p.header.raw("jwk", SigningKey::generate("ES384").public_jwk()); }),
      row("RSA key under ES256", "proof_key",
          [](Proof& p) { p.header.raw("jwk", SigningKey::generate("RS256").public_jwk()); }),
      row("RSA of 1024 bits", "proof_key",
          [](Proof& p) {
            p.header.text("alg", "RS256").raw("jwk", SigningKey::generate("RS256", 1024).public_jwk());
          }),
      row("RSA of 16384 bits", "proof_key",
          [](Proof& p) {
            p.header.text("alg", "RS256");
            p.header.raw("jwk",
                         R"({"kty":"RSA","e":"AQAB","n":")" + base64url(std::string(2048, '\xc1')) + "\"}");
          }),
  });
}

TEST_F(ProofTest, PrivateKeyInProof) {
  check({{"private member d", 401, "invalid_dpop_proof", "proof_key_private", [](const Sidecar& s) {
            Proof proof = s.proof("GET", kTarget, s.good_token());
            proof.header.raw("jwk", s.client.private_jwk());
            return Sidecar::with("GET", kTarget, s.good_token(), proof.sign(s.client));
          }}});
  EXPECT_EQ(sidecar->holdfast->out().find(sidecar->client.private_jwk()), std::string::npos);
}

TEST_F(ProofTest, ProofClaims) {
  const auto row = [&](const char* name, const char* reason, std::function<void(Proof&)> change) {
    return Case{name, 401, "invalid_dpop_proof", reason, proof_with(std::move(change))};
  };
  check({
      row("jti missing", "proof_claim", [](Proof& p) { p.payload.erase("jti"); }),
      row("jti empty", "proof_claim", [](Proof& p) { p.payload.text("jti", ""); }),
      row("jti a number", "proof_claim", [](Proof& p) { p.payload.number("jti", 7); }),
      row("jti of 513 bytes", "proof_claim", [](Proof& p) { p.payload.text("jti", std::string(513, 'j')); }),
      row("htm missing", "proof_claim", [](Proof& p) { p.payload.erase("htm"); }),
      row("htu missing", "proof_claim", [](Proof& p) { p.payload.erase("htu"); }),
      row("iat missing", "proof_claim", [](Proof& p) { p.payload.erase("iat"); }),
      row("iat a string", "proof_claim", [](Proof& p) { p.payload.text("iat", std::to_string(unix_now())); }),
      row("iat too large for seconds", "proof_claim", [](Proof& p) { p.payload.raw("iat", "1e300"); }),
      row("ath missing", "proof_claim", [](Proof& p) { p.payload.erase("ath"); }),
      row("htm of another method", "htm_mismatch", [](Proof& p) { p.payload.text("htm", "POST"); }),
      row("htm lower case", "htm_mismatch", [](Proof& p) { p.payload.text("htm", "get"); }),
      row("iat too old", "iat_too_old", [](Proof& p) { p.payload.number("iat", unix_now() - 75); }),
      row("iat in the future", "iat_in_future", [](Proof& p) { p.payload.number("iat", unix_now() + 15); }),
      row("ath of another token", "ath_mismatch",
          [](Proof& p) { p.payload.text("ath", base64url(sha256("another"))); }),
  });
}

TEST_F(ProofTest, ExpiredAndEarlyProofs) {
  for (const auto& [claim, offset] : {std::pair{"exp", -60}, std::pair{"nbf", 60}}) {
    Proof proof = sidecar->proof("GET", kTarget, sidecar->good_token());
    proof.payload.number(claim, unix_now() + offset);
    const Response answer =
        sidecar->send(Sidecar::with("GET", kTarget, sidecar->good_token(), proof.sign(sidecar->client)));
    EXPECT_EQ(answer.status, 401) << claim;
    expect_challenge(answer, "invalid_dpop_proof");
  }
  EXPECT_EQ(sidecar->backend.seen_count(), 0U);
}

TEST_F(ProofTest, TimesThatStillCount) {
  struct Row {
    const char* name;
    std::string iat;
  };
  const std::int64_t now = unix_now();
  for (const Row& row :
       {Row{"50 s ago", std::to_string(now - 50)}, Row{"a fraction", std::to_string(now) + ".25"},
        Row{"5 s ahead", std::to_string(now + 5)}}) {
    Proof proof = sidecar->proof("GET", kTarget, sidecar->good_token());
    proof.payload.raw("iat", row.iat);
    EXPECT_EQ(sidecar->send(Sidecar::with("GET", kTarget, sidecar->good_token(), proof.sign(sidecar->client)))
                  .status,
              200)
        << row.name;
  }
}

TEST_F(ProofTest, HtuThatDiffers) {
  const auto row = [&](const char* htu) {
    return Case{htu, 401, "invalid_dpop_proof", "htu_mismatch",
                proof_with([htu](Proof& p) { p.payload.text("htu", htu); })};
  };
  check({row("https://api.example.com/orders/43"), row("https://api.example.com/orders/42/"),
         row("https://api.example.com//orders/42"), row("https://api.example.com/Orders/42"),
         row("http://api.example.com/orders/42"), row("https://other.example.com/orders/42"),
         row("https://api.example.com:8443/orders/42"), row("https://user@api.example.com/orders/42"),
         row("https://api.example.com/orders%2F42"), row("/orders/42"), row("//api.example.com/orders/42"),
         row(""), row("https://api.example.com/%6frders/42/../43"),
         row("https://api.example.com.evil.test/orders/42"), row("https://api.example.com:443x/orders/42"),
         row("https://api.example.com /orders/42")});
}

TEST_F(ProofTest, HtuThatMeansTheSame) {
  for (const char* htu : {"HTTPS://API.example.COM/orders/42", "https://api.example.com:443/orders/42",
                          "https://api.example.com/%6Frders/42", "https://api.example.com/x/../orders/./42",
                          "https://api.example.com/orders/42?page=2", "https://api.example.com/orders/42#top",
                          "https://api.example.com:/orders/42"}) {
    Proof proof = sidecar->proof("GET", kTarget, sidecar->good_token());
    proof.payload.text("htu", htu);
    const Response answer =
        sidecar->send(Sidecar::with("GET", kTarget, sidecar->good_token(), proof.sign(sidecar->client)));
    EXPECT_EQ(answer.status, 200) << htu << answer.body;
  }
}

TEST_F(ProofTest, ProofSignature) {
  const auto row = [&](const char* name, std::function<std::string(const Sidecar&)> make) {
    return Case{name, 401, "invalid_dpop_proof", "proof_signature", proof_bytes(std::move(make))};
  };
  check({
      row("signed by another key",
          [](const Sidecar& s) {
            return s.proof("GET", kTarget, s.good_token()).sign(SigningKey::generate("ES256"));
          }),
      row("one signature for another payload",
          [](const Sidecar& s) {
            const auto one = segments(good_proof(s));
            const auto two = segments(good_proof(s));
            return one[0] + "." + one[1] + "." + two[2];
          }),
      row("signature of zeros",
          [](const Sidecar& s) {
            const auto one = segments(good_proof(s));
            return one[0] + "." + one[1] + "." + base64url(std::string(64, '\0'));
          }),
      row("signature too short",
          [](const Sidecar& s) {
            const auto one = segments(good_proof(s));
            return one[0] + "." + one[1] + "." + base64url(std::string(63, '\1'));
          }),
      row("DER signature",
          [](const Sidecar& s) {
            const auto one = segments(good_proof(s));
            return one[0] + "." + one[1] + "." + base64url("\x30\x06\x02\x01\x01\x02\x01\x01");
          }),
  });
}

TEST_F(ProofTest, EveryAlgorithmPasses) {
  for (const char* alg : {"ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512",
                          "Ed25519", "EdDSA"}) {
    const SigningKey key = SigningKey::generate(alg);
    const std::string token = sidecar->issuer.sign(sidecar->issuer.token(kAudience, key));
    const std::string proof = Proof(key, "GET", std::string(kOrigin) + kTarget, token).sign(key);
    const Response answer = sidecar->send(Sidecar::with("GET", kTarget, token, proof));
    EXPECT_EQ(answer.status, 200) << alg << answer.body;
  }
}

TEST_F(ProofTest, NoCredentialNamedInAnAnswerIsQuotedRaw) {
  // RFC 6750's character set: what the client put into a claim must not break out of the quoted challenge.
  Proof proof = sidecar->proof("GET", kTarget, sidecar->good_token());
  proof.payload.text("htu", "https://api.example.com/\", error=\"none\", x=\"\r\nSet-Cookie: a=b");
  const Response answer =
      sidecar->send(Sidecar::with("GET", kTarget, sidecar->good_token(), proof.sign(sidecar->client)));
  expect_refusal(answer, 401, "htu_mismatch");
  EXPECT_FALSE(answer.fields.has("Set-Cookie"));
  EXPECT_EQ(answer.fields.value("WWW-Authenticate").find("error=\"none\""), std::string::npos);
}

}  // namespace
}  // namespace holdfast::integration
