// The story of a request, from its head to what the upstream side is handed, with real rules and nothing of
// the world: /admin is closed, /v1 loses its prefix, everything else is public.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "http/forwarded.h"
#include "http/hop_by_hop.h"
#include "http/target_uri.h"
#include "message.h"
#include "pipeline/request_flow.h"
#include "wire/field_syntax.h"

namespace holdfast::fuzz {

class Forwarding {
 public:
  // What goes to a backend; nothing where Holdfast answers by itself.
  [[nodiscard]] std::optional<http::RequestHead> forward(http::RequestHead head) {
    upstreams_.opened.reset();
    const auto request = flow_.start(std::move(head), facts_, make_counted<Client>());
    if (!upstreams_.opened) return std::nullopt;
    http::RequestHead forwarded = std::move(*upstreams_.opened);
    check_head(forwarded);
    return forwarded;
  }

 private:
  struct Keys final : pipeline::KeySource {
    const pipeline::IssuerKeys* keys(std::size_t) override { return nullptr; }
    void refetch(std::size_t, std::uint64_t, std::function<void(bool)> done) override { done(false); }
  };
  struct Introspector final : pipeline::Introspector {
    void introspect(const pipeline::IntrospectionQuestion&, const Now&,
                    std::function<void(const pipeline::Introspected&)> done) override {
      done(std::unexpected(Refusal{Reason::introspection_unavailable, ""}));
    }
  };
  struct Replay final : pipeline::ReplayStore {
    void claim(const pipeline::ReplayClaim&, const Now&,
               std::function<void(pipeline::ReplayResult)> done) override {
      done(pipeline::ReplayResult::kUnavailable);
    }
  };
  struct Log final : pipeline::AccessLog {
    void record(const pipeline::AccessRecord&) override {}
  };
  struct Alarms final : pipeline::Alarms {
    struct Silent final : pipeline::Alarm {
      void arm(Millis) override {}
    };
    std::unique_ptr<pipeline::Alarm> make(pipeline::AlarmOwner&) override {
      return std::make_unique<Silent>();
    }
  };
  struct Client final : pipeline::ClientStream {
    void on_response_interim(http::ResponseHead) override {}
    void on_response_head(http::ResponseHead) override {}
    void on_response_data(std::span<const char>) override {}
    void on_response_trailers(http::Fields) override {}
    void on_response_end() override {}
    void on_response_reset(pipeline::Cause) override {}
    void grant_request(std::size_t) override {}
  };
  struct Backend final : pipeline::BackendStream {
    void on_request_data(std::span<const char>) override {}
    void on_request_trailers(http::Fields) override {}
    void on_request_end() override {}
    void on_request_cancel(pipeline::Cause) override {}
    void grant_response(std::size_t) override {}
  };
  struct Upstreams final : pipeline::Upstreams {
    std::optional<http::RequestHead> opened;
    [[nodiscard]] bool is_overloaded(std::size_t) const override { return false; }
    Ref<pipeline::BackendStream> open(const pipeline::Admission&, std::size_t, const pipeline::RouteTimeouts&,
                                      http::RequestHead head, Ref<pipeline::ClientStream>) override {
      opened = std::move(head);
      return make_counted<Backend>();
    }
  };

  static std::shared_ptr<const pipeline::Rules> rules() {
    std::vector<policy::Route> routes(3);
    routes[0].match.paths = {"/admin/**"};
    routes[0].access = policy::Access::deny;
    routes[1].match.paths = {"/v1/**"};
    routes[1].strip_prefix = "/v1";
    routes[1].access = policy::Access::public_access;
    routes[2].access = policy::Access::public_access;
    return std::make_shared<const pipeline::Rules>(pipeline::Rules{
        .listeners = {{.name = "", .origin = {.scheme = http::Scheme::http}, .resources = {}}},
        .routes = policy::RouteTable(std::move(routes)),
        .links = std::vector<pipeline::RouteLinks>(3),
        .issuers = {},
        .issuer_numbers = {},
        .proof = {},
        .nonces = nullptr,
        .headers = identity::HeaderPlan({}),
        .assertions = nullptr,
        .answers = {}});
  }

  static Now now() { return {UnixTime(std::chrono::hours(1)), SteadyTime(std::chrono::hours(1))}; }

  // "To the backend" of the contract, for a client that is not trusted and a route without identity.
  static void check_head(http::RequestHead& head) {
    static const identity::HeaderPlan plan{identity::IdentityHeaders()};
    Arena arena;
    const auto target = http::normalize_target(head.target, arena);
    check(target && head.target.starts_with(target->path));
    for (const http::Field& field : head.fields) {
      check(!plan.is_identity_header(field.name) && !http::is_hop_by_hop(field.name));
      check(!wire::is_disguised_framing(field.name) && !iequals(field.name, "dpop"));
      const bool ours = field.name == "X-Forwarded-For" || field.name == "X-Forwarded-Proto" ||
                        field.name == "X-Forwarded-Host";
      check(ours || !http::is_forwarding_field(field.name));
    }
    check(head.fields.count("x-forwarded-for") == 1 && head.fields.count("x-forwarded-proto") == 1);
    check(head.fields.count("x-forwarded-host") <= 1 && head.fields.count("x-request-id") == 1);
    check(head.fields.count("traceparent") == 1);
  }

  Keys keys_;
  Introspector introspector_;
  Replay replay_;
  Log log_;
  Alarms alarms_;
  Upstreams upstreams_;
  pipeline::ConnectionFacts facts_;
  pipeline::RequestFlow flow_{{.keys = keys_,
                               .introspector = introspector_,
                               .replay = replay_,
                               .upstreams = upstreams_,
                               .log = log_,
                               .alarms = alarms_,
                               .now = &now},
                              rules()};
};

}  // namespace holdfast::fuzz
