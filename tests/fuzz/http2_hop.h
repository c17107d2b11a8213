// Requests from our own HTTP/2 client to our own HTTP/2 server, as to a backend that is as strict as we are.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "message.h"
#include "wire/http2_client.h"
#include "wire/http2_server.h"

namespace holdfast::fuzz {

class Http2Hop {
 public:
  // What the backend reads of a request that has ended.
  [[nodiscard]] Message send(const http::RequestHead& head, std::string_view body,
                             const http::Fields& trailers) {
    seen_.reset();
    const wire::StreamId id = client_.send_head(head);
    check(id != 0);
    if (!body.empty()) client_.send_data(id, body);
    if (head.body.kind != http::BodyLength::Kind::kNone) client_.send_trailers(id, trailers);
    for (bool moved = true; moved;) {
      moved = false;
      std::string out;
      client_.take_output(out, 1 << 20);
      if (!out.empty()) server_.receive(out, kNow);
      moved = !out.empty();
      out.clear();
      server_.take_output(out, 1 << 20);
      if (!out.empty()) client_.receive(out, kNow);
      moved = moved || !out.empty();
    }
    check(seen_.has_value() && ended_);
    return std::move(*seen_);
  }

 private:
  static constexpr SteadyTime kNow{std::chrono::hours(1)};

  struct ClientOwner final : wire::Http2ClientOwner {
    void on_response_interim(wire::StreamId, http::ResponseHead) override {}
    void on_response_head(wire::StreamId, http::ResponseHead) override {}
    void on_response_data(wire::StreamId, std::span<const char>) override {}
    void on_response_trailers(wire::StreamId, http::Fields) override {}
    void on_response_end(wire::StreamId) override {}
    void on_request_sent(wire::StreamId, std::size_t) override {}
    void on_request_done(wire::StreamId) override {}
    void on_stream_reset(wire::StreamId, wire::Http2Failure) override { check(false); }
    void on_stream_end(wire::StreamId) override {}
  };
  struct ServerOwner final : wire::Http2ServerOwner {
    explicit ServerOwner(Http2Hop& to) : hop(to) {}
    void on_request_head(wire::StreamId id, http::RequestHead head) override {
      hop.seen_ = message_of(head);
      hop.ended_ = false;
      hop.server_.grant_request(id, 1 << 20);
    }
    void on_request_refused(wire::StreamId, wire::Fault, http::RequestHead) override { check(false); }
    void on_request_data(wire::StreamId, std::span<const char> bytes) override {
      hop.seen_->body.append(bytes.begin(), bytes.end());
    }
    void on_request_trailers(wire::StreamId, http::Fields) override {}
    void on_request_end(wire::StreamId id) override {
      hop.ended_ = true;
      http::ResponseHead answer;
      answer.status = 204;
      check(hop.server_.send_head(id, answer));
    }
    void on_request_fault(wire::StreamId, wire::Fault) override { check(false); }
    void on_response_sent(wire::StreamId, std::size_t) override {}
    void on_stream_reset(wire::StreamId, bool) override {}
    void on_stream_end(wire::StreamId) override {}
    Http2Hop& hop;
  };

  ClientOwner client_owner_;
  ServerOwner server_owner_{*this};
  wire::Http2Client client_{{}, false, client_owner_};
  wire::Http2Server server_{{}, server_owner_};
  std::optional<Message> seen_;
  bool ended_ = false;
};

}  // namespace holdfast::fuzz
