#include "wire/head_scanner.h"

#include <cstring>

#include "wire/field_syntax.h"

namespace holdfast::wire {

HeadScanner::Verdict HeadScanner::scan(std::string_view bytes) {
  for (;;) {
    const std::size_t left = bytes.size() - at_;
    const void* const found = left == 0 ? nullptr : std::memchr(bytes.data() + at_, '\n', left);
    if (found == nullptr) {
      // A CR that is the last byte so far may still become a CRLF; every other one is bare already.
      const std::size_t end = bytes.ends_with('\r') && left != 0 ? bytes.size() - 1 : bytes.size();
      if (has_control(bytes.substr(at_, end - at_))) return Verdict::kControl;
      at_ = end;
      return Verdict::kMore;
    }
    const auto lf = static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
    if (lf == line_ || bytes[lf - 1] != '\r') return Verdict::kBareLf;
    if (has_control(bytes.substr(at_, lf - 1 - at_))) return Verdict::kControl;
    const bool empty = lf - 1 == line_;
    if (bytes[line_] == ' ' || bytes[line_] == '\t') return Verdict::kFolded;
    line_ = at_ = lf + 1;
    if (empty) return Verdict::kComplete;
    if (++lines_ == 1) first_line_ = line_;
  }
}

std::string_view describe(HeadScanner::Verdict verdict) {
  switch (verdict) {
    case HeadScanner::Verdict::kBareLf:
      return "a line ends in LF without CR";
    case HeadScanner::Verdict::kControl:
      return "a control byte, or CR without LF, stands in the head";
    case HeadScanner::Verdict::kFolded:
      return "a line begins with whitespace";
    case HeadScanner::Verdict::kMore:
    case HeadScanner::Verdict::kComplete:
      break;
  }
  return {};
}

}  // namespace holdfast::wire
