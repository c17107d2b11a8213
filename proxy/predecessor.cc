#include "predecessor.h"

#include <chrono>
#include <utility>

#include "net/unix_socket.h"

namespace holdfast {
namespace {

using takeover::Type;

constexpr std::chrono::seconds kPatience{5};
constexpr std::size_t kMostSockets = 4096;

std::uint8_t type(Type type) {
  return static_cast<std::uint8_t>(type);
}

}  // namespace

std::expected<std::optional<Inheritance>, std::string> inherit_from(const std::filesystem::path& path) {
  const auto failed = [&](const std::string& why) {
    return std::unexpected("takeover from " + path.string() + ": " + why);
  };
  auto link = net::connect_unix(path, net::UnixKind::kMessages);
  if (!link) return std::unexpected(link.error());
  if (!*link) return std::optional<Inheritance>();
  // Its secrets become ours: nobody else may hand us some.
  if (!net::peer_is_this_user(*link)) return failed("another user's process listens there");
  if (const auto sent = net::send_frame(*link, type(Type::kHello), takeover::hello()); !sent) {
    return failed(sent.error());
  }
  Inheritance inheritance;
  bool estate = false;
  while (true) {
    auto frame = net::receive_frame(*link, kPatience);
    if (!frame) return failed(frame.error());
    switch (static_cast<Type>(frame->type)) {
      case Type::kInherit: {
        auto parsed = takeover::parse_inherit(frame->payload);
        if (!parsed) return failed("it says what this version does not understand");
        inheritance.estate = *std::move(parsed);
        estate = true;
        continue;
      }
      case Type::kSocket: {
        const auto parsed = takeover::parse_socket(frame->payload);
        if (!parsed || frame->descriptors.size() != 1 || inheritance.sockets.size() == kMostSockets) {
          return failed("it says what this version does not understand");
        }
        inheritance.sockets.push_back({parsed->name, false, parsed->kept, std::move(frame->descriptors[0])});
        continue;
      }
      case Type::kSocketsEnd:
        if (!estate) return failed("it left something out");
        inheritance.link = *std::move(link);
        return inheritance;
      default:
        return failed("it says what this version does not understand");
    }
  }
}

Predecessor::Predecessor(net::Worker& control, net::Descriptor link, replay::MemoryStore& store,
                         replay::WorkerStore& claims, Events events)
    : link_(std::make_shared<net::FrameLink>(control.io(), std::move(link))),
      store_(store),
      claims_(claims),
      events_(std::move(events)) {
  link_->start([this](const net::Frame& frame) { on_frame(frame); }, [this] { events_.gone(); });
}

Predecessor::~Predecessor() {
  link_->close();
}

void Predecessor::take() {
  link_->send(type(Type::kTake), {});
}

void Predecessor::on_frame(const net::Frame& frame) {
  switch (static_cast<Type>(frame.type)) {
    case Type::kEntries: {
      const auto entries = takeover::parse_entries(frame.payload);
      if (!entries) return broken();
      const SteadyTime now = std::chrono::steady_clock::now();
      for (const replay::LiveEntry& entry : *entries) store_.restore(entry, now);
      return;
    }
    case Type::kSwitch:
      return link_->send(type(Type::kSwitched), {});
    case Type::kGo:
      return events_.go();
    case Type::kClaim: {
      const auto asked = takeover::parse_claim(frame.payload);
      if (!asked) return broken();
      claims_.claim(asked->claim, net::Worker::now(),
                    [link = link_, number = asked->number](pipeline::ReplayResult result) {
                      link->send(type(Type::kResult), takeover::result({number, result}));
                    });
      return;
    }
    default:
      return broken();
  }
}

void Predecessor::broken() {
  link_->close();
  events_.gone();
}

}  // namespace holdfast
