// The account of a refused request agrees with what its client was told, and holds none of what it sent in
// confidence.
#include "pipeline/account.h"

#include "flow_test.h"

namespace holdfast::pipeline {
namespace {

using namespace testing;

// All that an account says in words.
std::vector<std::string> texts_of(const Account& account) {
  std::vector<std::string> out{account.request_id, account.client_ip, account.method,
                               account.path,       account.host,      account.detail};
  if (account.proof) out.insert(out.end(), {account.proof->jkt, account.proof->names});
  if (account.token) out.push_back(account.token->kid);
  if (const auto& claims = account.claims) {
    out.insert(out.end(),
               {claims->sub, claims->client_id, claims->aud, claims->scopes, claims->roles, claims->acr});
  }
  return out;
}

class AccountTest : public FlowTest {
 protected:
  using Headers = std::vector<std::pair<std::string, std::string>>;

  [[nodiscard]] const Account& last() const { return log.accounts.back(); }

  // What was sent in confidence is nowhere in it.
  void expect_no_secret(const Headers& sent) const {
    for (const std::string& text : texts_of(last())) {
      EXPECT_EQ(text.find("eyJ"), std::string::npos) << text;
      EXPECT_EQ(text.find("jti-"), std::string::npos) << text;
      EXPECT_EQ(text.find("secret"), std::string::npos) << text;
      for (const auto& [name, value] : sent) {
        if (value.size() <= 20) continue;
        EXPECT_EQ(text.find(value.substr(value.size() - 20)), std::string::npos) << name;
      }
    }
  }

  const Account& refused(std::string_view target, Headers headers, Reason reason) {
    SCOPED_TRACE(reason_name(reason));
    headers.emplace_back("Cookie", "session=secret");
    const auto sent = send(std::string(target) + "?access_token=secret", headers);
    EXPECT_EQ(sent.client->reason(), reason_name(reason));
    if (sent.client->reason().empty()) return last();
    const auto problem = boost::json::parse(sent.client->body);
    EXPECT_EQ(last().decision, Decision::kDeny);
    EXPECT_EQ(last().reason, reason);
    EXPECT_EQ(last().status, sent.client->status);
    EXPECT_EQ(last().detail, std::string(problem.at("detail").as_string()));
    EXPECT_EQ(last().request_id, std::string(problem.at("request_id").as_string()));
    EXPECT_EQ(last().path, target);
    EXPECT_EQ(last().client_ip, "192.0.2.7");
    expect_no_secret(headers);
    return last();
  }

