#include "admin/probes.h"

#include <chrono>
#include <utility>

namespace holdfast::admin {
namespace {

constexpr std::chrono::seconds kWholeExchange{5};

}  // namespace

Probes::Probes(boost::asio::io_context& control, std::vector<net::Descriptor> listening,
               const ProbeState& state)
    : server_(control, std::move(listening), kWholeExchange,
              [&state](const http::RequestHead& head, const PlainServer::Done& done) {
                done(answer_probe(head.method, head.target, state));
              }) {}

}  // namespace holdfast::admin
