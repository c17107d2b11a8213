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
  auto alone =
      scalar(parse_admin_address, any_of({address().schema, text_schema("unix:[^\n]{1,100}", "unix:PATH")}));
  const auto whole = map<AdminDraft>({
      member<AdminDraft>("address", alone, &AdminDraft::at)
          .about("HOST:PORT, 127.0.0.1:9081 where it is not said; or unix:PATH"),
      member<AdminDraft>("token_file", text(), &AdminDraft::token_file)
          .about("Holds the bearer token of POST /reload, /drain and /log-level; without it there are none"),
      member<AdminDraft>("hosts", one_or_list(plain_host("a host name or an address")), &AdminDraft::hosts)
          .about("Taken in Host beside loopback"),
  });
  const auto written_out = converted(whole, [](AdminDraft draft) {
    Admin admin = std::move(draft.at);
    if (draft.token_file) admin.token_file = *std::move(draft.token_file);
    admin.hosts = std::move(draft.hosts);
    return admin;
  });
  return member<Draft>("admin", or_off(or_map(std::move(alone), written_out)), &Settings::admin)
      .about("Status and configuration, without secrets: an address, or a map");
}

}  // namespace holdfast::settings
