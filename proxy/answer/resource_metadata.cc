// Saying where tokens come from: see the header.
#include "answer/resource_metadata.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

namespace holdfast::answer {
namespace {

namespace json = boost::json;

template <class Texts>
json::array array_of(const Texts& texts) {
  json::array out;
  for (const std::string& text : texts) out.emplace_back(json::string(text));
  return out;
}

json::array words_of(std::string_view text) {
  json::array out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    out.emplace_back(json::string(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

}  // namespace

std::string resource_metadata_url(std::string_view resource) {
  const std::size_t authority = resource.find("://") + 3;
  const std::size_t end = std::min(resource.find('/', authority), resource.size());
  std::string url(resource.substr(0, end));
  url += kResourceMetadataPath;
  // A slash that ends the origin belongs to no path.
  if (const std::string_view path = resource.substr(end); path != "/") url += path;
  return url;
}

void ResourceTable::add(std::size_t route, ProtectedResource part) {
  const std::string url = part.resource.empty() ? "" : resource_metadata_url(part.resource);
  const auto [found, fresh] = by_url_.try_emplace(url, resources_.size());
  if (by_route_.size() <= route) by_route_.resize(route + 1);
  by_route_[route] = found->second;
  if (fresh) {
    resources_.push_back(std::move(part));
    return;
  }
  ProtectedResource& whole = resources_[found->second];
  for (std::string& server : part.authorization_servers) {
    if (std::ranges::find(whole.authorization_servers, server) == whole.authorization_servers.end())
      whole.authorization_servers.push_back(std::move(server));
  }
  whole.scopes.merge(part.scopes);
  whole.bearer_taken = whole.bearer_taken || part.bearer_taken;
}

const ProtectedResource* ResourceTable::find(const http::Origin& origin, std::string_view path) const {
  if (!path.starts_with(kResourceMetadataPath)) return nullptr;
  auto found = by_url_.find(origin.text() + std::string(path));
  if (found == by_url_.end() && path == kResourceMetadataPath) found = by_url_.find("");
  return found == by_url_.end() ? nullptr : &resources_[found->second];
}

std::string ResourceTable::url_of(std::size_t route, const http::Origin& origin) const {
  if (route >= by_route_.size() || !by_route_[route]) return {};
  const std::string& resource = resources_[*by_route_[route]].resource;
  return resource_metadata_url(resource.empty() ? origin.text() : resource);
}

Answer make_resource_metadata(const AnswerSettings& settings, const ProtectedResource& resource,
                              const http::Origin& origin) {
  json::object document{
      {"resource", resource.resource.empty() ? origin.text() : resource.resource},
      {"authorization_servers", array_of(resource.authorization_servers)},
      // Where a token is put, of either kind: RFC 6750 2.1 and RFC 9449 7.1 have the same place.
      {"bearer_methods_supported", json::array{"header"}},
      {"dpop_signing_alg_values_supported", words_of(settings.algs)},
      {"dpop_bound_access_tokens_required", !resource.bearer_taken},
  };
  // An empty list would say that there are none.
  if (!resource.scopes.empty()) document["scopes_supported"] = array_of(resource.scopes);
  Answer answer;
  answer.status = 200;
  answer.fields.add_view("Content-Type", "application/json");
  answer.fields.add_view("Cache-Control", "max-age=300");
  answer.fields.add_view("Access-Control-Allow-Origin", "*");
  answer.body = json::serialize(document);
  return answer;
}

}  // namespace holdfast::answer
