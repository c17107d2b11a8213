#include "wire/http2_fields.h"

#include <algorithm>
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

bool Http2FieldList::add_fields(const http::Fields& fields, std::initializer_list<std::string_view> but) {
  list_.reserve(list_.size() + fields.size());
  for (const http::Field& field : fields) {
    if (!is_token(field.name) || has_control(field.value)) return false;
    const bool left_out =
        std::ranges::any_of(but, [&field](std::string_view name) { return iequals(field.name, name); });
    if (!left_out && !belongs_to_connection(field.name)) add(field.name, trim_ows(field.value));
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

std::size_t Http2FieldList::bytes() const {
  std::size_t sum = 0;
  for (const nghttp2_nv& field : list_) sum += field.namelen + field.valuelen;
  return sum;
}

bool Http2FieldList::are_words() const {
  return std::ranges::all_of(list_, [](const nghttp2_nv& field) {
    const std::string_view value(reinterpret_cast<const char*>(field.value), field.valuelen);
    return !value.empty() && !has_control(value) && value.find_first_of(" \t") == std::string_view::npos;
  });
}

}  // namespace holdfast::wire
