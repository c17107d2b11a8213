// What reading a request's head and a response's have in common, on top of Beast's parser: fields as views,
// their limit, what frames the body and what keeps the connection. The bytes have passed HeadScanner, and
// hold a head and nothing else. Slow to compile: for request_head.cc and response_head.cc only.
#pragma once

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

#include "base/ascii.h"
#include "http/message.h"
#include "wire/framing.h"

namespace holdfast::wire {

namespace beast = boost::beast;

template <bool kRequest>
class HeadParser : public beast::http::basic_parser<kRequest> {
 public:
  HeadParser(http::Fields& fields, std::size_t max_fields) : fields_(fields), max_fields_(max_fields) {
    this->header_limit(std::numeric_limits<std::uint32_t>::max());  // the scanner has held the limit
    this->body_limit(boost::none);
    this->eager(false);
    this->skip(true);  // framing.h decides about the body
  }

  // false: not a head, or too_many_fields().
  [[nodiscard]] bool parse(std::string_view bytes, beast::error_code& error) {
    this->put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
    return !error && this->is_header_done();
  }
  [[nodiscard]] bool too_many_fields() const { return too_many_fields_; }
  [[nodiscard]] unsigned version_minor() const { return version_minor_; }
  [[nodiscard]] const FramingFields& framing() const { return framing_; }
  // RFC 9112 9.3. Proxy-Connection says nothing here: a proxy that does not know it passes it on (C.2.2).
  [[nodiscard]] bool persists() const { return !close_ && (version_minor_ != 0 || keep_alive_); }

 protected:
  using Error = beast::error_code;
  using BeastView = beast::string_view;

  static std::string_view view(BeastView text) { return {text.data(), text.size()}; }
  void set_version(int version) { version_minor_ = static_cast<unsigned>(version % 10); }
  // false: one field too many.
  bool add(beast::http::field name, BeastView name_text, std::string_view value, Error& error) {
    using beast::http::field;
    if (fields_.size() == max_fields_) {
      too_many_fields_ = true;
      error = beast::http::error::header_limit;
      return false;
    }
    fields_.add_view(view(name_text), value);
    if (name == field::content_length) framing_.content_length(value);
    if (name == field::transfer_encoding) framing_.transfer_encoding(value);
    if (name == field::connection) add_options(value);
    return true;
  }

 private:
  void add_options(std::string_view list) {
    while (!list.empty()) {
      const std::size_t comma = std::min(list.find(','), list.size());
      const std::string_view option = trim_ows(list.substr(0, comma));
      close_ = close_ || iequals(option, "close");
      keep_alive_ = keep_alive_ || iequals(option, "keep-alive");
      list.remove_prefix(std::min(comma + 1, list.size()));
    }
  }

  void on_header_impl(Error& /*error*/) override {}
  void on_finish_impl(Error& /*error*/) override {}
  // Not reached. A body through here would be one that framing.h did not judge.
  void on_request_impl(beast::http::verb /*verb*/, BeastView /*method*/, BeastView /*target*/,
                       int /*version*/, Error& error) override {
    deny(error);
  }
  void on_response_impl(int /*status*/, BeastView /*reason*/, int /*version*/, Error& error) override {
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

  http::Fields& fields_;
  std::size_t max_fields_;
  bool too_many_fields_ = false;
  bool close_ = false;
  bool keep_alive_ = false;
  unsigned version_minor_ = 0;
  FramingFields framing_;
};

}  // namespace holdfast::wire
