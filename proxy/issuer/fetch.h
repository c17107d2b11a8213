// One HTTP request to an issuer, whole and bounded: every address of the host in turn, one deadline over
// everything, a limit on the answer's size. Only 200 is an answer: redirects are not followed, since they
// would lead past the rules that the URL was held to. The answer is read by wire/'s strict decoder.
//
// Control thread only. Not for workers: it is written to be small, not to be quick.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <expected>
#include <functional>
#include <memory>
#include <string>

#include "base/secret.h"
#include "issuer/location.h"
#include "net/tls_client.h"

namespace holdfast::issuer {

// More than any real issuer's metadata or key set.
inline constexpr std::size_t kMaxAnswer = 1024 * 1024;

struct FetchRequest {
  Location location;
  std::shared_ptr<const net::TlsClientContext> tls;  // not null where location.tls
  // application/x-www-form-urlencoded. With it the request is a POST, and the answer has to be
  // application/json; empty: a GET.
  Secret form = {};
  Secret authorization = {};  // the field's value; empty: none
  std::size_t max_answer = kMaxAnswer;
};

// The body, or a sentence for the operator.
using FetchResult = std::expected<std::string, std::string>;

class Fetch {
 public:
  using Done = std::function<void(FetchResult)>;

  // Begins at once. `done` comes once, never from inside this call.
  Fetch(boost::asio::io_context& io, FetchRequest request, std::chrono::milliseconds timeout, Done done);
  // Ends it; `done` does not come any more.
  ~Fetch();
  Fetch(const Fetch&) = delete;
  Fetch& operator=(const Fetch&) = delete;

 private:
  class Flight;
  std::shared_ptr<Flight> flight_;
};

}  // namespace holdfast::issuer
