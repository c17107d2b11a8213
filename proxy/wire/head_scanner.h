// The line discipline of a head or a trailer section, checked on the raw bytes before any parser sees them:
// every line ends in CRLF; no bare CR, no bare LF, no NUL and no other control byte but HTAB; no line is
// folded. Each of these is read differently by some server, which is how requests are smuggled (RFC
// 9112 2.2, 5.2).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace holdfast::wire {

class HeadScanner {
 public:
  enum class Verdict : std::uint8_t { kMore, kComplete, kBareLf, kControl, kFolded };

  // `bytes` begin at the section's first byte and hold all of it that is there so far; what was scanned
  // before is not scanned again. The section ends with an empty line.
  [[nodiscard]] Verdict scan(std::string_view bytes);
  // After kComplete: the section's size, its empty line included, and the number of lines before that.
  [[nodiscard]] std::size_t size() const { return line_; }
  [[nodiscard]] std::size_t lines() const { return lines_; }
  // The size of the first line, its CRLF included; 0 while it is not complete.
  [[nodiscard]] std::size_t first_line() const { return first_line_; }
  void reset() { *this = HeadScanner(); }

 private:
  std::size_t line_ = 0;  // where the line begins that is not complete yet
  std::size_t at_ = 0;    // no LF before this
  std::size_t lines_ = 0;
  std::size_t first_line_ = 0;
};

[[nodiscard]] std::string_view describe(HeadScanner::Verdict verdict);

}  // namespace holdfast::wire
