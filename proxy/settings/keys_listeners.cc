#include "settings/keys_listeners.h"

#include "settings/key_forms.h"

namespace holdfast::settings {
namespace {

Value<TlsVersion> tls_version() {
  return choice<TlsVersion>({{"1.2", TlsVersion::kTls12}, {"1.3", TlsVersion::kTls13}});
}

Value<CertificateFiles> certificate_files() {
  return map<CertificateFiles>({
      member<CertificateFiles>("certificate", text(), &CertificateFiles::certificate).required(),
      member<CertificateFiles>("key", text(), &CertificateFiles::key).required(),
  });
}

Value<TlsDraft> listener_tls() {
  return map<TlsDraft>({
      member<TlsDraft>("certificates", one_or_list(certificate_files()), &ListenerTls::certificates),
      member<TlsDraft>("certificate", text(), &TlsDraft::certificate),
      member<TlsDraft>("key", text(), &TlsDraft::key),
      member<TlsDraft>("min_version", tls_version(), &ListenerTls::min_version),
      member<TlsDraft>("client_ca", text(), &ListenerTls::client_ca),
      member<TlsDraft>("client_auth",
                       choice<ClientAuth>({{"none", ClientAuth::kNone},
                                           {"optional", ClientAuth::kOptional},
                                           {"required", ClientAuth::kRequired}}),
                       &ListenerTls::client_auth),
      member<TlsDraft>("session_tickets", boolean(), &ListenerTls::session_tickets),
  });
}

Value<std::vector<Protocol>> protocols() {
  return one_or_list(choice<Protocol>({{"h2", Protocol::kHttp2}, {"http/1.1", Protocol::kHttp11}}));
}

Keys<ListenerLimits> listener_limits() {
  return {
      member<ListenerLimits>("max_header_bytes", size(1024, 1024 * 1024), &ListenerLimits::max_header_bytes),
      member<ListenerLimits>("max_headers", whole<std::size_t>(1, 10'000), &ListenerLimits::max_headers),
      member<ListenerLimits>("max_connections", whole<std::size_t>(1, 10'000'000),
                             &ListenerLimits::max_connections),
      member<ListenerLimits>("max_body", size_or_unlimited(), &ListenerLimits::max_body),
  };
}

Keys<ListenerTimeouts> listener_timeouts() {
  return {
      member<ListenerTimeouts>("handshake", time(), &ListenerTimeouts::handshake),
      member<ListenerTimeouts>("headers", time(), &ListenerTimeouts::headers),
      member<ListenerTimeouts>("body_idle", time(), &ListenerTimeouts::body_idle),
      member<ListenerTimeouts>("idle", time(), &ListenerTimeouts::idle),
      member<ListenerTimeouts>("stream_idle", time(), &ListenerTimeouts::stream_idle),
      member<ListenerTimeouts>("tunnel", time(), &ListenerTimeouts::tunnel),
  };
}

}  // namespace

Value<ListenerDraft> listener() {
  return map<ListenerDraft>({
      member<ListenerDraft>("name", text(), &Listener::name).required(),
      member<ListenerDraft>("address", scalar(parse_address), &Listener::address).required(),
      member<ListenerDraft>("tls", or_off(listener_tls()), &ListenerDraft::tls_written),
      member<ListenerDraft>("protocols", protocols(), &Listener::protocols),
      member<ListenerDraft>("public_origins", list(scalar(parse_origin)), &Listener::public_origins),
      member<ListenerDraft>("trusted_proxies", list(scalar(parse_cidr)), &Listener::trusted_proxies),
      member<ListenerDraft>("proxy_protocol", boolean(), &Listener::proxy_protocol),
      section<ListenerDraft>("limits", listener_limits(), &Listener::limits),
      section<ListenerDraft>("timeouts", listener_timeouts(), &Listener::timeouts),
  });
}

}  // namespace holdfast::settings
