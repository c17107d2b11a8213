#include "wire/http2_fields.h"

#include <cstdint>

#include "base/ascii.h"
#include "wire/field_syntax.h"

namespace holdfast::wire {
namespace {

std::uint8_t* bytes_of(std::string_view text) {
  // libnghttp2 copies what it is given and changes nothing.
  return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
}

}  // namespace

void Http2FieldList::add(std::string_view name, std::string_view value) {
  list_.push_back({bytes_of(name), bytes_of(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE});
}

bool Http2FieldList::add_fields(const http::Fields& fields) {
  list_.reserve(list_.size() + fields.size());
  for (const http::Field& field : fields) {
    if (!is_token(field.name) || has_control(field.value)) return false;
    if (!belongs_to_connection(field.name)) add(field.name, trim_ows(field.value));
  }
  return true;
}

bool Http2FieldList::add_trailers(const http::Fields& trailers) {
  for (const http::Field& field : trailers) {
    if (!is_token(field.name) || has_control(field.value)) return false;
    if (!forbidden_in_trailers(field.name)) add(field.name, trim_ows(field.value));
  }
  return true;
}

}  // namespace holdfast::wire
