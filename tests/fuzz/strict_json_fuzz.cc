// Strict JSON: whatever is accepted, Boost.JSON accepts too and reads as equal but for fractions, and it is
// accepted again once written out.
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <cstdint>
#include <cstdlib>

#include "jose/json.h"

namespace {

// Equal but for the value of fractions: Boost.JSON 1.81 rounds some wrongly and makes NaN of 0e999. Ours have
// to be finite.
bool same(const boost::json::value& a, const boost::json::value& b) {
  if (a.kind() != b.kind()) return false;
  if (a.is_double()) return std::isfinite(a.get_double());
  if (a.is_array()) {
    if (a.get_array().size() != b.get_array().size()) return false;
    for (std::size_t i = 0; i < a.get_array().size(); ++i) {
      if (!same(a.get_array()[i], b.get_array()[i])) return false;
    }
    return true;
  }
  if (a.is_object()) {
    if (a.get_object().size() != b.get_object().size()) return false;
    for (const auto& [name, value] : a.get_object()) {
      const auto* const other = b.get_object().if_contains(name);
      if (other == nullptr || !same(value, *other)) return false;
    }
    return true;
  }
  return a == b;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto object = holdfast::jose::parse_json_object(text);
  if (!object) return 0;
  boost::json::error_code ec;
  const boost::json::value reference = boost::json::parse(boost::json::string_view(text), ec);
  if (ec || !same(boost::json::value(*object), reference)) std::abort();
  if (!holdfast::jose::parse_json_object(boost::json::serialize(*object))) std::abort();
  return 0;
}
