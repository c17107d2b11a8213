// The keys of issuers end to end: a control thread, two workers, and a fake issuer on loopback.
#include "issuer/issuers.h"

#include <gtest/gtest.h>

#include <boost/asio/post.hpp>
#include <future>
#include <optional>

#include "fake_issuer.h"
#include "issuer/fetch.h"
#include "jose/jwk_set.h"
#include "loop.h"

namespace holdfast::issuer {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using std::chrono::seconds;

// RFC 7517 A.1's EC key and RFC 8037 A.2's, as signing keys.
std::string key_set(const std::string& kid, bool second = false) {
  const std::string ec = R"({"kty":"EC","crv":"P-256","kid":")" + kid +
                         R"(","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",)"
                         R"("y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"})";
  const std::string okp = R"({"kty":"OKP","crv":"Ed25519","kid":"okp",)"
                          R"("x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})";
  return R"({"keys":[)" + ec + (second ? "," + okp : "") + "]}";
}

class World {
 public:
  explicit World(IssuerSettings settings) {
    settings.name = "fake";
    issuers_.emplace(control_.io(), std::vector{settings}, events_);
    for (int i = 0; i < 2; ++i) views_[i] = issuers_->view_for(workers_[i].io());
    issuers_->start();
  }
  ~World() {
    control_.on([this] { issuers_->stop(); });
    // Its timers belong to a context that must outlive them, and nobody may ask it anything any more.
    control_.end();
    for (Loop& worker : workers_) worker.end();
    issuers_.reset();
  }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  [[nodiscard]] bool loaded() const { return issuers_->loaded(0); }
  Events& events() { return events_; }

  // Generation and kids as worker `worker` sees them; nothing without keys.
  struct Seen {
    std::uint64_t generation;
    std::string first_kid;
    std::size_t keys;
  };
  std::optional<Seen> seen(std::size_t worker = 0) {
    return workers_[worker].on([&]() -> std::optional<Seen> {
      const pipeline::IssuerKeys* const keys = views_[worker]->keys(0);
      if (keys == nullptr) return std::nullopt;
      return Seen{keys->generation, keys->keys->keys().front().kid.value_or(""), keys->keys->keys().size()};
    });
  }
  // What a reload does on the control thread: the issuer's number afterwards.
  std::size_t reload(const IssuerSettings& settings) {
    return control_.on([&] {
      const std::vector numbers = issuers_->prepare({settings});
      issuers_->commit({settings}, numbers);
      return issuers_->numbers().at(0);
    });
  }
  bool has_keys(std::size_t number) {
    return workers_[0].on([&] { return views_[0]->keys(number) != nullptr; });
  }
  std::future<bool> refetch(std::uint64_t generation, std::size_t worker = 0) {
    auto answer = std::make_shared<std::promise<bool>>();
    asio::post(workers_[worker].io(), [this, generation, worker, answer] {
      views_[worker]->refetch(0, generation, [answer](bool changed) { answer->set_value(changed); });
    });
    return answer->get_future();
  }

 private:
  Events events_;
  std::optional<Issuers> issuers_;
  std::shared_ptr<WorkerKeys> views_[2];
  Loop control_;
  Loop workers_[2];
};

constexpr std::string_view kMetadata = "/.well-known/openid-configuration";

IssuerSettings settings_for(const FakeIssuer& issuer) {
  IssuerSettings settings;
  settings.url = issuer.url();
  settings.fetch_timeout = seconds(2);
  return settings;
}
void serve_metadata(FakeIssuer& issuer, const std::string& place = std::string(kMetadata)) {
  issuer.answer(place, R"({"issuer":")" + issuer.url() + R"(","jwks_uri":")" + issuer.url() + R"(/keys"})");
}

TEST(Issuers, DiscoversAndShowsTheKeysToEveryWorker) {
  FakeIssuer issuer;
  serve_metadata(issuer);
  issuer.answer("/keys", key_set("one"));
  World world(settings_for(issuer));
  ASSERT_TRUE(soon([&] { return world.seen(0) && world.seen(1); }));
  EXPECT_EQ(world.seen(0)->first_kid, "one");
  EXPECT_EQ(world.seen(1)->generation, world.seen(0)->generation);
  EXPECT_TRUE(world.loaded());
}

TEST(Issuers, FallsBackToRfc8414AndTakesAJwksUrlWithoutDiscovery) {
  FakeIssuer issuer;
  serve_metadata(issuer, "/.well-known/oauth-authorization-server");
  issuer.answer("/keys", key_set("one"));
  World world(settings_for(issuer));
  EXPECT_TRUE(soon([&] { return world.loaded(); }));

  IssuerSettings direct = settings_for(issuer);
  direct.url = "https://nobody.invalid";
  direct.jwks_url = issuer.url() + "/keys";
  World other(direct);
  EXPECT_TRUE(soon([&] { return other.loaded(); }));
}

