#include "issuer/discovery.h"

#include <boost/json/object.hpp>
#include <utility>

#include "issuer/location.h"
#include "jose/json.h"

namespace holdfast::issuer {
namespace {

constexpr std::string_view kOpenId = "/.well-known/openid-configuration";
constexpr std::string_view kOAuth = "/.well-known/oauth-authorization-server";

std::expected<std::string, std::string> endpoint(const boost::json::object& metadata, std::string_view name,
                                                 const IssuerSettings& settings) {
  const auto uri = jose::string_member(metadata, name);
  if (!uri) return std::unexpected("the metadata names no " + std::string(name));
  if (const auto location = fetchable_location(*uri, settings.allow_http); !location) {
    return std::unexpected(std::string(name) + ": " + location.error());
  }
  return std::string(*uri);
}

}  // namespace

std::vector<std::string> metadata_urls(const IssuerSettings& settings) {
  if (!settings.discovery_url.empty()) return {settings.discovery_url};
  std::string_view url = settings.url;
  if (url.ends_with('/')) url.remove_suffix(1);
  const std::size_t scheme = url.find("://");
  const std::size_t path = scheme == std::string_view::npos ? url.size() : url.find('/', scheme + 3);
  const std::string_view host = url.substr(0, path);
  const std::string_view rest = url.substr(host.size());
  return {std::string(url) + std::string(kOpenId),
          std::string(host) + std::string(kOAuth) + std::string(rest)};
}

bool needs_discovery(const IssuerSettings& settings) {
  return settings.jwks_url.empty() || (settings.introspection && settings.introspection->url.empty());
}

Endpoints configured_endpoints(const IssuerSettings& settings) {
  return {settings.jwks_url, settings.introspection ? settings.introspection->url : ""};
}

std::expected<Endpoints, std::string> discovered_endpoints(std::string_view metadata,
                                                           const IssuerSettings& settings) {
  const auto document = jose::parse_json_object(metadata);
  if (!document) return std::unexpected("the metadata is not a JSON object: " + document.error());
  const auto issuer = jose::string_member(*document, "issuer");
  if (!issuer) return std::unexpected("the metadata names no issuer");
  if (*issuer != settings.url) {
    return std::unexpected("the metadata names the issuer \"" + std::string(*issuer) + "\", not \"" +
                           settings.url + "\"");
  }
  Endpoints found = configured_endpoints(settings);
  if (found.jwks_uri.empty() && (!settings.introspection || document->contains("jwks_uri"))) {
    auto uri = endpoint(*document, "jwks_uri", settings);
    if (!uri) return std::unexpected(std::move(uri.error()));
    found.jwks_uri = std::move(*uri);
  }
  if (settings.introspection && found.introspection.empty()) {
    auto uri = endpoint(*document, "introspection_endpoint", settings);
    if (!uri) return std::unexpected(std::move(uri.error()));
    found.introspection = std::move(*uri);
  }
  return found;
}

}  // namespace holdfast::issuer
