// The file's own shape where it differs from the model's: the three-line shorthand, names that will become
// indexes, and what must be known to have been written. Between keys.cc (which fills it), resolve.cc (which
// makes Settings of it).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "settings/model.h"

namespace holdfast::settings {

struct TlsDraft : ListenerTls {
  std::optional<std::string> certificate;  // shorthand for one pair
  std::optional<std::string> key;
};

struct ListenerDraft : Listener {
  std::optional<std::optional<TlsDraft>> tls_written;  // outer: the key was there; inner: it was not `off`
};

struct Audiences {
  bool any = false;
  std::vector<std::string> named;
};

struct IssuerDraft : Issuer {
  Audiences audiences_written;
};

struct RouteDraft : Route {
  std::optional<std::string> upstream_name;
  std::vector<std::string> issuer_names;
  std::optional<NonceMode> own_nonce;
  std::optional<std::optional<Cors>> own_cors;  // outer: the key was there; inner: it was not `off`
};

// What needs no second look goes straight into Settings' own members.
struct Draft : Settings {
  std::optional<std::string> issuer;
  std::optional<Audiences> audience;
  std::optional<Origin> upstream;
  std::optional<std::vector<ListenerDraft>> listeners_written;
  std::optional<std::vector<IssuerDraft>> issuers_written;
  std::optional<std::vector<Upstream>> upstreams_written;
  std::optional<std::vector<RouteDraft>> routes_written;
};

}  // namespace holdfast::settings