TEST(Issuers, ComesUpWhenTheIssuerDoes) {
  unsigned short port = 0;
  IssuerSettings settings;
  {
    FakeIssuer reserved;
    port = reserved.port();
    settings = settings_for(reserved);
  }
  World world(settings);
  ASSERT_TRUE(soon([&] { return world.events().mention("no connection"); }));
  EXPECT_FALSE(world.loaded());
  EXPECT_FALSE(world.seen());
  FakeIssuer issuer(nullptr, port);
  serve_metadata(issuer);
  issuer.answer("/keys", key_set("one"));
  EXPECT_TRUE(soon([&] { return world.loaded(); }));
}

TEST(Issuers, AnUnknownKeyBringsTheRotatedSetToAllWorkersWithOneFetch) {
  FakeIssuer issuer;
  serve_metadata(issuer);
  issuer.answer("/keys", key_set("one"));
  World world(settings_for(issuer));
  ASSERT_TRUE(soon([&] { return world.seen(0) && world.seen(1); }));
  const std::uint64_t old = world.seen()->generation;

  issuer.answer("/keys", key_set("two"));
  issuer.delay(milliseconds(100));
  std::vector<std::future<bool>> answers;
  for (std::size_t i = 0; i < 40; ++i) answers.push_back(world.refetch(old, i % 2));
  for (auto& answer : answers) EXPECT_TRUE(answer.get());
  EXPECT_EQ(world.seen(0)->first_kid, "two");
  EXPECT_EQ(world.seen(1)->first_kid, "two");
  EXPECT_EQ(issuer.asked("/keys"), 2) << "single-flight: the first load and one refetch";
  EXPECT_TRUE(world.refetch(old).get()) << "those keys are here already";
  EXPECT_EQ(issuer.asked("/keys"), 2);
}

TEST(Issuers, InventedKeysBuyThreeFetchesAndNoNewGeneration) {
  FakeIssuer issuer;
  serve_metadata(issuer);
  issuer.answer("/keys", key_set("one"));
  World world(settings_for(issuer));
  ASSERT_TRUE(soon([&] { return world.seen().has_value(); }));
  const std::uint64_t generation = world.seen()->generation;
  for (std::size_t i = 0; i < 50; ++i) EXPECT_FALSE(world.refetch(generation, i % 2).get());
  EXPECT_EQ(issuer.asked("/keys"), 1 + 3);
  EXPECT_EQ(world.seen()->generation, generation);
}

