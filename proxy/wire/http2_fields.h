// A head or a trailer section as libnghttp2 wants it. What the HTTP/1 encoder does not send is not sent here
// either: names and values that hold control bytes refuse the whole, fields of the connection and
// Content-Length are dropped. Private to this folder.
#pragma once

#include <nghttp2/nghttp2.h>

#include <cstddef>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace holdfast::wire {

// Views: what is added must outlive the call that submits the list.
class Http2FieldList {
 public:
  void add(std::string_view name, std::string_view value);
  // false: a name or value may not be sent. Fields named in `but` are left out.
  [[nodiscard]] bool add_fields(const http::Fields& fields, std::initializer_list<std::string_view> but = {});
  // Those of framing, routing and credentials are dropped as well.
  [[nodiscard]] bool add_trailers(const http::Fields& trailers);
  // What was given to add() holds neither control bytes nor spaces, and is not empty.
  [[nodiscard]] bool are_words() const;
  // Of all names and values.
  [[nodiscard]] std::size_t bytes() const;
  [[nodiscard]] const nghttp2_nv* data() const { return list_.data(); }
  [[nodiscard]] std::size_t size() const { return list_.size(); }

 private:
  std::vector<nghttp2_nv> list_;
};

}  // namespace holdfast::wire
