// What a request must bring at all: one token under the right scheme, one proof, a route that takes them, and
// the key that the token is bound to. Contract: "Answers"; rules 1 to 3 and 14 of the verifier.
#include "refusal_cases.h"

namespace holdfast::integration {
namespace {

using support::base64url;
using support::compact_jws;
using support::sha256;
using support::unix_now;

class CredentialsTest : public RefusalTest {};

TEST_F(CredentialsTest, GoodRequestPasses) {
  const Response answer = sidecar->send(sidecar->with_proof("GET", kTarget));
  EXPECT_EQ(answer.status, 200) << answer.head << answer.body;
  EXPECT_EQ(answer.body, "ok");
  EXPECT_EQ(sidecar->backend.last().target, kTarget);
}

TEST_F(CredentialsTest, NoCredentials) {
  check({
      {"nothing", 401, "", "no_credentials", plain_request({})},
      {"Basic", 401, "", "no_credentials", plain_request({{"Authorization", "Basic YWxpY2U6c2VjcmV0"}})},
      {"token in the query", 401, "", "no_credentials",
       [](const Sidecar& s) {
         Request request;
         request.target = std::string(kTarget) + "?access_token=" + s.good_token();
         return request;
       }},
  });
}

TEST_F(CredentialsTest, ProofWithoutTokenIsNoCredentials) {
  const Response answer = sidecar->send([&] {
    Request request;
    request.target = kTarget;
    return request.add("DPoP", good_proof(*sidecar));
  }());
  expect_refusal(answer, 401, "no_credentials");
  expect_challenge(answer, "");
}

TEST_F(CredentialsTest, MalformedAuthorization) {
  const auto with_authorization = [](std::string value) {
    return [value](const Sidecar& s) {
      Request request;
      request.target = kTarget;
      return request.add("Authorization", value).add("DPoP", good_proof(s));
    };
  };
  check({
      {"empty", 400, "invalid_request", "authorization_malformed", with_authorization("")},
      {"scheme alone", 400, "invalid_request", "authorization_malformed", with_authorization("DPoP")},
      {"rest after the token", 400, "invalid_request", "authorization_malformed",
       with_authorization("DPoP abc def")},
      {"not token68", 400, "invalid_request", "authorization_malformed", with_authorization("DPoP a\"b")},
      {"comma-joined", 400, "invalid_request", "authorization_multiple",
       with_authorization("DPoP abc, DPoP def")},
      {"tab after the scheme", 400, "invalid_request", "authorization_malformed",
       with_authorization("DPoP\tabc")},
  });
}

TEST_F(CredentialsTest, TwoOfAKind) {
  check({
      {"two Authorization fields", 400, "invalid_request", "authorization_multiple",
       [](const Sidecar& s) {
         Request request = s.with_proof("GET", kTarget);
         return request.add("Authorization", "Bearer abc");
       }},
      {"two DPoP fields", 401, "invalid_dpop_proof", "proof_multiple",
       [](const Sidecar& s) {
         Request request = s.with_proof("GET", kTarget);
         return request.add("DPoP", good_proof(s));
       }},
      {"two proofs in one field", 401, "invalid_dpop_proof", "proof_multiple",
       [](const Sidecar& s) {
         return Sidecar::with("GET", kTarget, s.good_token(), good_proof(s) + ", " + good_proof(s));
       }},
  });
}

TEST_F(CredentialsTest, SchemeIsCaseInsensitive) {
  Request request;
  request.target = kTarget;
  request.add("authorization", "dPoP   " + sidecar->good_token()).add("dpop", good_proof(*sidecar));
  EXPECT_EQ(sidecar->send(request).status, 200);
}

TEST_F(CredentialsTest, Bearer) {
  AccessToken unbound = sidecar->token();
  unbound.payload.erase("cnf").text("typ", "Bearer");
  for (const std::string& token :
       {sidecar->good_token(), sidecar->issuer.sign(unbound), std::string("opaque")}) {
    Request request;
    request.target = kTarget;
    request.add("Authorization", "Bearer " + token);
    for (const bool with_proof : {false, true}) {
      if (with_proof) request.add("DPoP", good_proof(*sidecar));
      const Response answer = sidecar->send(request);
      expect_refusal(answer, 401, "bearer_refused");
      expect_challenge(answer, "");
    }
  }
  EXPECT_EQ(sidecar->backend.seen_count(), 0U);
}

TEST_F(CredentialsTest, MissingProof) {
  check({{"missing", 401, "invalid_dpop_proof", "proof_missing",
          [](const Sidecar& s) {
            Request request;
            request.target = kTarget;
            return request.add("Authorization", "DPoP " + s.good_token());
          }},
         {"empty", 401, "invalid_dpop_proof", "proof_malformed",
          proof_bytes([](const Sidecar&) { return ""; })}});
}

TEST_F(CredentialsTest, KeyMismatch) {
  const SigningKey thief = SigningKey::generate("ES256");
  const std::string proof =
      Proof(thief, "GET", std::string(kOrigin) + kTarget, sidecar->good_token()).sign(thief);
  const Response answer = sidecar->send(Sidecar::with("GET", kTarget, sidecar->good_token(), proof));
  expect_refusal(answer, 403, "key_mismatch");
  expect_challenge(answer, "invalid_token");
  EXPECT_EQ(sidecar->backend.seen_count(), 0U);
}

TEST_F(CredentialsTest, ThiefCannotBurnAJti) {
  // The thief's proof carries the victim's jti; were it claimed before the binding is checked, the victim
  // would be refused.
  const SigningKey thief = SigningKey::generate("ES256");
  Proof honest = sidecar->proof("GET", kTarget, sidecar->good_token());
  honest.payload.text("jti", "shared-jti");
  Proof stolen(thief, "GET", std::string(kOrigin) + kTarget, sidecar->good_token());
  stolen.payload.text("jti", "shared-jti");
  EXPECT_EQ(sidecar->send(Sidecar::with("GET", kTarget, sidecar->good_token(), stolen.sign(thief))).status,
            403);
  EXPECT_EQ(sidecar->send(Sidecar::with("GET", kTarget, sidecar->good_token(), honest.sign(sidecar->client)))
                .status,
            200);
}

TEST_F(CredentialsTest, DeniedAndUnknownRoutes) {
  Request denied;
  denied.target = "/denied/x";
  const Response no = sidecar->send(denied);
  expect_refusal(no, 403, "route_denied");
  EXPECT_FALSE(no.fields.has("WWW-Authenticate"));
  Request unknown;
  unknown.target = "/nowhere";
  expect_refusal(sidecar->send(unknown), 404, "no_route");
  EXPECT_EQ(sidecar->backend.seen_count(), 0U);
}

TEST_F(CredentialsTest, PublicRouteNeedsNothing) {
  Request request;
  request.target = "/public/info";
  EXPECT_EQ(sidecar->send(request).status, 200);
}

}  // namespace
}  // namespace holdfast::integration
