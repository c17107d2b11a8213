#include "issuer/discovery.h"

#include "issuer/location.h"
#include "jose/json.h"

namespace holdfast::issuer {
namespace {

constexpr std::string_view kOpenId = "/.well-known/openid-configuration";
constexpr std::string_view kOAuth = "/.well-known/oauth-authorization-server";

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

std::expected<std::string, std::string> jwks_uri_of(std::string_view metadata,
                                                    const IssuerSettings& settings) {
  const auto document = jose::parse_json_object(metadata);
  if (!document) return std::unexpected("the metadata is not a JSON object: " + document.error());
  const auto issuer = jose::string_member(*document, "issuer");
  if (!issuer) return std::unexpected("the metadata names no issuer");
  if (*issuer != settings.url) {
    return std::unexpected("the metadata names the issuer \"" + std::string(*issuer) + "\", not \"" +
                           settings.url + "\"");
  }
  const auto jwks_uri = jose::string_member(*document, "jwks_uri");
  if (!jwks_uri) return std::unexpected("the metadata names no jwks_uri");
  if (const auto location = fetchable_location(*jwks_uri, settings.allow_http); !location) {
    return std::unexpected("jwks_uri: " + location.error());
  }
  return std::string(*jwks_uri);
}

}  // namespace holdfast::issuer
