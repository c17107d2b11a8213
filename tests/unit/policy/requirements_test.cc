#include "policy/requirements.h"

#include <gtest/gtest.h>

#include <initializer_list>

#include "token/access_token.h"

namespace holdfast::policy {
namespace {

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
    const auto checked = check_requirements(c.require, token);
    EXPECT_EQ(checked ? std::nullopt : std::optional(checked.error().reason), c.refused)
        << (checked ? "" : checked.error().detail);
  }
}

TEST(Requirements, NameWhatIsDemandedAndNotWhatIsHeld) {
  token::AccessToken token;
  token.scopes = {"held"};
  token.realm_roles = {"held"};
  const auto scope = check_requirements({{"a", "b"}, {}, {}}, token);
  EXPECT_EQ(scope.error().detail, "this route requires scope a b");
  const auto role = check_requirements({{}, {"a", "b"}, {}}, token);
  EXPECT_EQ(role.error().detail, "this route requires one role of: a b");
}

}  // namespace
}  // namespace holdfast::policy
