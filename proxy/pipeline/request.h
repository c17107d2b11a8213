// One request from its head to the end of its answer. It stands between the client's stream and the backend's
// and is each one's view of the other: its decisions are in request_flow.cc, its passing on in relay.cc, its
// end with its token or with this process in expiry.cc. Worker's thread only.
#pragma once

#include <limits>
#include <memory>
#include <optional>
#include <string>

#include "answer/answer.h"
#include "http/target_uri.h"
#include "identity/forwarding_fields.h"
#include "pipeline/exchange.h"
#include "pipeline/expiry.h"
#include "pipeline/request_flow.h"

namespace holdfast::pipeline {

class Request final : public BackendStream, public ClientStream, private AlarmOwner {
 public:
  Request(RequestFlow& flow, http::RequestHead head, const ConnectionFacts& connection,
          Ref<ClientStream> client);
  ~Request() override { stop_watching(); }

  // Decides and either answers or forwards, now or when keys or the replay store have spoken.
  void run();
  // Answers what the codec refused.
  void run_refused(const Refusal& refusal, std::uint16_t status);
  // Where it is a WebSocket: closes it both ways, with what `cause` means to it.
  void close_tunnel(Cause cause);

  // From the client.
  void on_request_data(std::span<const char> bytes) override;
  void on_request_trailers(http::Fields trailers) override;
  void on_request_end() override;
  void on_request_cancel(Cause cause) override;
  void grant_response(std::size_t bytes) override;

  // From the backend.
  void on_response_interim(http::ResponseHead head) override;
  void on_response_head(http::ResponseHead head) override;
  void on_response_data(std::span<const char> bytes) override;
  void on_response_trailers(http::Fields trailers) override;
  void on_response_end() override;
  void on_response_reset(Cause cause) override;
  void grant_request(std::size_t bytes) override;
  [[nodiscard]] std::size_t first_credit() const override { return client_->first_credit(); }
  void on_backend_chosen(std::string_view server) override { server_ = server; }

 private:
  // request_flow.cc, in the order of the story
  [[nodiscard]] bool is_overloaded() const;
  [[nodiscard]] Checked<void> locate();
  [[nodiscard]] Checked<const policy::Route*> match(std::string_view method) const;
  [[nodiscard]] std::optional<answer::Answer> answer_here();
  [[nodiscard]] const answer::ProtectedResource* asks_about(std::string_view method) const;
  [[nodiscard]] std::optional<answer::Answer> preflight();
  [[nodiscard]] Checked<void> choose_route();
  [[nodiscard]] Checked<void> check_length();
  [[nodiscard]] Checked<void> check_origin();
  void use_cors(const policy::CorsRules* rules);
  void refuse_overloaded();
  [[nodiscard]] Checked<void> gather();
  void with_keys();
  void refetch_keys();
  void introspect();
  void with_token();
  void claim_replay();
  void forward(const Admission& admission);
  [[nodiscard]] bool is_meant_for_us();
  [[nodiscard]] Checked<void> sign_identity();
  void decide_against(const Refusal& refusal);
  void deny(const Refusal& refusal, std::optional<unsigned> grpc_status = std::nullopt);
  void note(const Refusal& refusal);
  void refuse_method();

  // relay.cc
  [[nodiscard]] Checked<policy::RequestOrigin> decide_origin() const;
  [[nodiscard]] std::string forwarded_client() const;
  void offer_nonce(http::Fields& response);
  void answer(answer::Answer answer, std::optional<unsigned> grpc_status = std::nullopt);
  void refuse(answer::Answer answer, std::optional<unsigned> grpc_status = std::nullopt);
  void fail(Cause cause);
  void end_grpc(unsigned grpc_status, std::string_view detail);
  void finish();

  // expiry.cc
  void watch_expiry(const http::ResponseHead& head);
  void stop_watching();
  void on_alarm() override;
  void close_to_client();
  void close_to_backend();
  void pass_to_client(std::span<const char> bytes);
  void pass_to_backend(std::span<const char> bytes);
  void end_from_here(Cause cause);
  [[nodiscard]] bool watches_frames() const { return expiry_ != nullptr && expiry_->tunnel.has_value(); }
  [[nodiscard]] bool client_was_told() const { return watches_frames() && expiry_->tunnel->client_told; }

  [[nodiscard]] const policy::Route* route() const { return subject_.route; }
  [[nodiscard]] const answer::ResourceTable& resources() const {
    return rules_->listeners[connection_.listener].resources;
  }
  [[nodiscard]] std::size_t issuer_number() const { return rules_->issuer_numbers[evidence_.issuer]; }

  RequestFlow& flow_;
  std::shared_ptr<const Rules> rules_;
  http::RequestHead head_;
  const ConnectionFacts& connection_;
  Ref<ClientStream> client_;        // null: the request is over
  Ref<BackendStream> backend_;      // null: not forwarded, or over
  std::unique_ptr<Expiry> expiry_;  // null: the answer is not ended from here

  Now began_;
  Checked<policy::RequestOrigin> origin_;
  // The log's own copies, in one string: the head moves on to the backend.
  std::string texts_;
  std::string_view method_;
  std::string_view path_;
  std::string_view client_ip_;  // by a trusted proxy's word, where there is one
  identity::RequestIds ids_;
  http::Target target_;  // normal form
  policy::AuthScheme tried_ = policy::AuthScheme::none;
  const policy::CorsRules* cors_ = nullptr;  // who may read the answer; null: we say nothing of it
  std::string_view cors_origin_;             // of those, the one that asks; empty: nobody of them
  Subject subject_;
  Evidence evidence_;
  bool grpc_ = false;  // refusals are gRPC's
  bool refetched_ = false;
  bool proven_ = false;      // the proof's signature has verified
  bool asked_ = false;       // the token's issuer was asked about it
  bool answered_ = false;    // and has said what the token is
  bool admitted_ = false;    // to the backend, but for what may still go wrong on the way
  bool told_ = false;        // answered here, and no refusal
  bool body_ended_ = false;  // the client's side, before or after forwarding
  bool head_sent_ = false;   // of the answer

  // For the access log.
  std::uint16_t status_ = 0;
  std::optional<Reason> reason_;
  std::optional<Reason> reported_;  // why the request would have been refused, where it passed all the same
  std::string detail_;              // of the one that is logged
  std::uint64_t bytes_in_ = 0;      // more than max_body_, and it is refused
  std::uint64_t max_body_ = std::numeric_limits<std::uint64_t>::max();
  http::BodyLength announced_;  // what check_length() saw
  std::uint64_t bytes_out_ = 0;
  std::optional<Now> forwarded_;
  std::string_view server_;
  std::optional<double> upstream_ms_;
  std::optional<unsigned> grpc_status_;
};

}  // namespace holdfast::pipeline
