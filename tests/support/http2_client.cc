#include "support/http2_client.h"

#include <chrono>
#include <stdexcept>
#include <utility>

namespace holdfast::support {

Http2Client::Http2Client(Stream stream, const Http2Peer::Options& options)
    : peer(options), stream_(std::move(stream)) {}

// Says whether something came.
bool Http2Client::step(Milliseconds patience) {
  const std::string out = peer.output();
  if (!out.empty() && !stream_.send(out)) closed_ = true;
  std::string bytes;
  switch (stream_.read_some(bytes, patience)) {
    case ReadResult::kBytes:
      peer.receive(bytes);
      return true;
    case ReadResult::kTimeout:
      return false;
    case ReadResult::kEnd:
    case ReadResult::kReset:
      closed_ = true;
      return false;
  }
  return false;
}

bool Http2Client::run_until(const std::function<bool()>& done, Milliseconds patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!done()) {
    if (closed_ || std::chrono::steady_clock::now() > end) return false;
    step(Milliseconds{50});
  }
  const std::string out = peer.output();
  if (!out.empty() && !closed_) stream_.send(out);
  return true;
}

void Http2Client::run_for(Milliseconds time) {
  const auto end = std::chrono::steady_clock::now() + time;
  (void)run_until([&] { return std::chrono::steady_clock::now() > end; }, time * 2);
}

Http2Answer& Http2Client::wait_for(std::int32_t stream, Milliseconds patience) {
  Http2Answer& answer = peer.answer(stream);
  if (!run_until([&] { return answer.over(); }, patience)) {
    throw std::runtime_error(closed_ ? "the connection ended before the answer" : "no answer in time");
  }
  return answer;
}

Http2Answer& Http2Client::ask(const Http2Fields& fields, std::optional<std::string> body,
                              Http2Fields trailers) {
  return wait_for(peer.request(fields, std::move(body), std::move(trailers)));
}

}  // namespace holdfast::support
