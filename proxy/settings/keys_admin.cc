#include "settings/keys_admin.h"

#include "settings/key_forms.h"

namespace holdfast::settings {
namespace {

// ADDRESS, or unix:PATH.
Parsed<Admin> parse_admin_address(std::string_view text) {
  constexpr std::string_view kUnix = "unix:";
  Admin admin;
  if (text.starts_with(kUnix)) {
    text.remove_prefix(kUnix.size());
    // sun_path holds 108 bytes with its NUL (unix(7))
    if (text.empty() || text.size() > 100) return std::unexpected("unix: and a path of at most 100 bytes");
    admin.socket = std::filesystem::path(text);
    return admin;
  }
  const auto address = parse_address(text);
  if (!address) return std::unexpected(address.error() + ", or unix:PATH");
  admin.address = *address;
  return admin;
}

}  // namespace

Key<Draft> admin() {
  struct AdminDraft {
    Admin at;  // the address alone
    std::optional<std::string> token_file;
    std::vector<std::string> hosts;
  };
  const auto whole = map<AdminDraft>({
      member<AdminDraft>("address", scalar(parse_admin_address), &AdminDraft::at),
      member<AdminDraft>("token_file", text(), &AdminDraft::token_file),
      member<AdminDraft>("hosts", one_or_list(plain_host("a host name or an address")), &AdminDraft::hosts),
  });
  const auto value = or_off(converted(whole, [](AdminDraft draft) {
    Admin admin = std::move(draft.at);
    if (draft.token_file) admin.token_file = *std::move(draft.token_file);
    admin.hosts = std::move(draft.hosts);
    return admin;
  }));
  const auto alone = scalar(parse_admin_address);
  return {"admin", [=](const Node& node, const Place& place, Draft& draft, Report& report) {
            if (node.kind == Node::Kind::kScalar && !is_off(node)) {
              if (auto read = alone.read(node, place, report)) draft.admin = *std::move(read);
            } else if (auto read = value.read(node, place, report)) {
              draft.admin = *std::move(read);
            }
          }};
}

}  // namespace holdfast::settings
