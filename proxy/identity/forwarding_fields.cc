// Forwarding fields: see the header.
#include "identity/forwarding_fields.h"

#include <algorithm>
#include <optional>

#include "base/ascii.h"
#include "http/field_name.h"

namespace holdfast::identity {
namespace {

constexpr std::size_t kMaxRequestId = 128;
constexpr std::string_view kBackendVia = " holdfast";
constexpr std::string_view kComma = ", ";

bool is_lower_hex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); });
}
bool is_all_zero(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c == '0'; });
}

std::optional<std::string_view> only(const http::Fields& fields, std::string_view name) {
  return fields.count(name) == 1 ? fields.find(name) : std::nullopt;
}

std::string_view store_hex(Arena& arena, std::span<const std::uint8_t> bytes) {
  constexpr std::string_view kHex = "0123456789abcdef";
  char* const out = arena.allocate(bytes.size() * 2);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    out[2 * i] = kHex[bytes[i] >> 4];
    out[2 * i + 1] = kHex[bytes[i] & 0xF];
  }
  return {out, bytes.size() * 2};
}

// RFC 9110 7.6.3: received-protocol is "1.1", and "2" from HTTP/2 on.
std::string_view via_value(Arena& arena, std::uint8_t major, std::uint8_t minor) {
  const char digits[3] = {static_cast<char>('0' + major), '.', static_cast<char>('0' + minor)};
  return arena.concat(std::string_view(digits, major >= 2 ? 1 : 3), kBackendVia);
}

// Takes away every spelling that a backend may take for `folded` (http/field_name.h): a trusted proxy that
// replaces X-Forwarded-Proto may well let the client's X_Forwarded_Proto through.
void remove_all(http::Fields& fields, std::string_view folded) {
  fields.remove_if([folded](const http::Field& field) { return http::name_is(field.name, folded); });
}

// In one piece: put together field by field, many fields would each leave a copy of all before them.
void append_forwarded_for(http::Fields& fields, std::string_view peer) {
  const auto each = [&fields](auto visit) {
    for (const http::Field& field : fields) {
      if (iequals(field.name, "x-forwarded-for") && !field.value.empty()) visit(field.value);
    }
  };
  std::size_t size = peer.size();
  each([&size](std::string_view value) { size += value.size() + kComma.size(); });
  char* const chain = fields.arena().allocate(size);
  char* at = chain;
  each([&at](std::string_view value) {
    at = std::ranges::copy(kComma, std::ranges::copy(value, at).out).out;
  });
  std::ranges::copy(peer, at);
  remove_all(fields, "x-forwarded-for");
  fields.add_view("X-Forwarded-For", {chain, size});
}

}  // namespace

// What a log line and a header can hold without quoting.
bool is_request_id(std::string_view value) {
  return !value.empty() && value.size() <= kMaxRequestId && std::ranges::all_of(value, [](char c) {
    return is_alpha(c) || is_digit(c) || std::string_view("-._~+/=:@").contains(c);
  });
}

bool is_traceparent(std::string_view value) {
  if (value.size() < 55 || value[2] != '-' || value[35] != '-' || value[52] != '-') return false;
  const std::string_view version = value.substr(0, 2);
  const std::string_view trace = value.substr(3, 32);
  const std::string_view parent = value.substr(36, 16);
  if (!is_lower_hex(version) || version == "ff" || !is_lower_hex(trace) || !is_lower_hex(parent) ||
      !is_lower_hex(value.substr(53, 2)) || is_all_zero(trace) || is_all_zero(parent)) {
    return false;
  }
  return version == "00" ? value.size() == 55 : value.size() == 55 || value[55] == '-';
}

RequestIds choose_ids(const http::Fields& fields, bool from_trusted_proxy, const IdBytes& bytes,
                      Arena& arena) {
  RequestIds ids;
  const std::span<const std::uint8_t> random(bytes);
  const auto sent_id = only(fields, "x-request-id");
  ids.request_id = from_trusted_proxy && sent_id && is_request_id(*sent_id)
                       ? *sent_id
                       : store_hex(arena, random.first(16));
  const auto traceparent = only(fields, "traceparent");
  ids.trace_id = traceparent && is_traceparent(*traceparent) ? traceparent->substr(3, 32)
                                                             : store_hex(arena, random.subspan(16, 16));
  ids.span_id = store_hex(arena, random.last(8));
  return ids;
}

void set_forwarding(http::Fields& fields, const ForwardingFacts& facts, const RequestIds& ids) {
  Arena& arena = fields.arena();
  append_forwarded_for(fields, facts.peer);
  remove_all(fields, "x-forwarded-proto");
  fields.add_view("X-Forwarded-Proto", http::scheme_name(facts.origin->scheme()));
  remove_all(fields, "x-forwarded-host");
  if (!facts.origin->host().empty()) fields.add("X-Forwarded-Host", facts.origin->authority());
  fields.add_view("Via", via_value(arena, facts.version_major, facts.version_minor));
  remove_all(fields, "x-request-id");
  fields.add("X-Request-Id", ids.request_id);
  const auto traceparent = only(fields, "traceparent");
  if (!traceparent || !is_traceparent(*traceparent)) {
    remove_all(fields, "traceparent");
    remove_all(fields, "tracestate");  // it belongs to the trace that did not parse
    fields.add_view("traceparent", arena.concat(std::string_view("00-"), ids.trace_id, std::string_view("-"),
                                                ids.span_id, std::string_view("-01")));
  }
}

void add_via(http::Fields& fields, std::uint8_t version_major, std::uint8_t version_minor) {
  fields.add_view("Via", via_value(fields.arena(), version_major, version_minor));
}

}  // namespace holdfast::identity
