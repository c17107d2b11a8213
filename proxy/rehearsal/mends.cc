// What may be done about a refusal, for the operator who asks: the key of the configuration, or the client's
// mistake. See ladder.h.
#include <algorithm>
#include <string>
#include <vector>

#include "answer/answer.h"
#include "http/origin.h"
#include "rehearsal/ladder.h"
#include "settings/report.h"

namespace holdfast::rehearsal {
namespace {

// "https://host:port" of a URI in normal form.
std::string_view origin_of(std::string_view uri) {
  const std::size_t host = uri.find("://");
  if (host == std::string_view::npos) return {};
  return uri.substr(0, std::min(uri.find('/', host + 3), uri.size()));
}

bool is_listed(const settings::Listener& listener, const http::Origin& origin) {
  return std::ranges::any_of(listener.public_origins, [&](const settings::Origin& each) {
    return each.scheme == http::scheme_name(origin.scheme()) && http::uri_host(each.host) == origin.host() &&
           each.port == origin.port();
  });
}

std::string mend_of_htu(const Judged& judged) {
  const std::string named = judged.account.proof ? judged.account.proof->names : std::string();
  if (named.empty())
    return "the client puts the absolute URL that it calls into htu, without query and fragment";
  const auto origin = http::parse_origin(origin_of(named));
  const std::string listener = settings::item("listeners", judged.account.listener);
  if (!origin || origin->authority() == judged.account.host) {
    const bool tls = judged.listener().tls.has_value();
    if (origin && judged.listener().public_origins.empty() &&
        (origin->scheme() == http::Scheme::https) != tls) {
      return "set " + listener + ".public_origins: [" + origin->text() + ']';
    }
    return "the client puts the path that it calls into htu; a proxy before this one must not change it";
  }
  if (is_listed(judged.listener(), *origin)) {
    return "the client's Host is of another origin; where a proxy before this one changed it, name that in " +
           listener + ".trusted_proxies and let it send X-Forwarded-Proto and X-Forwarded-Host";
  }
  return "set " + listener + ".public_origins: [" + answer::reduce_detail(origin->text()) +
         "], if that is what clients call this API";
}

std::string route_at(const Judged& judged) {
  return judged.account.route ? settings::item("routes", *judged.account.route) : "routes[]";
}

std::string mend_of_issuer(const Judged& judged) {
  if (judged.issuer() != nullptr)
    return "add " + judged.issuer()->name + " to " + route_at(judged) +
           ".issuers, if it is to be trusted there";
  std::string urls;
  if (const settings::Route* const from = judged.route(); from != nullptr) {
    for (const std::size_t each : from->issuers) {
      urls += (urls.empty() ? "" : " ") + judged.settings.issuers[each].url;
    }
  }
  return "the token's iss has to be, byte for byte, what issuers[].url says: " + urls;
}

std::string issuer_at(const Judged& judged) {
  return judged.account.issuer ? settings::item("issuers", *judged.account.issuer) : "issuers[]";
}

std::string upstream_at(const Judged& judged) {
  const settings::Route* const route = judged.route();
  return route != nullptr && route->upstream ? settings::item("upstreams", *route->upstream) : "upstreams[]";
}

std::string accepted(const Judged& judged) {
  std::string out;
  if (judged.issuer() != nullptr) {
    for (const std::string& each : judged.issuer()->audiences) out += (out.empty() ? "" : " ") + each;
  }
  return out;
}

std::string mend_of_certificate(const Judged& judged) {
  const auto& tls = judged.listener().tls;
  if (!tls || tls->client_auth == settings::ClientAuth::kNone) {
    return "no client is asked for its certificate: " + settings::item("listeners", judged.account.listener) +
           ".tls.client_auth";
  }
  if (judged.rehearsed && judged.account.certificate.empty())
    return "give the client's certificate as --client-certificate";
  return "the client shows the certificate that the token was issued to";
}

// Of this process, of its upstream, or of the signer of identities, which says itself what is wrong.
std::string mend_of_overload(const Judged& judged) {
  if (!judged.account.route) return "the process has more memory, or less to do";
  if (judged.account.admitted && !judged.account.forwarded) return {};
  return "the backend is quicker, or " + upstream_at(judged) + ".max_connections and queue are larger";
}

}  // namespace

std::string mend_of(const Judged& judged) {
  if (!judged.account.reason) return {};
  const std::string route = route_at(judged);
  const std::string listener = settings::item("listeners", judged.account.listener);
  const std::string upstream = upstream_at(judged);
  switch (*judged.account.reason) {
    case Reason::no_route:
      return "add a route whose match takes it";
    case Reason::route_denied:
      return route + ".access is deny";
    case Reason::origin_unknown:
      return "set " + listener +
             ".public_origins to what clients call this API, such as https://api.example.com";
    case Reason::no_credentials:
      return "the client sends Authorization: DPoP with the token, and a proof as DPoP";
    case Reason::authorization_malformed:
    case Reason::authorization_multiple:
      return "the client sends one Authorization: a scheme, a space, the token";
    case Reason::bearer_refused:
      return "the client sends the token as DPoP, with a proof; or set " + route +
             ".access: dpop_or_bearer while clients move over";
    case Reason::proof_missing:
      return "the client makes a proof for this request and sends it as DPoP";
    case Reason::proof_multiple:
      return "the client sends one DPoP field";
    case Reason::proof_algorithm:
      return "the client signs proofs with an algorithm of dpop.algorithms, or that is added there";
    case Reason::proof_key_private:
      return "the client puts its public key into jwk, and makes a new one: this one is known now";
    case Reason::proof_malformed:
    case Reason::proof_type:
    case Reason::proof_key:
    case Reason::proof_critical:
    case Reason::proof_claim:
      return "the client makes proofs as RFC 9449 4.2 has them";
    case Reason::htm_mismatch:
      return "the client puts the method that it sends into htm";
    case Reason::htu_mismatch:
      return mend_of_htu(judged);
    case Reason::nonce_required:
      return "the client puts the DPoP-Nonce of the answer into a new proof";
    case Reason::nonce_stale:
      return "the client takes the DPoP-Nonce of the answer, and the newest one always";
    case Reason::nonce_invalid:
      return judged.settings.dpop.nonce.secret_file
                 ? "the client takes the DPoP-Nonce of the answer; replicas have the same "
                   "dpop.nonce.secret_file"
                 : "only the process that made a nonce knows it; with dpop.nonce.secret_file others do, too";
    case Reason::iat_too_old:
      if (judged.account.claims) return "the client makes a new proof";
      return "the client makes a proof for each request, and its clock is right; or set " + route +
             ".nonce: required";
    case Reason::iat_in_future:
      return "the client's clock is right; or set " + route + ".nonce: required";
    case Reason::ath_mismatch:
      return "the client makes a new proof for each token";
    case Reason::token_malformed:
    case Reason::token_type:
      return "the client sends the access token, no ID or refresh token";
    case Reason::token_algorithm:
      return "the issuer signs with an algorithm of " + issuer_at(judged) +
             ".algorithms, or that is added there";
    case Reason::token_issuer:
      return mend_of_issuer(judged);
    case Reason::token_key_unknown:
      return "the key set that " + issuer_at(judged) + " leads to has to be this issuer's";
    case Reason::issuer_unavailable:
      return judged.rehearsed ? answer::reduce_detail(judged.keys_error)
                              : "the log says under issuer_keys_not_fetched why; " + issuer_at(judged) +
                                    " says where the keys are";
    case Reason::token_inactive:
      return "the client fetches a new token: this one was revoked, or its session is over";
    case Reason::introspection_unavailable:
      return issuer_at(judged) + ".introspection says whom to ask, and who asks";
    case Reason::token_signature:
      return "the token was changed, or signed with another key of that name";
    case Reason::token_audience:
      return "the issuer puts one of [" + accepted(judged) +
             "] into aud (in Keycloak: an audience mapper), or " + issuer_at(judged) +
             ".audiences names what it puts there";
    case Reason::token_expired:
      return judged.account.admitted ? route +
                                           ".close_at_expiry ends what a token began; the client comes "
                                           "back with a new one"
                                     : "the client fetches a new token";
    case Reason::token_not_yet_valid:
      return "the issuer's clock and this machine's agree";
    case Reason::token_unbound:
      return "the client sends a proof to the token endpoint, too, and the issuer binds tokens to keys";
    case Reason::bearer_for_bound_token:
      return "the client sends this token as DPoP, with a proof";
    case Reason::key_mismatch:
      return "the client signs with the key that the token was issued to, or fetches a token for the new one";
    case Reason::certificate_mismatch:
      return mend_of_certificate(judged);
    case Reason::scope_missing:
      return "the client asks for the scope, or " + route + ".require.scopes is another";
    case Reason::role_missing:
      return "the user or the client is given the role, or " + route + ".require.roles is another";
    case Reason::claim_mismatch:
      return route + ".require.claims says what the token has to say";
    case Reason::step_up_required:
      return "the user logs in again, as the challenge says";
    case Reason::proof_signature:
      return "the proof was changed after it was signed, or signed with another key than its jwk";
    case Reason::proof_replayed:
      return "the client makes a new proof for every request, and for every time that it sends one again";
    case Reason::replay_store_full:
      return "dpop.replay.capacity holds the proofs of as many requests as come within their time";
    case Reason::key_quota:
      return "this client sends less, or dpop.replay.per_key lets one key send more";
    case Reason::upstream_unavailable:
      return upstream + ".servers have to be there and to speak HTTP as their URLs say";
    case Reason::upstream_timeout:
      return "the backend is quicker, or " + upstream + ".timeouts.response is longer";
    case Reason::overloaded:
      return mend_of_overload(judged);
    case Reason::request_too_large:
      return judged.route() == nullptr ? std::string()
                                       : "the client sends less, or " + judged.max_body_key() + " is larger";
    default:
      return {};
  }
}

}  // namespace holdfast::rehearsal
