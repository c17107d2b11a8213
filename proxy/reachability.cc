#include "reachability.h"

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "issuer/keeper.h"
#include "net/connect.h"
#include "net/resolver.h"
#include "net/stream.h"
#include "net/tls_client.h"
#include "net/worker.h"
#include "parts/part_configs.h"
#include "settings/report.h"

namespace holdfast {
namespace {

using std::chrono::milliseconds;

// An issuer may have to be asked three times, five seconds each.
constexpr std::chrono::seconds kBound{16};

// What was found, in the order of the settings, and an end to the worker's loop once all of it is there.
class Findings {
 public:
  explicit Findings(net::Worker& worker) : worker_(worker) {}

  [[nodiscard]] std::size_t add(std::string path, std::string target) {
    ++open_;
    all_.push_back({std::move(path), std::move(target), false, "no answer in time"});
    settled_.push_back(false);
    return all_.size() - 1;
  }
  // The first word counts.
  void settle(std::size_t number, bool reached, std::string detail) {
    if (settled_[number]) return;
    settled_[number] = true;
    all_[number].reached = reached;
    all_[number].detail = std::move(detail);
    if (--open_ == 0) worker_.stop();
  }
  [[nodiscard]] bool done() const { return open_ == 0; }
  [[nodiscard]] std::vector<cli::Reached> take() { return std::move(all_); }

 private:
  net::Worker& worker_;
  std::vector<cli::Reached> all_;
  std::vector<bool> settled_;
  std::size_t open_ = 0;
};

// One connection to one server: every address in turn until one takes it, then TLS where there is any.
class Visit final : public net::ConnectOwner {
 public:
  struct Server {
    std::string host;
    std::uint16_t port = 0;
    std::shared_ptr<const net::TlsClientContext> tls;  // null: plain
    std::string server_name;
    milliseconds limit{5'000};  // for each address
  };

  Visit(net::Worker& worker, Server server, Findings& findings, std::size_t number)
      : worker_(worker),
        server_(std::move(server)),
        findings_(findings),
        number_(number),
        connect_(worker, *this),
        patience_(worker.io()) {}

  void begin() {
    resolver_ = std::make_unique<net::Resolver>(worker_, server_.host, server_.port, std::chrono::hours(1),
                                                [this](std::expected<net::Endpoints, std::string> found) {
                                                  if (!endpoints_.empty()) return;  // they changed meanwhile
                                                  if (!found)
                                                    return fail("the name is not found: " + found.error());
                                                  endpoints_ = *std::move(found);
                                                  next();
                                                });
  }
  // Lets go of what holds it.
  void end() {
    resolver_.reset();
    connect_.cancel();
    patience_.cancel();
    if (secured_) secured_->close();
  }

 private:
  // A counted object of its own, because both Connect and Stream want one.
  class Secured final : public net::StreamOwner {
   public:
    Secured(net::Worker& worker, net::Socket socket, net::SslPtr ssl, Visit& visit)
        : visit_(visit), stream_(worker, std::move(socket), std::move(ssl), *this) {}
    void go_on() {
      switch (stream_.handshake().state) {
        case net::Stream::State::kOk:
          visit_.patience_.cancel();
          visit_.succeed();
          return close();
        case net::Stream::State::kWouldBlock:
          return stream_.wait_readable();
        case net::Stream::State::kEnd:
        case net::Stream::State::kFailed:
          return give_up(net::handshake_failure(stream_.ssl()));
      }
    }
    void give_up(const std::string& why) {
      const Ref<Secured> self(this);
      visit_.patience_.cancel();
      stream_.close();
      visit_.refuse("TLS: " + why);
    }
    void close() {
      const Ref<Secured> self(this);
      stream_.close();
    }

   private:
    void on_readable() override { go_on(); }
    void on_writable() override {}

    Visit& visit_;
    net::Stream stream_;
  };

  void next() {
    if (tried_ == endpoints_.size()) return fail(failures_);
    connect_.start(endpoints_[tried_++], server_.limit);
  }
  void on_connected(net::Socket socket) override {
    if (server_.tls == nullptr) return succeed();
    net::SslPtr ssl = server_.tls->new_ssl(server_.server_name);
    if (!ssl) return fail("no TLS session can be made for " + server_.server_name);
    secured_ = make_counted<Secured>(worker_, std::move(socket), std::move(ssl), *this);
    patience_.expires_after(server_.limit);
    patience_.async_wait([self = Ref<Visit>(this), secured = secured_](boost::system::error_code cancelled) {
      if (!cancelled && secured.get() == self->secured_.get()) secured->give_up("no handshake in time");
    });
    secured_->go_on();
  }
  void on_connect_failed(int error) override { refuse(std::generic_category().message(error)); }

