#include "issuer/keeper.h"

#include <boost/asio/post.hpp>
#include <utility>

#include "issuer/location.h"
#include "jose/jwk.h"
#include "jose/jwk_set.h"

namespace holdfast::issuer {
namespace {

using pipeline::Level;

// What an issuer answers may be quoted in it.
constexpr std::size_t kLongestSentence = 512;

// Equal for two sets exactly if they hold the same keys under the same names in the same order, whatever else
// the documents say.
std::string contents_of(const jose::KeySet& set) {
  std::string contents;
  for (const jose::SetKey& key : set.keys()) {
    if (key.kid) contents += std::to_string(key.kid->size()) + ':' + *key.kid;
    contents += '|';
    if (key.alg) contents += jose::algorithm_name(*key.alg);
    contents += '|' + jose::canonical_jwk(key.key) + '\n';
  }
  return contents;
}

}  // namespace

Keeper::Keeper(boost::asio::io_context& control, IssuerSettings settings, pipeline::EventLog& log,
               Publish publish, PublishTarget publish_target)
    : control_(control),
      settings_(std::move(settings)),
      metadata_urls_(metadata_urls(settings_)),
      log_(log),
      publish_(std::move(publish)),
      publish_target_(std::move(publish_target)),
      limiter_(settings_.min_refetch_interval),
      schedule_(settings_.refresh),
      refresh_(control),
      stale_(control) {}

void Keeper::start() {
  boost::asio::post(control_, [this] { begin(true); });
}

void Keeper::stop() {
  stopped_ = true;
  fetch_.reset();
  refresh_.cancel();
  stale_.cancel();
  for (const auto& done : std::exchange(waiting_, {})) done();
}

bool Keeper::has_source_of(const IssuerSettings& other) const {
  const auto& mine = settings_.introspection;
  const auto& theirs = other.introspection;
  if (mine.has_value() != theirs.has_value() || (mine && mine->url != theirs->url)) return false;
  return settings_.url == other.url && settings_.discovery_url == other.discovery_url &&
         settings_.jwks_url == other.jwks_url && settings_.allow_http == other.allow_http &&
         settings_.ca_file == other.ca_file;
}

void Keeper::change(const IssuerSettings& settings) {
  const IssuerSettings before = std::exchange(settings_, settings);
  // A limiter that begins anew lets a burst through; where nothing changed it goes on.
  if (before.min_refetch_interval != settings_.min_refetch_interval) {
    limiter_ = RefetchLimiter(settings_.min_refetch_interval);
  }
  if (before.max_stale != settings_.max_stale && published_) watch_age();
  if (endpoints_) publish_target();
  if (before.refresh == settings_.refresh) return;
  schedule_ = RefreshSchedule(settings_.refresh);
  if (stopped_ || under_way_ || !published_) return;
  due_ = std::chrono::steady_clock::now() + schedule_.after_success(jitter());
  await_refresh();
}

void Keeper::refetch(std::function<void()> done) {
  // Somebody else's key set is worth waiting for, too: the issuer is asked once, however many ask us.
  if (under_way_) {
    waiting_.push_back(std::move(done));
    return;
  }
  if (stopped_ || !limiter_.take(std::chrono::steady_clock::now())) {
    done();
    return;
  }
  waiting_.push_back(std::move(done));
  begin(false);
}

// A background refresh discovers again, so that an issuer may move its key set; a refetch asks where the keys
// were last time.
void Keeper::begin(bool discover) {
  if (under_way_ || stopped_) return;
  under_way_ = true;
  discovering_ = discover;
  // Made anew with every background refresh: a renewed file of authorities counts from then on.
  if (discover) tls_.reset();
  if (!discover && endpoints_) return ask_keys();
  if (needs_discovery(settings_)) return ask_metadata(0, {});
  take_endpoints(configured_endpoints(settings_));
}

void Keeper::ask_metadata(std::size_t which, std::string failures) {
  if (which == metadata_urls_.size()) return failed(failures);
  fetch(metadata_urls_[which], [this, which, failures = std::move(failures)](FetchResult result) {
    std::string why;
    if (result) {
      auto found = discovered_endpoints(*result, settings_);
      if (found) return take_endpoints(std::move(*found));
      why = std::move(found.error());
    } else {
      why = std::move(result.error());
    }
    ask_metadata(which + 1, failures + (failures.empty() ? "" : "; ") + metadata_urls_[which] + ": " + why);
  });
}

void Keeper::take_endpoints(Endpoints found) {
  endpoints_ = std::move(found);
  publish_target();
  ask_keys();
}

void Keeper::ask_keys() {
  // Without keys no JWT of this issuer verifies; its tokens are opaque.
  if (endpoints_->jwks_uri.empty()) return take_set({});
  fetch(endpoints_->jwks_uri, [this](FetchResult result) {
    if (!result) return failed(endpoints_->jwks_uri + ": " + result.error());
    take_keys(*result);
  });
}

void Keeper::fetch(const std::string& url, Fetch::Done done) {
  auto request = reach(url);
  if (!request) {
    boost::asio::post(control_, [this, done = std::move(done), why = std::move(request.error())] {
      if (!stopped_) done(std::unexpected(why));
    });
    return;
  }
  fetch_ = std::make_unique<Fetch>(control_, std::move(*request), settings_.fetch_timeout, std::move(done));
}

// A GET of the URL, by the rules for this issuer.
std::expected<FetchRequest, std::string> Keeper::reach(const std::string& url) {
  auto location = fetchable_location(url, settings_.allow_http);
  if (!location) return std::unexpected(std::move(location.error()));
  if (location->tls && tls_ == nullptr) {
    net::TlsClientConfig config;
    config.ca = settings_.ca_file;
    auto made = net::TlsClientContext::create(config);
    if (!made) return std::unexpected(std::move(made.error()));
    tls_ = std::move(*made);
  }
  return FetchRequest{.location = std::move(*location), .tls = tls_};
}

// Where that fails, the last one serves on, as the last keys do.
void Keeper::publish_target() {
  if (!settings_.introspection) return;
  auto request = reach(endpoints_->introspection);
  if (!request) {
    log_.event(
        Level::kError, "introspection_unreachable",
        {{"issuer", settings_.name}, {"why", std::string_view(request.error()).substr(0, kLongestSentence)}});
    return;
  }
  publish_target_(std::make_shared<const IntrospectionTarget>(
      IntrospectionTarget{.name = settings_.name,
                          .iss = settings_.url,
                          .location = std::move(request->location),
                          .tls = std::move(request->tls),
                          .credentials = settings_.introspection->credentials,
                          .cache = settings_.introspection->cache,
                          .timeout = settings_.fetch_timeout}));
}

void Keeper::take_keys(std::string_view body) {
  auto parsed = jose::KeySet::parse(body);
  if (!parsed) return failed(endpoints_->jwks_uri + ": " + parsed.error());
  take_set(std::move(*parsed));
}

void Keeper::take_set(jose::KeySet set) {
  std::string contents = contents_of(set);
  if (contents != contents_ || !published_) {
    if (contents != contents_) ++generation_;
    contents_ = std::move(contents);
    published_ = true;
    const std::string keys = std::to_string(set.keys().size());
    const std::string skipped = std::to_string(set.skipped());
    publish_({generation_, std::make_shared<const jose::KeySet>(std::move(set))});
    loaded_.store(true, std::memory_order_release);
    log_.event(Level::kInfo, "issuer_keys_changed",
               {{"issuer", settings_.name}, {"keys", keys}, {"skipped", skipped}});
  }
  succeeded();
}

void Keeper::watch_age() {
  stale_.expires_at(fetched_ + settings_.max_stale);
  stale_.async_wait([this](boost::system::error_code cancelled) {
    // a wait that ended just as it was moved comes with success, too
    if (cancelled || stopped_ || std::chrono::steady_clock::now() < stale_.expiry()) return;
    published_ = false;
    publish_({generation_, nullptr});
    log_.event(Level::kError, "issuer_keys_too_old", {{"issuer", settings_.name}});
  });
}

void Keeper::succeeded() {
  refreshes_.fetch_add(1, std::memory_order_relaxed);
  const SteadyTime now = std::chrono::steady_clock::now();
  fetched_ = now;
  watch_age();
  // A refetch does not put off the background refresh: strangers with invented `kid`s could put off discovery
  // for ever.
  const Millis wait = schedule_.after_success(jitter());
  if (discovering_) due_ = now + wait;
  ended();
}

void Keeper::failed(const std::string& why) {
  failures_.fetch_add(1, std::memory_order_relaxed);
  log_.event(Level::kWarn, "issuer_keys_not_fetched",
             {{"issuer", settings_.name}, {"why", std::string_view(why).substr(0, kLongestSentence)}});
  due_ = std::chrono::steady_clock::now() + schedule_.after_failure(jitter());
  ended();
}

void Keeper::ended() {
  under_way_ = false;
  await_refresh();
  for (const auto& done : std::exchange(waiting_, {})) done();
}

void Keeper::await_refresh() {
  refresh_.expires_at(due_);
  refresh_.async_wait([this](boost::system::error_code cancelled) {
    if (!cancelled) begin(true);
  });
}

double Keeper::jitter() {
  return std::uniform_real_distribution<double>(0, 1)(random_);
}

}  // namespace holdfast::issuer
