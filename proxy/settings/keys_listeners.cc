#include "settings/keys_listeners.h"

#include "settings/key_forms.h"

namespace holdfast::settings {
namespace {

Value<TlsVersion> tls_version() {
  return choice<TlsVersion>({{"1.2", TlsVersion::kTls12}, {"1.3", TlsVersion::kTls13}});
}

Value<CertificateFiles> certificate_files() {
  return named("certificate-files",
               map<CertificateFiles>({
                   member<CertificateFiles>("certificate", text(), &CertificateFiles::certificate)
                       .required()
                       .about("A PEM file: the certificate, then its chain"),
                   member<CertificateFiles>("key", text(), &CertificateFiles::key)
                       .required()
                       .about("A PEM file: the private key"),
               }));
}

Value<TlsDraft> listener_tls() {
  return map<TlsDraft>({
      member<TlsDraft>("certificates", one_or_list(certificate_files()), &ListenerTls::certificates)
          .about("Chosen by the name that the client asks for (SNI), the first where none fits"),
      member<TlsDraft>("certificate", text(), &TlsDraft::certificate)
          .about(
              "A PEM file: the certificate, then its chain; beside key, shorthand for one of certificates"),
      member<TlsDraft>("key", text(), &TlsDraft::key).about("A PEM file: the private key of certificate"),
      member<TlsDraft>("min_version", tls_version(), &ListenerTls::min_version)
          .about("The oldest version of TLS that is spoken"),
      member<TlsDraft>("client_ca", text(), &ListenerTls::client_ca)
          .about("A PEM file of the authorities that clients' certificates are held to"),
      member<TlsDraft>("client_auth",
                       choice<ClientAuth>({{"none", ClientAuth::kNone},
                                           {"optional", ClientAuth::kOptional},
                                           {"required", ClientAuth::kRequired}}),
                       &ListenerTls::client_auth)
          .about("Whether clients are asked for a certificate, and whether they must have one"),
      member<TlsDraft>("session_tickets", boolean(), &ListenerTls::session_tickets)
          .about("Whether clients may resume a session"),
  });
}

Value<std::vector<Protocol>> protocols() {
  return one_or_list(choice<Protocol>({{"h2", Protocol::kHttp2}, {"http/1.1", Protocol::kHttp11}}));
}

Keys<ListenerLimits> listener_limits() {
  return {
      member<ListenerLimits>("max_header_bytes", size(1024, 1024 * 1024), &ListenerLimits::max_header_bytes)
          .about("Of one request's head"),
      member<ListenerLimits>("max_headers", whole<std::size_t>(1, 10'000), &ListenerLimits::max_headers)
          .about("Fields of one request's head"),
      member<ListenerLimits>("max_connections", whole<std::size_t>(1, 10'000'000),
                             &ListenerLimits::max_connections)
          .about("Of the whole process"),
      member<ListenerLimits>("max_body", size_or_unlimited(), &ListenerLimits::max_body)
          .about("Of one request's body, or unlimited"),
  };
}

Keys<ListenerTimeouts> listener_timeouts() {
  return {
      member<ListenerTimeouts>("handshake", time(), &ListenerTimeouts::handshake)
          .about("For TLS, and for the PROXY header before it"),
      member<ListenerTimeouts>("headers", time(), &ListenerTimeouts::headers)
          .about("From a request's first byte to the end of its head"),
      member<ListenerTimeouts>("body_idle", time(), &ListenerTimeouts::body_idle)
          .about("Between two pieces of a body"),
      member<ListenerTimeouts>("idle", time(), &ListenerTimeouts::idle)
          .about("Between two requests of a connection"),
      member<ListenerTimeouts>("stream_idle", time(), &ListenerTimeouts::stream_idle)
          .about("For a client that takes nothing of its answer"),
      member<ListenerTimeouts>("tunnel", time(), &ListenerTimeouts::tunnel)
          .about("For a WebSocket through which nothing moves"),
  };
}

}  // namespace

Value<ListenerDraft> listener() {
  return map<ListenerDraft>({
      member<ListenerDraft>("name", text(), &Listener::name)
          .required()
          .about("What logs and metrics call it"),
      member<ListenerDraft>("address", address(), &Listener::address)
          .required()
          .about(":PORT for every address, IPv6 and IPv4; or HOST:PORT, [IPV6]:PORT"),
      member<ListenerDraft>("tls", or_off(listener_tls()), &ListenerDraft::tls_written)
          .required("is required: a certificate and its key, or off for plain HTTP")
          .about("A certificate and its key, or off for plain HTTP"),
      member<ListenerDraft>("protocols", protocols(), &Listener::protocols)
          .about("What is spoken, most wanted first; on a plain listener HTTP/2 by prior knowledge"),
      member<ListenerDraft>("public_origins", list(origin()), &Listener::public_origins)
          .about(
              "What clients call this listener, and so what a proof's htu may name; without it the names in "
              "the certificate"),
      member<ListenerDraft>("trusted_proxies", list(address_range()), &Listener::trusted_proxies)
          .about("Whose X-Forwarded-* and Forwarded are believed; needs public_origins"),
      member<ListenerDraft>("proxy_protocol", boolean(), &Listener::proxy_protocol)
          .about("true: a PROXY header (version 2) comes first, and from trusted_proxies only"),
      section<ListenerDraft>("limits", listener_limits(), &Listener::limits)
          .about("How much a client may send"),
      section<ListenerDraft>("timeouts", listener_timeouts(), &Listener::timeouts)
          .about("How long a client may take"),
  });
}

}  // namespace holdfast::settings
