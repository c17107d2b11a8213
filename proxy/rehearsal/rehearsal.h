// A request judged as the running proxy would judge it, and sent nowhere: the very story of
// pipeline/request_flow.h, under the rules of the configuration, between ports that forward nothing and
// remember nothing. What `explain` and `test` say is what comes out of here, so they cannot disagree with the
// proxy. One thread.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "base/time.h"
#include "http/message.h"
#include "pipeline/account.h"
#include "pipeline/ports.h"
#include "pipeline/rules.h"
#include "settings/model.h"
#include "wire/http1.h"

namespace holdfast::rehearsal {

// The rules by which `run` would serve, numbered as the settings are. Without dpop.nonce.secret_file nonces
// are made with a secret that nobody else has. Throws parts::StartError.
[[nodiscard]] std::shared_ptr<const pipeline::Rules> rules_of(const settings::Settings& settings);

class Rehearsal {
 public:
  // The keys of an issuer by its index in the settings; null: they cannot be had. Asked once, when the story
  // first needs them.
  using Keys = std::function<std::shared_ptr<const jose::KeySet>(std::size_t issuer)>;

  // What the issuer says about a token; asked once for each.
  using Introspect = std::function<pipeline::Introspected(const pipeline::IntrospectionQuestion& question)>;

  Rehearsal(std::shared_ptr<const pipeline::Rules> rules, Keys keys, Introspect introspect);
  ~Rehearsal();
  Rehearsal(const Rehearsal&) = delete;
  Rehearsal& operator=(const Rehearsal&) = delete;

  // Every proof counts as one that was not used before.
  [[nodiscard]] pipeline::Account judge(http::RequestHead head, const pipeline::ConnectionFacts& connection,
                                        UnixTime now);
  // What the decoder refused.
  [[nodiscard]] pipeline::Account refuse(const wire::Fault& fault, http::RequestHead head,
                                         const pipeline::ConnectionFacts& connection, UnixTime now);

 private:
  class Ports;
  std::unique_ptr<Ports> ports_;
};

}  // namespace holdfast::rehearsal