  // Of one address; the next may do.
  void refuse(const std::string& why) {
    const net::Endpoint& tried = endpoints_[tried_ - 1];
    failures_ += (failures_.empty() ? "" : "; ") + tried.text() + ": " + why;
    next();
  }
  void fail(std::string why) { findings_.settle(number_, false, std::move(why)); }
  void succeed() {
    findings_.settle(number_, true, server_.tls == nullptr ? "connected" : "connected, TLS verified");
  }

  net::Worker& worker_;
  Server server_;
  Findings& findings_;
  std::size_t number_;
  net::Connect connect_;
  boost::asio::steady_timer patience_;
  std::unique_ptr<net::Resolver> resolver_;
  net::Endpoints endpoints_;
  std::size_t tried_ = 0;
  std::string failures_;
  Ref<Secured> secured_;
};

// One issuer's keys, as the server would get them, and where it is asked about tokens.
class Asked final : public pipeline::EventLog {
 public:
  Asked(net::Worker& worker, const issuer::IssuerSettings& settings, const std::string& path,
        Findings& findings)
      : worker_(worker),
        findings_(findings),
        keys_(findings.add(path, settings.url)),
        keeper_(
            worker.io(), settings, *this, [](const pipeline::IssuerKeys&) {},
            [this](const std::shared_ptr<const issuer::IntrospectionTarget>& target) { visit(*target); }) {
    if (settings.introspection)
      introspection_ = findings.add(path + ".introspection", settings.introspection->url);
    keeper_.start();
  }
  void end() {
    keeper_.stop();
    if (visit_) visit_->end();
  }

 private:
  void event(pipeline::Level, std::string_view event, std::span<const pipeline::EventField> fields) override {
    const auto value = [&](std::string_view name) {
      for (const auto& field : fields) {
        if (field.name == name) return std::string(field.value);
      }
      return std::string();
    };
    if (event == "issuer_keys_changed")
      findings_.settle(keys_, true, value("keys") == "1" ? "1 key" : value("keys") + " keys");
    if (event == "issuer_keys_not_fetched") {
      findings_.settle(keys_, false, value("why"));
      if (introspection_ && !visit_) findings_.settle(*introspection_, false, "where to ask was not found");
    }
    if (event == "introspection_unreachable" && introspection_)
      findings_.settle(*introspection_, false, value("why"));
  }
  void visit(const issuer::IntrospectionTarget& target) {
    if (!introspection_ || visit_) return;
    visit_ = make_counted<Visit>(worker_,
                                 Visit::Server{.host = target.location.host,
                                               .port = target.location.port,
                                               .tls = target.tls,
                                               .server_name = target.location.host},
                                 findings_, *introspection_);
    visit_->begin();
  }

  net::Worker& worker_;
  Findings& findings_;
  std::size_t keys_;
  std::optional<std::size_t> introspection_;
  Ref<Visit> visit_;
  issuer::Keeper keeper_;
};

std::vector<Ref<Visit>> visits(net::Worker& worker, const settings::Settings& settings, Findings& findings) {
  std::vector<Ref<Visit>> out;
  for (std::size_t i = 0; i < settings.upstreams.size(); ++i) {
    const settings::Upstream& from = settings.upstreams[i];
    const upstream::Config config = parts::upstream_config(from);
    for (std::size_t j = 0; j < from.servers.size(); ++j) {
      const std::size_t number = findings.add(settings::item(settings::item("upstreams", i) + ".servers", j),
                                              config.servers[j].name);
      out.push_back(make_counted<Visit>(worker,
                                        Visit::Server{.host = from.servers[j].origin.host,
                                                      .port = from.servers[j].origin.port,
                                                      .tls = config.servers[j].tls ? config.tls : nullptr,
                                                      .server_name = config.servers[j].server_name,
                                                      .limit = from.timeouts.connect},
                                        findings, number));
    }
  }
  return out;
}

}  // namespace

std::vector<cli::Reached> reach(const settings::Settings& settings) {
  std::signal(SIGPIPE, SIG_IGN);
  net::Worker worker(0);
  Findings findings(worker);
  std::vector<std::unique_ptr<Asked>> asked;
  const auto issuers = parts::issuer_settings(settings);
  for (std::size_t i = 0; i < issuers.size(); ++i) {
    asked.push_back(std::make_unique<Asked>(worker, issuers[i], settings::item("issuers", i), findings));
  }
  const std::vector<Ref<Visit>> servers = visits(worker, settings, findings);
  for (const Ref<Visit>& each : servers) each->begin();
  boost::asio::steady_timer bound(worker.io(), kBound);
  bound.async_wait([&worker](boost::system::error_code cancelled) {
    if (!cancelled) worker.stop();
  });
  if (!findings.done()) worker.run();
  for (const auto& each : asked) each->end();
  for (const Ref<Visit>& each : servers) each->end();
  bound.cancel();
  worker.io().poll();  // what was cancelled lets go of what it holds
  return findings.take();
}

}  // namespace holdfast
