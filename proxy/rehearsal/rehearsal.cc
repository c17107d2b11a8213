#include "rehearsal/rehearsal.h"

#include <map>
#include <utility>

#include "crypto/random.h"
#include "parts/assertion_keys.h"
#include "parts/compile_rules.h"
#include "parts/nonce_secrets.h"
#include "parts/part_configs.h"
#include "pipeline/request_flow.h"

namespace holdfast::rehearsal {
namespace {

// The flow asks a plain function for the time.
thread_local Now moment;

// What is answered is told by the account, too.
class Nobody final : public pipeline::ClientStream {
  void on_response_interim(http::ResponseHead) override {}
  void on_response_head(http::ResponseHead) override {}
  void on_response_data(std::span<const char>) override {}
  void on_response_trailers(http::Fields) override {}
  void on_response_end() override {}
  void on_response_reset(pipeline::Cause) override {}
  void grant_request(std::size_t) override {}
};

}  // namespace

std::shared_ptr<const pipeline::Rules> rules_of(const settings::Settings& settings) {
  parts::PartNumbers numbers;
  for (std::size_t i = 0; i < settings.issuers.size(); ++i) numbers.issuers.push_back(i);
  for (std::size_t i = 0; i < settings.upstreams.size(); ++i) numbers.upstreams.push_back(i);
  std::shared_ptr<const dpop::NonceIssuer> nonces;
  constexpr std::size_t kSecretBytes = 32;
  if (parts::needs_nonces(settings)) {
    const Secret secret(crypto::random_bytes(kSecretBytes));
    nonces = parts::or_fail(parts::make_nonce_issuer(settings.dpop.nonce, secret));
  }
  std::shared_ptr<const pipeline::AssertionSigner> assertions;
  if (settings.assertion) assertions = parts::or_fail(parts::make_assertion_signer(*settings.assertion));
  return parts::compile_rules(settings, numbers, std::move(nonces), std::move(assertions));
}

class Rehearsal::Ports final : pipeline::KeySource,
                               pipeline::Introspector,
                               pipeline::ReplayStore,
                               pipeline::Upstreams,
                               pipeline::AccessLog,
                               pipeline::Alarms {
 public:
  Ports(std::shared_ptr<const pipeline::Rules> rules, Keys keys, Introspect introspect)
      : keys_(std::move(keys)),
        introspect_(std::move(introspect)),
        flow_({.keys = *this,
               .introspector = *this,
               .replay = *this,
               .upstreams = *this,
               .log = *this,
               .alarms = *this,
               .now = [] { return moment; }},
              std::move(rules)) {}

  template <typename Send>
  pipeline::Account play(UnixTime now, Send send) {
    moment = {now, std::chrono::steady_clock::now()};
    account_ = {};
    send(flow_, make_counted<Nobody>());
    return std::exchange(account_, {});
  }

 private:
  class Never final : public pipeline::Alarm {
    void arm(Millis) override {}
  };

  const pipeline::IssuerKeys* keys(std::size_t issuer) override {
    auto [at, fresh] = known_.try_emplace(issuer);
    if (fresh) at->second = {.generation = 1, .keys = keys_(issuer)};
    return at->second.keys == nullptr ? nullptr : &at->second;
  }
  // They were fetched a moment ago.
  void refetch(std::size_t, std::uint64_t, std::function<void(bool)> done) override { done(false); }

  void introspect(const pipeline::IntrospectionQuestion& question, const Now&,
                  std::function<void(const pipeline::Introspected&)> done) override {
    done(introspect_(question));
  }

  void claim(const pipeline::ReplayClaim&, const Now&,
             std::function<void(pipeline::ReplayResult)> done) override {
    done(pipeline::ReplayResult::kFirst);
  }

  [[nodiscard]] bool is_overloaded(std::size_t) const override { return false; }
  Ref<pipeline::BackendStream> open(const pipeline::Admission&, std::size_t, const pipeline::RouteTimeouts&,
                                    http::RequestHead, Ref<pipeline::ClientStream> client) override {
    http::ResponseHead head;
    head.status = 204;
    client->on_response_head(std::move(head));
    client->on_response_end();
    return nullptr;
  }

  void record(const pipeline::AccessRecord& record) override { account_ = pipeline::account_of(record); }

  std::unique_ptr<pipeline::Alarm> make(pipeline::AlarmOwner&) override { return std::make_unique<Never>(); }

  const Keys keys_;
  const Introspect introspect_;
  std::map<std::size_t, pipeline::IssuerKeys> known_;
  pipeline::Account account_;
  pipeline::RequestFlow flow_;
};

Rehearsal::Rehearsal(std::shared_ptr<const pipeline::Rules> rules, Keys keys, Introspect introspect)
    : ports_(std::make_unique<Ports>(std::move(rules), std::move(keys), std::move(introspect))) {}
Rehearsal::~Rehearsal() = default;

pipeline::Account Rehearsal::judge(http::RequestHead head, const pipeline::ConnectionFacts& connection,
                                   UnixTime now) {
  return ports_->play(now, [&](pipeline::RequestFlow& flow, Ref<pipeline::ClientStream> client) {
    const Ref<pipeline::BackendStream> request = flow.start(std::move(head), connection, std::move(client));
  });
}

pipeline::Account Rehearsal::refuse(const wire::Fault& fault, http::RequestHead head,
                                    const pipeline::ConnectionFacts& connection, UnixTime now) {
  return ports_->play(now, [&](pipeline::RequestFlow& flow, Ref<pipeline::ClientStream> client) {
    flow.refuse(fault.refusal, fault.status, std::move(head), connection, std::move(client));
  });
}

}  // namespace holdfast::rehearsal
