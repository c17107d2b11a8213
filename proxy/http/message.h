// The heads of HTTP messages, free of any version's wire format: what HTTP/1 and HTTP/2 codecs make and what
// decisions read. A head owns the bytes that its views point into; moving it keeps them valid. One thread at
// a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/arena.h"
#include "base/ascii.h"

namespace holdfast::http {

struct Field {
  std::string_view name;   // as sent (HTTP/2: lower-case)
  std::string_view value;  // without surrounding whitespace
};

// Header or trailer fields in the order they came. Names compare without case.
class Fields {
 public:
  Fields() = default;
  Fields(Fields&&) noexcept = default;
  Fields& operator=(Fields&&) noexcept = default;

  // Copies name and value into the fields' own memory.
  void add(std::string_view name, std::string_view value) {
    items_.push_back({arena_.store(name), arena_.store(value)});
  }
  // For a name or value that outlives the fields (a literal, configuration that the request pins, bytes in
  // arena()).
  void add_view(std::string_view name, std::string_view value) { items_.push_back({name, value}); }

  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const {
    for (const Field& field : items_) {
      if (iequals(field.name, name)) return field.value;
    }
    return std::nullopt;
  }
  [[nodiscard]] std::size_t count(std::string_view name) const {
    std::size_t found = 0;
    for (const Field& field : items_) found += iequals(field.name, name) ? 1U : 0U;
    return found;
  }
  [[nodiscard]] bool contains(std::string_view name) const { return find(name).has_value(); }

  template <typename Predicate>
  std::size_t remove_if(Predicate predicate) {
    return std::erase_if(items_, predicate);
  }
  std::size_t remove(std::string_view name) {
    return remove_if([name](const Field& field) { return iequals(field.name, name); });
  }
  void set(std::string_view name, std::string_view value) {
    remove(name);
    add(name, value);
  }

  [[nodiscard]] auto begin() const { return items_.begin(); }
  [[nodiscard]] auto end() const { return items_.end(); }
  [[nodiscard]] std::size_t size() const { return items_.size(); }
  [[nodiscard]] bool empty() const { return items_.empty(); }
  void reserve(std::size_t fields) { items_.reserve(fields); }
  [[nodiscard]] Arena& arena() { return arena_; }

 private:
  Arena arena_;
  std::vector<Field> items_;
};

// How long a body is, as far as its head says.
struct BodyLength {
  enum class Kind : std::uint8_t {
    kNone,
    kKnown,
    kUnknown
  };  // unknown: chunked, until close, or HTTP/2 without length
  Kind kind = Kind::kNone;
  std::uint64_t bytes = 0;  // for kKnown; kKnown with 0 bytes is an explicit Content-Length: 0
};

struct RequestHead {
  std::string_view method;  // as sent: methods are case-sensitive
  std::string_view
      target;  // path and query as sent, begins with '/'; or "*" (OPTIONS); never the absolute form
  std::string_view
      authority;  // Host, :authority or the absolute target's authority, as sent; may be empty in HTTP/1.0
  std::string_view scheme;  // of an absolute target or :scheme; empty otherwise
  std::string_view
      protocol;  // :protocol of an extended CONNECT (RFC 8441 4), "websocket" for its HTTP/1 form; else empty
  std::uint8_t version_major = 1;
  std::uint8_t version_minor = 1;
  bool expect_continue = false;
  bool accepts_trailers = false;  // `te: trailers` in HTTP/2, which gRPC servers ask for
  BodyLength body;
  Fields fields;  // Host included, pseudo-header fields not
};

struct ResponseHead {
  std::uint16_t status = 0;
  bool close = false;  // no further message on this connection (HTTP/1)
  BodyLength body;     // of the body that follows; kNone for answers to HEAD, 1xx, 204 and 304

  Fields fields;
};

}  // namespace holdfast::http
