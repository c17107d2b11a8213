// Protected resource metadata (RFC 9728): what a client that knows the API alone is told about where to get a
// token for it, and of what kind. It lies at
//   origin "/.well-known/oauth-protected-resource" [ path of the resource ]
// and challenges name that place. Several routes may be one resource: what is said holds for all of them
// together. Pure; any thread.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "answer/answer.h"
#include "http/origin.h"

namespace holdfast::answer {

inline constexpr std::string_view kResourceMetadataPath = "/.well-known/oauth-protected-resource";

// What one route, or all of one resource, say of it.
struct ProtectedResource {
  std::string resource;  // the identifier: a URL in normal form; empty: the origin that a request is for
  std::vector<std::string> authorization_servers;  // each one's `iss`
  std::set<std::string> scopes;
  bool bearer_taken = false;
};

// RFC 9728 3.1: the well-known path between the resource's origin and its path.
[[nodiscard]] std::string resource_metadata_url(std::string_view resource);

// The resources of one listener.
class ResourceTable {
 public:
  // Route number `route` belongs to this resource.
  void add(std::size_t route, ProtectedResource part);

  // Whose metadata lies at `path` (in normal form) of `origin`; nullptr: nobody's.
  [[nodiscard]] const ProtectedResource* find(const http::Origin& origin, std::string_view path) const;
  // Where a challenge of the route's sends its client; empty where the route belongs to none.
  [[nodiscard]] std::string url_of(std::size_t route, const http::Origin& origin) const;

 private:
  std::vector<ProtectedResource> resources_;
  std::map<std::string, std::size_t, std::less<>> by_url_;  // of metadata; "" for the request's own origin
  std::vector<std::optional<std::size_t>> by_route_;
};

// RFC 9728 3.2, for everybody, pages of any origin included.
[[nodiscard]] Answer make_resource_metadata(const AnswerSettings& settings, const ProtectedResource& resource,
                                            const http::Origin& origin);

}  // namespace holdfast::answer
