#include "wire/response_head.h"

#include <cstdint>

#include "wire/framing.h"
#include "wire/head_parser.h"

namespace holdfast::wire {
namespace {

class ResponseParser : public HeadParser<false> {
 public:
  ResponseParser(http::ResponseHead& head, std::size_t max_fields)
      : HeadParser(head.fields, max_fields), head_(head) {}

 private:
  void on_response_impl(int status, BeastView /*reason*/, int version, Error& /*error*/) override {
    head_.status = static_cast<std::uint16_t>(status);
    set_version(version);
  }
  void on_field_impl(beast::http::field name, BeastView name_text, BeastView value, Error& error) override {
    add(name, name_text, view(value), error);
  }

  http::ResponseHead& head_;
};

}  // namespace

std::string_view parse_response_head(std::string_view bytes, std::size_t max_fields, bool head_request,
                                     http::ResponseHead& head) {
  ResponseParser parser(head, max_fields);
  beast::error_code error;
  const bool parsed = parser.parse(bytes, error);
  if (parser.too_many_fields()) return "too many fields";
  if (!parsed) return "the head is malformed";
  if (head.status < 100) return "the status is below 100";
  const auto framing = parser.framing().decide(parser.version_minor());
  if (!framing) return describe(framing.error());
  using Kind = http::BodyLength::Kind;
  const bool bodiless = head_request || head.status < 200 || head.status == 204 || head.status == 304;
  head.body = bodiless ? http::BodyLength{} : *framing;
  const bool until_close = !bodiless && framing->kind == Kind::kNone;
  if (until_close) head.body.kind = Kind::kUnknown;
  head.close = until_close || !parser.persists();
  return {};
}

}  // namespace holdfast::wire
