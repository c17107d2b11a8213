// Drives a decoder over bytes in pieces of a given size and keeps what came out, for the tests of this
// folder.
#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "wire/request_decoder.h"
#include "wire/response_decoder.h"

namespace holdfast::wire {

struct DecodedRequest {
  http::RequestHead head;
  std::string body;
  http::Fields trailers;
  bool wants_close = false;
  bool ended = false;
};

struct DecodedRequests {
  std::vector<DecodedRequest> requests;
  std::optional<Fault> fault;

  [[nodiscard]] std::size_t ended() const {
    return static_cast<std::size_t>(
        std::count_if(requests.begin(), requests.end(), [](const DecodedRequest& r) { return r.ended; }));
  }
};

inline DecodedRequests decode_requests(std::string_view bytes, std::size_t piece = 1 << 20,
                                       Limits limits = {}) {
  DecodedRequests out;
  RequestDecoder decoder(limits);
  while (!bytes.empty()) {
    // A copy of its own, so that a view kept beyond its time is seen by the sanitizer.
    const std::vector<char> part(bytes.begin(),
                                 bytes.begin() + static_cast<std::ptrdiff_t>(std::min(piece, bytes.size())));
    bytes.remove_prefix(part.size());
    std::span<const char> rest(part);
    for (bool more = true; more;) {
      const Step step = decoder.feed(rest);
      rest = rest.subspan(step.consumed);
      switch (step.event) {
        case Event::kHead:
          out.requests.push_back({});
          out.requests.back().wants_close = decoder.wants_close();
          out.requests.back().head = decoder.take_head();
          break;
        case Event::kData:
          out.requests.back().body.append(step.data.begin(), step.data.end());
          break;
        case Event::kEnd:
          out.requests.back().trailers = decoder.take_trailers();
          out.requests.back().ended = true;
          decoder.next();
          break;
        case Event::kFault:
          out.fault = decoder.fault();
          return out;
        case Event::kInterim:
        case Event::kNeedMore:
          more = false;
          break;
      }
    }
  }
  return out;
}

struct DecodedResponse {
  std::vector<unsigned> interims;
  std::optional<http::ResponseHead> head;
  std::string body;
  http::Fields trailers;
  bool ended = false;
  std::string fault;
  std::size_t stray = 0;  // bytes after the end
};

inline DecodedResponse decode_response(std::string_view bytes, std::string_view method = "GET",
                                       bool then_eof = true, std::size_t piece = 1 << 20,
                                       Limits limits = {}) {
  DecodedResponse out;
  ResponseDecoder decoder(limits);
  decoder.begin(method);
  const auto take = [&](const Step& step) {
    switch (step.event) {
      case Event::kInterim:
        out.interims.push_back(decoder.take_head().status);
        return true;
      case Event::kHead:
        out.head = decoder.take_head();
        return true;
      case Event::kData:
        out.body.append(step.data.begin(), step.data.end());
        return true;
      case Event::kEnd:
        out.trailers = decoder.take_trailers();
        out.ended = true;
        return false;
      case Event::kFault:
        out.fault = decoder.fault();
        return false;
      case Event::kNeedMore:
        return false;
    }
    return false;
  };
  while (!bytes.empty() && !out.ended && out.fault.empty()) {
    const std::vector<char> part(bytes.begin(),
                                 bytes.begin() + static_cast<std::ptrdiff_t>(std::min(piece, bytes.size())));
    bytes.remove_prefix(part.size());
    std::span<const char> rest(part);
    for (bool more = true; more;) {
      const Step step = decoder.feed(rest);
      rest = rest.subspan(step.consumed);
      more = take(step);
    }
    if (out.ended) out.stray = rest.size() + bytes.size();
  }
  if (then_eof && !out.ended && out.fault.empty()) take(decoder.finish());
  return out;
}

}  // namespace holdfast::wire
