// The keys that seal TLS session tickets (RFC 8446 4.6.1, RFC 5077 4): one ring for all workers and
// listeners, so that each resumes what another began, whatever certificate is served meanwhile. A key is
// random, used for one period and kept for one more; who steals it reads no more than that. Rotated by the
// control thread; all calls from any thread.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <mutex>

#include "base/secret.h"

namespace holdfast::net {

class TicketKeys {
 public:
  // One random key. Throws std::runtime_error where there is no randomness to be had.
  TicketKeys();
  ~TicketKeys();
  TicketKeys(const TicketKeys&) = delete;
  TicketKeys& operator=(const TicketKeys&) = delete;

  // New tickets are sealed with a new key from now on. The key before opens its tickets still, and they are
  // renewed; those before it open nothing any more.
  void rotate();

  // The ring for a successor process, and a predecessor's taken over. False: it is no ring; nothing changes.
  [[nodiscard]] Secret export_ring() const;
  [[nodiscard]] bool import_ring(const Secret& exported);

  // Has the context seal and open its tickets with these keys, which must outlive it.
  void install(SSL_CTX* context) const;

 private:
  struct Ring;
  struct Callbacks;

  [[nodiscard]] std::shared_ptr<const Ring> ring() const;
  void replace(std::shared_ptr<const Ring> ring);

  mutable std::mutex mutex_;  // for as long as it takes to copy the pointer
  std::shared_ptr<const Ring> ring_;
};

}  // namespace holdfast::net
