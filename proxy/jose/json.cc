// Strict JSON: see the header. Boost.JSON's event parser reads; this file builds the tree itself, member by
// member, because a name that is there already can only be noticed while it is inserted.
#include "jose/json.h"

#include <array>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value.hpp>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

namespace holdfast::jose {
namespace {

namespace json = boost::json;

class TreeBuilder {
 public:
  // What basic_parser wants to know; the text's own size bounds them all.
  static constexpr std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_array_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_key_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_string_size = std::numeric_limits<std::size_t>::max();

  explicit TreeBuilder(json::storage_ptr storage) : root_(std::move(storage)) {}

  [[nodiscard]] json::value& root() { return root_; }
  [[nodiscard]] const std::string& flaw() const { return flaw_; }

  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }

  bool on_object_begin(json::error_code& ec) {
    json::value* const place = next(ec);
    if (place == nullptr) return false;
    place->emplace_object().reserve(kFirstMembers);
    return open(place, ec);
  }
  bool on_object_end(std::size_t, json::error_code&) { return close(); }

  bool on_array_begin(json::error_code& ec) {
    json::value* const place = next(ec);
    if (place == nullptr) return false;
    place->emplace_array();
    return open(place, ec);
  }
  bool on_array_end(std::size_t, json::error_code&) { return close(); }

  bool on_key_part(json::string_view part, std::size_t, json::error_code&) { return keep(part); }
  bool on_key(json::string_view rest, std::size_t, json::error_code& ec) {
    const std::string_view name = whole(rest);
    const auto [member, inserted] = open_[depth_ - 1]->get_object().emplace(json::string_view(name), nullptr);
    if (!inserted) return fail("member \"" + std::string(name) + "\" twice", ec);
    member_ = &member->value();
    partial_.clear();
    return true;
  }

  bool on_string_part(json::string_view part, std::size_t, json::error_code&) { return keep(part); }
  bool on_string(json::string_view rest, std::size_t, json::error_code& ec) {
    json::value* const place = next(ec);
    if (place == nullptr) return false;
    place->emplace_string().assign(json::string_view(whole(rest)));
    partial_.clear();
    return true;
  }

  bool on_number_part(json::string_view part, json::error_code&) { return keep(part); }
  bool on_int64(std::int64_t number, json::string_view, json::error_code& ec) { return scalar(number, ec); }
  bool on_uint64(std::uint64_t number, json::string_view, json::error_code& ec) { return scalar(number, ec); }
  // Boost's own conversion may be off in the last place, so the text is read again.
  bool on_double(double, json::string_view rest, json::error_code& ec) {
    const std::string_view text = whole(rest);
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    // result_out_of_range also says that a number is too small to tell from zero; either way it is not what
    // was written.
    if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(number)) {
      return fail("a number beyond what a double holds", ec);
    }
    return scalar(number, ec);
  }
  bool on_bool(bool flag, json::error_code& ec) { return scalar(flag, ec); }
  bool on_null(json::error_code& ec) { return scalar(nullptr, ec); }

  bool on_comment_part(json::string_view, json::error_code&) { return false; }
  bool on_comment(json::string_view, json::error_code&) { return false; }

 private:
  static constexpr std::size_t kFirstMembers = 8;
  static constexpr std::size_t kDeepest = 32;

  bool fail(std::string flaw, json::error_code& ec) {
    flaw_ = std::move(flaw);
    ec = json::error::extra_data;  // any error stops the parser; the words are in flaw_
    return false;
  }

  bool keep(json::string_view part) {
    partial_.append(part.data(), part.size());
    return true;
  }
  // The parts kept so far and the last one. No copy where there was one part, as in every text without
  // escapes.
  std::string_view whole(json::string_view rest) {
    if (partial_.empty()) return {rest.data(), rest.size()};
    partial_.append(rest.data(), rest.size());
    return partial_;
  }

  // Where the value that begins now belongs.
  json::value* next(json::error_code& ec) {
    if (depth_ == 0) return &root_;
    json::value* const parent = open_[depth_ - 1];
    if (parent->is_array()) return &parent->get_array().emplace_back(nullptr);
    if (member_ == nullptr) {
      fail("a value without a name", ec);
      return nullptr;
    }
    return std::exchange(member_, nullptr);
  }
  template <typename T>
  bool scalar(T value, json::error_code& ec) {
    json::value* const place = next(ec);
    if (place == nullptr) return false;
    *place = value;
    partial_.clear();
    return true;
  }
  bool open(json::value* container, json::error_code& ec) {
    if (depth_ == open_.size()) return fail("nested too deeply", ec);
    open_[depth_++] = container;
    return true;
  }
  bool close() {
    --depth_;
    return true;
  }

  json::value root_;
  std::array<json::value*, kDeepest>
      open_{};  // containers being read; a parent does not move while its child is open
  std::size_t depth_ = 0;
  json::value* member_ = nullptr;  // the value of the name just read
  std::string partial_;
  std::string flaw_;
};

}  // namespace

std::expected<json::object, std::string> parse_json_object(std::string_view text, json::storage_ptr storage,
                                                           std::size_t max_depth) {
  json::parse_options options;
  options.max_depth = max_depth;
  json::basic_parser<TreeBuilder> parser(options, std::move(storage));
  json::error_code ec;
  const std::size_t read = parser.write_some(false, text.data(), text.size(), ec);
  TreeBuilder& builder = parser.handler();
  if (!builder.flaw().empty()) return std::unexpected(builder.flaw());
  if (ec == json::error::too_deep) {
    return std::unexpected("JSON nested deeper than " + std::to_string(max_depth) + " levels");
  }
  if (ec) return std::unexpected("not JSON: " + ec.message());
  if (read != text.size()) return std::unexpected("not JSON: something stands after it");
  if (!builder.root().is_object()) return std::unexpected("not a JSON object");
  return std::move(builder.root().get_object());
}

std::optional<std::string_view> string_member(const json::object& object, std::string_view name) {
  const json::value* const member = object.if_contains(json::string_view(name));
  if (member == nullptr || !member->is_string()) return std::nullopt;
  const json::string& text = member->get_string();
  return std::string_view(text.data(), text.size());
}

std::optional<std::int64_t> numeric_date_ms(const json::value& value) {
  constexpr std::int64_t kLimit = std::int64_t{1} << 53;
  if (value.is_int64()) {
    const std::int64_t seconds = value.get_int64();
    if (seconds < -kLimit || seconds > kLimit) return std::nullopt;
    return seconds * 1000;
  }
  // Written as a plain integer above 2^63: above 2^53 all the more.
  if (!value.is_double()) return std::nullopt;
  const double seconds = value.get_double();
  if (!(std::abs(seconds) <= static_cast<double>(kLimit))) return std::nullopt;
  // Split, because seconds * 1000 would round where the whole part is large.
  const double whole = std::floor(seconds);
  return static_cast<std::int64_t>(whole) * 1000 + std::llround((seconds - whole) * 1000);
}

}  // namespace holdfast::jose
