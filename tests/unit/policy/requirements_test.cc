#include "policy/requirements.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <initializer_list>
#include <utility>

#include "token/access_token.h"

namespace holdfast::policy {
namespace {

constexpr UnixTime kNow{std::chrono::seconds(1'800'000'000)};
constexpr Millis kSkew{10'000};

TEST(Requirements, AreMetOrNamed) {
  token::AccessToken token;
  token.scopes = {"orders:read", "orders:write"};
  token.realm_roles = {"clerk", "odd:role"};
  token.client_roles = {{"orders-api", "editor"}, {"https://x", "a:b"}};

  struct Case {
    Requirements require;
    std::optional<Reason> refused;
  };
  for (const Case& c : std::initializer_list<Case>{
           {{}, std::nullopt},
           {{{"orders:write"}, {}, {}}, std::nullopt},
           {{{"orders:write", "orders:read"}, {}, {}}, std::nullopt},
           {{{"orders:write", "orders:delete"}, {}, {}}, Reason::scope_missing},
           {{{"orders"}, {}, {}}, Reason::scope_missing},
           {{{"ORDERS:READ"}, {}, {}}, Reason::scope_missing},
           {{{}, {"admin", "clerk"}, {}}, std::nullopt},
           {{{}, {"admin", "boss"}, {}}, Reason::role_missing},
           {{{}, {}, {"clerk", "orders-api:editor"}}, std::nullopt},
           {{{}, {}, {"clerk", "admin"}}, Reason::role_missing},
           {{{}, {"clerk"}, {"admin"}}, Reason::role_missing},
           {{{}, {}, {"orders-api:viewer"}}, Reason::role_missing},
           {{{}, {}, {"editor"}}, Reason::role_missing},
           {{{}, {}, {"orders-api:clerk"}}, Reason::role_missing},
           {{{}, {}, {"other:editor"}}, Reason::role_missing},
           {{{}, {}, {"odd%3Arole"}}, std::nullopt},
           {{{}, {}, {"odd:role"}}, Reason::role_missing},  // a realm role does not pose as a client's
           {{{}, {}, {"https%3A//x:a:b"}}, std::nullopt},
           {{{}, {}, {"https://x:a:b"}}, Reason::role_missing},
           {{{"missing"}, {}, {"missing"}}, Reason::scope_missing},
       }) {
    const auto checked = check_requirements(c.require, token, kNow, kSkew);
    EXPECT_EQ(checked ? std::nullopt : std::optional(checked.error().reason), c.refused)
        << (checked ? "" : checked.error().detail);
  }
}

TEST(Requirements, NameWhatIsDemandedAndNotWhatIsHeld) {
  token::AccessToken token;
  token.scopes = {"held"};
  token.realm_roles = {"held"};
  const auto scope = check_requirements({.scopes = {"a", "b"}}, token, kNow, kSkew);
  EXPECT_EQ(scope.error().detail, "this route requires scope a b");
  const auto role = check_requirements({.roles_any = {"a", "b"}}, token, kNow, kSkew);
  EXPECT_EQ(role.error().detail, "this route requires one role of: a b");
}

token::AccessToken token_with(std::string_view claims) {
  token::AccessToken token;
  token.claims = boost::json::parse(claims).as_object();
  return token;
}

ClaimRule rule(std::string name, std::vector<ClaimValue> any_of) {
  return {*parse_claim_path(name), name, std::move(any_of)};
}

TEST(Requirements, ClaimsAreAllAskedFor) {
  const auto token = token_with(R"({"tenant": "a", "groups": ["x", "y"], "mail": {"verified": true}})");
  const auto outcome = [&token](std::vector<ClaimRule> rules) {
    const auto checked = check_requirements({.claims = std::move(rules)}, token, kNow, kSkew);
    return checked ? "met" : std::string(reason_name(checked.error().reason)) + ": " + checked.error().detail;
  };
  EXPECT_EQ(outcome({rule("tenant", {"a", "b"}), rule("groups", {"y"}), rule("mail.verified", {true})}),
            "met");
  EXPECT_EQ(outcome({rule("tenant", {"a"}), rule("groups", {"secret"})}),
            "claim_mismatch: this route requires another value of claim groups");
  EXPECT_EQ(outcome({rule("mail.checked", {true})}),
            "claim_mismatch: this route looks at claim mail.checked, which the token does not have");
}

TEST(Requirements, ALoginIsStrongAndNewEnoughOrHasToBeRepeated) {
  using std::chrono::seconds;
  struct Case {
    std::optional<std::string> acr;
    std::optional<int> age;  // seconds since the login
    bool strong, fresh;
  };
  for (const Case& c : std::initializer_list<Case>{
           {"gold", 0, true, true},
           {"silver", 900, true, true},
           {"silver", 910, true, true},  // the issuer's clock skew
           {"gold", 911, true, false},
           {"gold", -10, true, true},
           {"gold", -11, true, false},  // a login of the future would stay new for ever
           {"gold", std::nullopt, true, false},
           {"bronze", 0, false, true},
           {"GOLD", 0, false, true},
           {"", 0, false, true},
           {std::nullopt, 0, false, true},
           {std::nullopt, std::nullopt, false, false},
       }) {
    token::AccessToken token;
    token.acr = c.acr;
    if (c.age) token.auth_time = kNow - seconds(*c.age);
    const Requirements acr{.acr = {"gold", "silver"}};
    const Requirements age{.max_auth_age = seconds(900)};
    Requirements both = acr;
    both.max_auth_age = age.max_auth_age;
    for (const auto& [require, met] :
         {std::pair(acr, c.strong), std::pair(age, c.fresh), std::pair(both, c.strong && c.fresh)}) {
      const auto checked = check_requirements(require, token, kNow, kSkew);
      EXPECT_EQ(checked.has_value(), met) << c.acr.value_or("none") << " " << c.age.value_or(-1);
      if (!checked) {
        EXPECT_EQ(checked.error().reason, Reason::step_up_required);
      }
    }
  }
}

TEST(Requirements, ANewLoginIsAskedForLast) {
  const Requirements require{.scopes = {"s"}, .claims = {rule("tenant", {"a"})}, .acr = {"gold"}};
  auto token = token_with("{}");
  const auto reason = [&] { return check_requirements(require, token, kNow, kSkew).error(); };
  EXPECT_EQ(reason().reason, Reason::scope_missing);
  token.scopes = {"s"};
  EXPECT_EQ(reason().reason, Reason::claim_mismatch);
  token.claims["tenant"] = "a";
  EXPECT_EQ(reason().detail, "this route requires a login with acr gold, and the token has none");
  token.acr = "silver";
  EXPECT_EQ(reason().detail, "this route requires a login with acr gold, the token's is silver");
}

}  // namespace
}  // namespace holdfast::policy