  Headers with(const std::string& token, const std::string& proof) {
    return {{"Authorization", "DPoP " + token}, {"DPoP", proof}};
  }
};

TEST_F(AccountTest, SaysHowFarARequestCame) {
  const std::string t = token();
  const std::string p = "/orders/1";

  const Account none = refused("/nowhere", {}, Reason::no_route);
  EXPECT_FALSE(none.route || none.proof || none.token || none.claims || none.admitted);
  EXPECT_EQ(none.host, "api.example.com");
  EXPECT_TRUE(refused("/closed", {}, Reason::route_denied).route);
  EXPECT_FALSE(refused(p, {}, Reason::no_credentials).proof);
  EXPECT_FALSE(refused(p, with(t, "eyJ.eyJ.eyJ"), Reason::proof_malformed).proof);

  const Account elsewhere = refused(
      p, with(t, proof(t, p, {{"htu", "HTTPS://API.example.com:443/other?secret"}})), Reason::htu_mismatch);
  ASSERT_TRUE(elsewhere.proof);
  EXPECT_EQ(elsewhere.proof->names, "https://api.example.com/other");
  EXPECT_EQ(elsewhere.proof->jkt, holder.jkt());
  EXPECT_FALSE(elsewhere.token) << "the token was not looked at yet";
  EXPECT_EQ(refused(p, with(t, proof(t, p, {{"htu", "nonsense"}})), Reason::htu_mismatch).proof->names, "");

  const Account old = refused(p, with(t, proof(t, p, {{"iat", kStart - 600}})), Reason::iat_too_old);
  EXPECT_EQ(old.proof->names, "https://api.example.com/orders/1");
  EXPECT_EQ(old.proof->iat, UnixTime(std::chrono::seconds(kStart - 600)));
  EXPECT_EQ(old.time, test_now.wall);
  EXPECT_FALSE(refused(p, with(t, proof(t, p, {{"ath", 7}})), Reason::proof_claim).proof);

  const std::string foreign = token({{"iss", "https://other.example.com"}});
  const Account of_another = refused(p, with(foreign, proof(foreign, p)), Reason::token_issuer);
  EXPECT_FALSE(of_another.issuer);
  ASSERT_TRUE(of_another.token);
  EXPECT_EQ(of_another.token->kid, "k1");
  EXPECT_FALSE(of_another.claims);

  const std::string unknown = token({}, nullptr, "k2");
  const Account keyless = refused(p, with(unknown, proof(unknown, p)), Reason::token_key_unknown);
  EXPECT_EQ(keyless.issuer, 0U);
  EXPECT_EQ(keyless.token->kid, "k2");
  const std::string forged = token({{"sub", "mallory"}}, &stranger);
  const Account unsigned_by_it = refused(p, with(forged, proof(forged, p)), Reason::token_signature);
  EXPECT_EQ(unsigned_by_it.token->kid, "k1");
  EXPECT_EQ(unsigned_by_it.token->alg, jose::Algorithm::ES256);
  EXPECT_FALSE(unsigned_by_it.claims) << "what a forged token claims is nobody's to show";

  const std::string late = token({{"exp", kStart - 60}, {"scope", "a b"}});
  const Account expired = refused(p, with(late, proof(late, p)), Reason::token_expired);
  ASSERT_TRUE(expired.claims);
  EXPECT_EQ(expired.claims->sub, "alice");
  EXPECT_EQ(expired.claims->scopes, "a b");
  EXPECT_EQ(expired.claims->aud, "api");
  EXPECT_EQ(expired.claims->exp, UnixTime(std::chrono::seconds(kStart - 60)));
  EXPECT_TRUE(expired.claims->names_key);
  EXPECT_FALSE(expired.admitted);

  EXPECT_TRUE(refused("/scoped", with(t, proof(t, "/scoped")), Reason::scope_missing).claims);
  const Account nonceless = refused("/nonced", with(t, proof(t, "/nonced")), Reason::nonce_required);
  EXPECT_EQ(nonceless.proof->jkt, holder.jkt());
  replay.fixed = ReplayResult::kReplayed;
  EXPECT_TRUE(refused(p, with(t, proof(t, p)), Reason::proof_replayed).claims);
  upstreams.overloaded = true;
  EXPECT_FALSE(refused(p, with(t, proof(t, p)), Reason::overloaded).admitted);
}

// A token from the cache is told of as one that was just verified.
TEST_F(AccountTest, OfATokenThatIsKnown) {
  const std::string t = token();
  send("/orders/1", with(t, proof(t, "/orders/1")));
  const Account known = refused("/scoped", with(t, proof(t, "/scoped")), Reason::scope_missing);
  ASSERT_TRUE(known.token && known.claims);
  EXPECT_EQ(known.token->kid, "k1");
  EXPECT_EQ(known.claims->sub, "alice");
}

TEST_F(AccountTest, OfWhatWentWrongBehindTheChecks) {
  const std::string t = token();
  const auto sent = send("/orders/1", with(t, proof(t, "/orders/1")));
  ASSERT_EQ(upstreams.opened.size(), 1U);
  const Ref<ClientStream> client = std::exchange(upstreams.opened[0]->client, nullptr);
  client->on_response_reset(Cause::kBackendTimeout);
  EXPECT_EQ(sent.client->reason(), "upstream_timeout");
  EXPECT_TRUE(last().admitted);
  EXPECT_TRUE(last().forwarded);
  EXPECT_EQ(last().decision, Decision::kAllow);
  EXPECT_EQ(last().reason, Reason::upstream_timeout);
  EXPECT_EQ(last().detail, "the backend did not answer in time");
}

// What the codec refused has an id and a reason, too, and so have the methods that are never taken.
TEST_F(AccountTest, OfWhatNeverBecameARequest) {
  const auto client = make_counted<FakeClient>();
  flow->refuse({Reason::headers_too_large, "too \"large\""}, 431, {}, connection, client);
  EXPECT_EQ(last().reason, Reason::headers_too_large);
  EXPECT_EQ(last().status, 431);
  EXPECT_EQ(last().detail, "too 'large'");
  const auto traced = send("/open/1", {}, "TRACE");
  EXPECT_EQ(last().reason, Reason::request_malformed);
  EXPECT_EQ(last().status, 405);
  EXPECT_EQ(last().detail, "CONNECT and TRACE are not taken");
}

// Whoever fills every text as far as he can.
TEST_F(AccountTest, IsBounded) {
  const std::string much(1000, 'x');
  boost::json::array list;
  for (int i = 0; i < 10; ++i) list.push_back(boost::json::string(std::string(40, 'y')));
  std::string words;
  for (int i = 0; i < 20; ++i) words += std::string(30, 'z') + ' ';
  words.pop_back();
  list.push_back("api");
  const std::string t = token({{"sub", much},
                               {"client_id", much},
                               {"aud", list},
                               {"scope", words},
                               {"acr", much},
                               {"realm_access", {{"roles", list}}},
                               {"exp", kStart - 60}});
  const std::string path = "/orders/" + much;
  send(path, with(t, proof(t, path)), "GET");
  ASSERT_TRUE(last().claims);
  EXPECT_EQ(last().claims->scopes.size(), 256U);
  EXPECT_EQ(last().claims->roles.size(), 256U);
  std::size_t bytes = sizeof(Account);
  for (const std::string& text : texts_of(last())) bytes += text.size() + 1;
  EXPECT_GT(bytes, kLargestAccount / 2) << "the test has to fill it";
  EXPECT_LE(bytes, kLargestAccount);
}

}  // namespace
}  // namespace holdfast::pipeline