TEST(Issuers, ABrokenAnswerLeavesTheLastGoodSet) {
  struct Case {
    std::string_view what;
    std::string response;
  };
  const auto ok = [](const std::string& body) {
    return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  };
  for (const Case& c : {
           Case{"an empty set", ok(R"({"keys":[]})")},
           Case{"no JSON", ok("<html>sorry</html>")},
           Case{"only keys for encryption", ok(R"({"keys":[{"kty":"OKP","crv":"Ed25519","use":"enc",)"
                                               R"("x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})")},
           Case{"an error", "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"},
           Case{"a redirect", "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"},
           Case{"too much", ok(std::string(kMaxAnswer + 1, ' '))},
           Case{"cut short", "HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + key_set("two")},
           Case{"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"},
           Case{"no answer", ""},
       }) {
    FakeIssuer issuer;
    serve_metadata(issuer);
    issuer.answer("/keys", key_set("one"));
    issuer.answer("/elsewhere", key_set("two"));
    World world(settings_for(issuer));
    ASSERT_TRUE(soon([&] { return world.seen().has_value(); }));
    const std::uint64_t generation = world.seen()->generation;
    issuer.answer_raw("/keys", c.response);
    EXPECT_FALSE(world.refetch(generation).get()) << c.what;
    EXPECT_TRUE(world.events().mention("issuer_keys_not_fetched")) << c.what;
    ASSERT_TRUE(world.seen()) << c.what;
    EXPECT_EQ(world.seen()->first_kid, "one") << c.what;
    EXPECT_EQ(issuer.asked("/elsewhere"), 0);
  }
}

TEST(Issuers, RefreshesInTheBackgroundAndCountsOnlyChangedContents) {
  FakeIssuer issuer;
  serve_metadata(issuer);
  issuer.answer("/keys", key_set("one"));
  IssuerSettings settings = settings_for(issuer);
  settings.refresh = milliseconds(50);
  World world(settings);
  ASSERT_TRUE(soon([&] { return world.seen().has_value(); }));
  const std::uint64_t first = world.seen()->generation;
  ASSERT_TRUE(soon([&] { return issuer.asked("/keys") > 3; }));
  EXPECT_EQ(world.seen()->generation, first);
  issuer.answer("/keys", key_set("one", true));
  ASSERT_TRUE(soon([&] { return world.seen()->keys == 2; }));
  EXPECT_NE(world.seen()->generation, first);
}

TEST(Issuers, KeysServeOnWhileTheIssuerIsAwayButNotPastMaxStale) {
  FakeIssuer issuer;
  serve_metadata(issuer);
  issuer.answer("/keys", key_set("one"));
  IssuerSettings settings = settings_for(issuer);
  settings.refresh = milliseconds(100);
  settings.max_stale = milliseconds(1500);
  World world(settings);
  ASSERT_TRUE(soon([&] { return world.seen().has_value(); }));
  issuer.answer_raw(std::string(kMetadata), "");
  ASSERT_TRUE(soon([&] { return world.events().mention("issuer_keys_not_fetched"); }));
  EXPECT_TRUE(world.seen());
  ASSERT_TRUE(soon([&] { return !world.seen().has_value(); }));
  EXPECT_TRUE(world.loaded()) << "a probe is not to restart the pod for that";
  serve_metadata(issuer);
  EXPECT_TRUE(soon([&] { return world.seen().has_value(); })) << "and they come back";
}

TEST(Issuers, BelievesNoMetadataThatNamesAnotherIssuerOrPlainHttpElsewhere) {
  for (const std::string_view metadata :
       {R"({"issuer":"https://evil.example.com","jwks_uri":"%/keys"})",
        R"({"issuer":"%","jwks_uri":"http://keys.example.invalid/keys"})"}) {
    FakeIssuer issuer;
    std::string text(metadata);
    text.replace(text.find('%'), 1, issuer.url());
    issuer.answer(std::string(kMetadata), text);
    issuer.answer("/keys", key_set("evil"));
    World world(settings_for(issuer));
    ASSERT_TRUE(soon([&] { return world.events().mention("issuer_keys_not_fetched"); }));
    EXPECT_FALSE(world.loaded());
    EXPECT_EQ(issuer.asked("/keys"), 0);
  }
}

// The control loop may end before it asked what a worker has it ask.
TEST(Issuers, AWorkerThatEndsLetsGoOfWhoStillWaits) {
  Loop worker;
  Events events;
  asio::io_context control;
  Issuers issuers(control, {settings_for(FakeIssuer())}, events);
  const std::shared_ptr<WorkerKeys> view = issuers.view_for(worker.io());
  const auto asking = issuers.introspections().view_for(worker.io());
  const auto request = std::make_shared<int>();
  bool told = false;
  worker.on([&] {
    view->refetch(0, 0, [&told, request](bool) { told = true; });
    asking->introspect({.issuer = 0, .token = "opaque", .digest = {}, .jwt = nullptr}, {},
                       [&told, request](const pipeline::Introspected&) { told = true; });
  });
  worker.end();
  EXPECT_EQ(request.use_count(), 3);
  view->abandon();
  asking->abandon();
  EXPECT_EQ(request.use_count(), 1);
  control.poll();
  EXPECT_FALSE(told);
}

TEST(Issuers, GivesUpOnAnIssuerThatIsTooSlow) {
  FakeIssuer issuer;
  serve_metadata(issuer);
  issuer.answer("/keys", key_set("one"));
  issuer.delay(milliseconds(700));
  IssuerSettings settings = settings_for(issuer);
  settings.fetch_timeout = milliseconds(200);
  World world(settings);
  EXPECT_TRUE(soon([&] { return world.events().mention("no complete answer in time"); }));
  EXPECT_FALSE(world.loaded());
}

TEST(Issuers, AReloadKeepsTheKeysOfAnIssuerThatOnlyGetsOtherTimes) {
  FakeIssuer issuer;
  serve_metadata(issuer);
  issuer.answer("/keys", key_set("one"));
  IssuerSettings settings = settings_for(issuer);
  settings.name = "fake";
  World world(settings);
  ASSERT_TRUE(soon([&] { return world.seen().has_value(); }));
  const int asked = issuer.asked("/keys");
  EXPECT_EQ(world.reload(settings), 0U);
  settings.name = "renamed";
  settings.refresh = std::chrono::minutes(1);
  settings.max_stale = std::chrono::hours(1);
  settings.min_refetch_interval = seconds(1);
  EXPECT_EQ(world.reload(settings), 0U);
  EXPECT_TRUE(world.has_keys(0));
  std::this_thread::sleep_for(milliseconds(100));
  EXPECT_EQ(issuer.asked("/keys"), asked) << "a reload is no reason to ask";
  EXPECT_TRUE(world.refetch(99).get()) << "it is still kept";
}

TEST(Issuers, AReloadThatMovesTheKeysBeginsAnewUnderAnotherNumber) {
  FakeIssuer issuer;
  serve_metadata(issuer);
  issuer.answer("/keys", key_set("one"));
  issuer.answer("/elsewhere", key_set("two"));
  IssuerSettings settings = settings_for(issuer);
  settings.name = "fake";
  World world(settings);
  ASSERT_TRUE(soon([&] { return world.seen().has_value(); }));
  settings.jwks_url = issuer.url() + "/elsewhere";
  EXPECT_EQ(world.reload(settings), 1U);
  EXPECT_TRUE(soon([&] { return world.has_keys(1); }));
  EXPECT_TRUE(world.has_keys(0)) << "a request that began before goes on with them";
  EXPECT_FALSE(world.refetch(world.seen()->generation).get()) << "nobody asks for them any more";
  EXPECT_EQ(world.seen()->first_kid, "one");
}

}  // namespace
}  // namespace holdfast::issuer
