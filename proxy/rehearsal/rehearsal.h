// A request judged as the running proxy would judge it, and sent nowhere: the very story of
// pipeline/request_flow.h, under the rules of the configuration, between ports that forward nothing and
// remember nothing. What `explain` and `test` say is what comes out of here, so they cannot disagree with the
// proxy. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/reason.h"
#include "base/time.h"
#include "http/message.h"
#include "pipeline/ports.h"
#include "pipeline/rules.h"
#include "settings/model.h"
#include "wire/http1.h"

namespace holdfast::rehearsal {

struct Verdict {
  bool forwarded = false;
  bool answered = false;         // beside `forwarded`: not by the backend, and no refusal
  std::uint16_t status = 0;      // of the answer; 0 where the backend would give it
  std::optional<Reason> reason;  // of the refusal; beside `forwarded` what a route that reports only told
  std::string detail;            // as the client reads it
  std::string route;             // empty: none was found
  std::string scheme;            // of the credentials that were looked at: dpop, bearer or empty
  std::string host;              // the origin's, with its port where that is not the scheme's
};

// The rules by which `run` would serve, numbered as the settings are. Without dpop.nonce.secret_file nonces
// are made with a secret that nobody else has. Throws parts::StartError.
[[nodiscard]] std::shared_ptr<const pipeline::Rules> rules_of(const settings::Settings& settings);
// The same with `enforce: true` on every route: what would be refused, and how.
[[nodiscard]] std::shared_ptr<const pipeline::Rules> enforced_rules_of(settings::Settings settings);

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
  [[nodiscard]] Verdict judge(http::RequestHead head, const pipeline::ConnectionFacts& connection,
                              UnixTime now);
  // What the decoder refused.
  [[nodiscard]] Verdict refuse(const wire::Fault& fault, http::RequestHead head,
                               const pipeline::ConnectionFacts& connection, UnixTime now);

 private:
  class Ports;
  std::unique_ptr<Ports> ports_;
};

}  // namespace holdfast::rehearsal
