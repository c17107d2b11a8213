#include "identity/forwarding_fields.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

namespace holdfast::identity {
namespace {

const http::Origin kOrigin(http::Scheme::https, "api.example.com", 8443);

constexpr IdBytes kRandom = [] {
  IdBytes bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i + 1);
  return bytes;
}();

ForwardingFacts make_facts() {
  return {.peer = "192.0.2.1", .origin = &kOrigin};
}

// What a request goes through: its ids are chosen, and later its fields are set.
RequestIds set_all(http::Fields& fields, bool trusted, const ForwardingFacts& facts = make_facts()) {
  const RequestIds ids = choose_ids(fields, trusted, kRandom, fields.arena());
  set_forwarding(fields, facts, ids);
  return ids;
}

std::string value_of(const http::Fields& fields, std::string_view name) {
  EXPECT_LE(fields.count(name), 1U) << name;
  return std::string(fields.find(name).value_or("(none)"));
}

constexpr std::string_view kRandomId = "0102030405060708090a0b0c0d0e0f10";
constexpr std::string_view kRandomTrace = "1112131415161718191a1b1c1d1e1f20";
constexpr std::string_view kParent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST(ForwardingFields, AreBegun) {
  http::Fields fields;
  const RequestIds ids = set_all(fields, false);
  EXPECT_EQ(value_of(fields, "X-Forwarded-For"), "192.0.2.1");
  EXPECT_EQ(value_of(fields, "X-Forwarded-Proto"), "https");
  EXPECT_EQ(value_of(fields, "X-Forwarded-Host"), "api.example.com:8443");
  EXPECT_EQ(value_of(fields, "Via"), "1.1 holdfast");
  EXPECT_EQ(value_of(fields, "X-Request-Id"), kRandomId);
  EXPECT_EQ(value_of(fields, "traceparent"), "00-" + std::string(kRandomTrace) + "-2122232425262728-01");
  EXPECT_EQ(ids.request_id, kRandomId);
  EXPECT_EQ(ids.trace_id, kRandomTrace);
}

TEST(ForwardingFields, AreContinuedFromATrustedProxy) {
  http::Fields fields;
  fields.add("x-forwarded-for", "1.1.1.1, 10.0.0.1");
  fields.add("X-Forwarded-For", "10.0.0.2");
  fields.add("X_Forwarded_For", "6.6.6.6");
  fields.add("X-Forwarded-Proto", "https");
  fields.add("X_Forwarded_Proto", "http");
  fields.add("X-Forwarded-Host", "api.example.com:8443");
  fields.add("X-Request-Id", "abc-123");
  fields.add("traceparent", kParent);
  fields.add("tracestate", "a=b");
  fields.add("Via", "1.0 front");
  const RequestIds ids = set_all(fields, true);
  EXPECT_EQ(value_of(fields, "X-Forwarded-For"), "1.1.1.1, 10.0.0.1, 10.0.0.2, 192.0.2.1");
  EXPECT_EQ(value_of(fields, "X-Forwarded-Proto"), "https");
  EXPECT_FALSE(fields.contains("X_Forwarded_Proto"));
  EXPECT_FALSE(fields.contains("X_Forwarded_For"));
  EXPECT_EQ(value_of(fields, "X-Forwarded-Host"), "api.example.com:8443");
  EXPECT_EQ(value_of(fields, "X-Request-Id"), "abc-123");
  EXPECT_EQ(value_of(fields, "traceparent"), kParent);
  EXPECT_EQ(value_of(fields, "tracestate"), "a=b");
  EXPECT_EQ(fields.count("Via"), 2U);
  EXPECT_EQ(ids.request_id, "abc-123");
  EXPECT_EQ(ids.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
}

TEST(ForwardingFields, RequestIdsAreKeptWhereSafe) {
  for (const std::string_view id : {"", "a b", "a\"b", "a\nb", "\xc3\xa9", "{a}"}) {
    http::Fields fields;
    fields.add("X-Request-Id", id);
    EXPECT_EQ(set_all(fields, true).request_id, kRandomId) << id;
    EXPECT_EQ(value_of(fields, "X-Request-Id"), kRandomId);
  }
  http::Fields two;
  two.add("X-Request-Id", "a");
  two.add("X-Request-Id", "b");
  EXPECT_EQ(set_all(two, true).request_id, kRandomId);
  http::Fields untrusted;
  untrusted.add("X-Request-Id", "a");
  EXPECT_EQ(set_all(untrusted, false).request_id, kRandomId);
  http::Fields long_id;
  long_id.add("X-Request-Id", std::string(129, 'a'));
  EXPECT_EQ(set_all(long_id, true).request_id, kRandomId);
}

TEST(ForwardingFields, AnUnknownHostIsNotNamed) {
  const http::Origin nowhere(http::Scheme::http, "", 80);
  ForwardingFacts facts = make_facts();
  facts.origin = &nowhere;
  facts.version_minor = 0;
  http::Fields fields;
  set_all(fields, false, facts);
  EXPECT_FALSE(fields.contains("X-Forwarded-Host"));
  EXPECT_EQ(value_of(fields, "X-Forwarded-Proto"), "http");
  EXPECT_EQ(value_of(fields, "Via"), "1.0 holdfast");
}

// What was chosen on arrival is what the backend sees, though fields were stripped in between.
TEST(ForwardingFields, IdsAreThoseChosen) {
  http::Fields fields;
  fields.add("traceparent", kParent);
  fields.add("X-Request-Id", "abc");
  Arena arena;
  const RequestIds ids = choose_ids(fields, true, kRandom, arena);
  fields.remove("traceparent");
  fields.remove("X-Request-Id");
  set_forwarding(fields, make_facts(), ids);
  EXPECT_EQ(value_of(fields, "X-Request-Id"), "abc");
  EXPECT_EQ(value_of(fields, "traceparent"), "00-4bf92f3577b34da6a3ce929d0e0e4736-2122232425262728-01");
}

TEST(Traceparent, IsHeldToW3C) {
  EXPECT_TRUE(is_traceparent(kParent));
  EXPECT_TRUE(is_traceparent("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more"));
  for (const std::string_view value :
       {"", "00", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01more",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
        "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01"}) {
    EXPECT_FALSE(is_traceparent(value)) << value;
    http::Fields fields;
    fields.add("traceparent", value);
    fields.add("tracestate", "a=b");
    EXPECT_EQ(set_all(fields, false).trace_id, kRandomTrace) << value;
    EXPECT_FALSE(fields.contains("tracestate")) << value;
    EXPECT_EQ(fields.count("traceparent"), 1U) << value;
  }
}

TEST(Via, NamesTheProtocolReceived) {
  http::Fields response;
  add_via(response, 1, 1);
  EXPECT_EQ(value_of(response, "Via"), "1.1 holdfast");
  http::Fields second;
  add_via(second, 2, 0);
  EXPECT_EQ(value_of(second, "Via"), "2 holdfast");
}

}  // namespace
}  // namespace holdfast::identity
