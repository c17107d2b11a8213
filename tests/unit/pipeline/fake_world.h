// The world of a request as fakes: keys, replay store, upstreams, log and client that remember what they were
// told, and a client-side key that signs tokens and proofs. The clock is the test's.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/base64url.h"
#include "crypto/digest.h"
#include "crypto/private_key.h"
#include "jose/jwk.h"
#include "jose/jwk_set.h"
#include "pipeline/account.h"
#include "pipeline/request_flow.h"
#include "token/introspection_response.h"

namespace holdfast::pipeline::testing {

inline constexpr std::int64_t kStart = 1'800'000'000;  // seconds
inline Now test_now{UnixTime(std::chrono::seconds(kStart)), SteadyTime(std::chrono::hours(1))};
inline Now read_test_clock() {
  return test_now;
}
inline void advance(std::chrono::milliseconds by) {
  test_now.wall += by;
  test_now.steady += by;
}

inline std::string encode(std::string_view text) {
  return base64url_encode({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

class Signer {
 public:
  Signer() : key_(*crypto::PrivateKey::generate(crypto::SignatureAlgorithm::kEcdsaP256Sha256)) {}
  [[nodiscard]] std::string sign(const boost::json::object& header,
                                 const boost::json::object& payload) const {
    const std::string input =
        encode(boost::json::serialize(header)) + "." + encode(boost::json::serialize(payload));
    return input + "." + encode(*key_.sign(crypto::SignatureAlgorithm::kEcdsaP256Sha256, input));
  }
  [[nodiscard]] boost::json::object jwk() const {
    return boost::json::parse(jose::canonical_jwk(key_.public_key())).as_object();
  }
  [[nodiscard]] std::string jkt() const { return jose::thumbprint(key_.public_key()); }

 private:
  crypto::PrivateKey key_;
};

struct FakeKeys final : KeySource {
  std::optional<IssuerKeys> current;
  std::optional<IssuerKeys> after_refetch;
  std::vector<std::function<void(bool)>> waiting;
  bool answer_at_once = true;
  int refetches = 0;

  const IssuerKeys* keys(std::size_t) override { return current ? &*current : nullptr; }
  void refetch(std::size_t, std::uint64_t, std::function<void(bool)> done) override {
    ++refetches;
    waiting.push_back(std::move(done));
    if (answer_at_once) answer();
  }
  void answer() {
    const bool fresh = after_refetch.has_value();
    if (fresh) current = std::exchange(after_refetch, std::nullopt);
    for (auto& done : std::exchange(waiting, {})) done(fresh);
  }
};

struct FakeIntrospector final : Introspector {
  std::map<std::string, std::string, std::less<>> answers;  // by token; any other is not active
  bool answer_at_once = true;
  bool available = true;
  struct Asked {
    std::size_t issuer;
    std::string token;
    crypto::Digest256 digest;
    std::shared_ptr<const token::AccessToken> jwt;
    std::function<void(const Introspected&)> done;
  };
  std::vector<Asked> asked;

  void introspect(const IntrospectionQuestion& question, const Now&,
                  std::function<void(const Introspected&)> done) override {
    asked.push_back(
        {question.issuer, std::string(question.token), question.digest, question.jwt, std::move(done)});
    if (answer_at_once) answer(asked.back());
  }
  void answer(Asked& question) {
    const auto done = std::exchange(question.done, nullptr);
    if (!available) return done(refuse(Reason::introspection_unavailable, "nobody there"));
    const auto found = answers.find(question.token);
    auto said = token::read_introspection(found == answers.end() ? R"({"active":false})" : found->second,
                                          "https://id.example.com", question.jwt.get());
    if (!said) return done(std::unexpected(said.error()));
    done(std::make_shared<const token::AccessToken>(*std::move(said)));
  }
};

struct FakeReplay final : ReplayStore {
  std::optional<ReplayResult> fixed;
  std::vector<ReplayClaim> claims;
  std::set<std::array<std::uint8_t, 32>> seen;

  void claim(const ReplayClaim& claim, const Now&, std::function<void(ReplayResult)> done) override {
    claims.push_back(claim);
    if (fixed) return done(*fixed);
    done(seen.insert(claim.id).second ? ReplayResult::kFirst : ReplayResult::kReplayed);
  }
};

struct FakeBackend final : BackendStream {
  http::RequestHead head;
  Ref<ClientStream> client;
  std::string body;
  bool ended = false;
  std::optional<Cause> cancelled;
  std::size_t granted = 0;

  void on_request_data(std::span<const char> bytes) override { body.append(bytes.data(), bytes.size()); }
  void on_request_trailers(http::Fields) override {}
  void on_request_end() override { ended = true; }
  void on_request_cancel(Cause cause) override { cancelled = cause; }
  void grant_response(std::size_t bytes) override { granted += bytes; }

  void respond(std::uint16_t status, std::string_view text = {},
               const std::vector<std::pair<std::string, std::string>>& fields = {}) {
    const Ref<ClientStream> to = std::exchange(client, nullptr);
    http::ResponseHead response;
    response.status = status;
    response.fields.add("Connection", "close, X-Secret");
    response.fields.add("X-Secret", "1");
    response.fields.add("X-Kept", "1");
    for (const auto& [name, value] : fields) response.fields.add(name, value);
    to->on_response_head(std::move(response));
    to->on_response_data(text);
    to->on_response_end();
  }
};

struct FakeUpstreams final : Upstreams {
  std::vector<Ref<FakeBackend>> opened;
  std::vector<Admission::Kind> admissions;
  std::vector<RouteTimeouts> timeouts;
  bool overloaded = false;

  [[nodiscard]] bool is_overloaded(std::size_t) const override { return overloaded; }

  Ref<BackendStream> open(const Admission& admission, std::size_t, const RouteTimeouts& own,
                          http::RequestHead head, Ref<ClientStream> client) override {
    admissions.push_back(admission.kind());
    timeouts.push_back(own);
    auto backend = make_counted<FakeBackend>();
    backend->head = std::move(head);
    backend->client = std::move(client);
    opened.push_back(backend);
    return backend;
  }
};

struct FakeLog final : AccessLog {
  struct Line {
    unsigned status;
    std::string decision, route, sub, path;
    std::optional<Reason> reason;
    std::string scheme, jkt, proof_alg;
    std::optional<unsigned> grpc_status;
    std::string client_ip;
  };
  std::vector<Line> lines;
  std::vector<Account> accounts;
  void record(const AccessRecord& record) override {
    lines.push_back({record.status, std::string(record.decision), std::string(record.route),
                     std::string(record.sub), std::string(record.path), record.reason,
                     std::string(record.scheme), std::string(record.jkt), std::string(record.proof_alg),
                     record.grpc_status, std::string(record.client_ip)});
    accounts.push_back(account_of(record));
  }
};

// Alarms that ring when the test lets time pass.
struct FakeAlarms final : Alarms {
  struct Made final : Alarm {
    Made(FakeAlarms& from, AlarmOwner& told) : alarms(from), owner(told) { alarms.live.insert(this); }
    ~Made() override { alarms.live.erase(this); }
    Made(const Made&) = delete;
    Made& operator=(const Made&) = delete;
    void arm(Millis after) override { due = test_now.steady + after; }

    FakeAlarms& alarms;
    AlarmOwner& owner;
    std::optional<SteadyTime> due;
  };

  std::set<Made*> live;
  int made = 0;

  std::unique_ptr<Alarm> make(AlarmOwner& owner) override {
    ++made;
    return std::make_unique<Made>(*this, owner);
  }

  // One after the other, each at its time.
  void pass(Millis time) {
    const SteadyTime end = test_now.steady + time;
    for (;;) {
      Made* next = nullptr;
      for (Made* each : live) {
        if (each->due && *each->due <= end && (next == nullptr || *each->due < *next->due)) next = each;
      }
      if (next == nullptr) break;
      advance(std::max(std::chrono::ceil<Millis>(*next->due - test_now.steady), Millis{0}));
      next->due.reset();
      next->owner.on_alarm();
    }
    advance(std::chrono::ceil<Millis>(end - test_now.steady));
  }
};

struct FakeClient final : ClientStream {
  std::uint16_t status = 0;
  std::vector<std::uint16_t> interims;
  http::Fields fields;
  http::Fields trailers;
  std::string body;
  bool close = false;
  bool ended = false;
  std::optional<Cause> reset;
  std::size_t granted = 0;
  RouteTimeouts timeouts;

  void on_response_interim(http::ResponseHead head) override { interims.push_back(head.status); }
  void on_response_head(http::ResponseHead head) override {
    EXPECT_EQ(status, 0) << "two heads";
    status = head.status;
    close = head.close;
    fields = std::move(head.fields);
  }
  void on_response_data(std::span<const char> bytes) override { body.append(bytes.data(), bytes.size()); }
  void on_response_trailers(http::Fields sent) override { trailers = std::move(sent); }
  void on_response_end() override {
    EXPECT_FALSE(ended) << "two ends";
    ended = true;
  }
  void on_response_reset(Cause cause) override { reset = cause; }
  void grant_request(std::size_t bytes) override { granted += bytes; }
  void set_timeouts(const RouteTimeouts& own) override { timeouts = own; }

  [[nodiscard]] std::string reason() const {
    if (body.empty() || body[0] != '{') return {};
    return std::string(boost::json::parse(body).at("reason").as_string());
  }
};

}  // namespace holdfast::pipeline::testing
