#include "wire/response_head.h"

#include <boost/beast/http/basic_parser.hpp>
#include <cstdint>
#include <limits>

#include "wire/framing.h"

namespace holdfast::wire {
namespace {

namespace beast = boost::beast;
using BeastView = beast::string_view;

std::string_view view(BeastView text) {
  return {text.data(), text.size()};
}

class HeadParser : public beast::http::basic_parser<false> {
 public:
  HeadParser(http::ResponseHead& head, std::size_t max_fields) : head_(head), max_fields_(max_fields) {
    header_limit(std::numeric_limits<std::uint32_t>::max());  // the scanner has held the limit
    body_limit(boost::none);
    eager(false);
    skip(true);  // framing.h decides about the body
  }

  [[nodiscard]] bool too_many_fields() const { return too_many_fields_; }
  [[nodiscard]] unsigned version_minor() const { return version_minor_; }
  [[nodiscard]] const FramingFields& framing() const { return framing_; }

 private:
  using Error = beast::error_code;

  void on_response_impl(int status, BeastView /*reason*/, int version, Error& /*error*/) override {
    head_.status = static_cast<std::uint16_t>(status);
    version_minor_ = static_cast<unsigned>(version % 10);
  }
  void on_field_impl(beast::http::field name, BeastView name_text, BeastView value, Error& error) override {
    if (head_.fields.size() == max_fields_) {
      too_many_fields_ = true;
      error = beast::http::error::header_limit;
      return;
    }
    const std::string_view text = view(value);
    head_.fields.add_view(view(name_text), text);
    if (name == beast::http::field::content_length) framing_.content_length(text);
    if (name == beast::http::field::transfer_encoding) framing_.transfer_encoding(text);
  }
  void on_header_impl(Error& /*error*/) override {}
  void on_finish_impl(Error& /*error*/) override {}
  // Not reached: the parser is given heads only.
  void on_request_impl(beast::http::verb /*verb*/, BeastView /*method*/, BeastView /*target*/,
                       int /*version*/, Error& error) override {
    deny(error);
  }
  void on_body_init_impl(const boost::optional<std::uint64_t>& /*length*/, Error& error) override {
    deny(error);
  }
  std::size_t on_body_impl(BeastView /*bytes*/, Error& error) override { return deny(error); }
  void on_chunk_header_impl(std::uint64_t /*size*/, BeastView /*extensions*/, Error& error) override {
    deny(error);
  }
  std::size_t on_chunk_body_impl(std::uint64_t /*left*/, BeastView /*bytes*/, Error& error) override {
    return deny(error);
  }
  static std::size_t deny(Error& error) {
    error = beast::http::error::unexpected_body;
    return 0;
  }

  http::ResponseHead& head_;
  std::size_t max_fields_;
  bool too_many_fields_ = false;
  unsigned version_minor_ = 0;
  FramingFields framing_;
};

}  // namespace

std::string_view parse_response_head(std::string_view bytes, std::size_t max_fields, bool head_request,
                                     http::ResponseHead& head) {
  HeadParser parser(head, max_fields);
  beast::error_code error;
  parser.put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
  if (parser.too_many_fields()) return "too many fields";
  if (error || !parser.is_header_done()) return "the head is malformed";
  if (head.status < 100) return "the status is below 100";
  const auto framing = parser.framing().decide(parser.version_minor());
  if (!framing) return describe(framing.error());
  using Kind = http::BodyLength::Kind;
  const bool bodiless = head_request || head.status < 200 || head.status == 204 || head.status == 304;
  head.body = bodiless ? http::BodyLength{} : *framing;
  const bool until_close = !bodiless && framing->kind == Kind::kNone;
  if (until_close) head.body.kind = Kind::kUnknown;
  head.close = until_close || !parser.keep_alive();
  return {};
}

}  // namespace holdfast::wire
