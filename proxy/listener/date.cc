#include "listener/date.h"

#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>

namespace holdfast::listener {

std::string_view http_date(UnixTime now) {
  // Not strftime: its names follow the locale.
  static constexpr std::array<const char*, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  thread_local std::time_t made_for = -1;
  thread_local std::array<char, 64> text{};
  thread_local std::size_t size = 0;
  const std::time_t second =
      std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(now));
  if (second != made_for) {
    std::tm parts{};
    gmtime_r(&second, &parts);
    const int length = std::snprintf(text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                                     kDays[static_cast<std::size_t>(parts.tm_wday)], parts.tm_mday,
                                     kMonths[static_cast<std::size_t>(parts.tm_mon)], parts.tm_year + 1900,
                                     parts.tm_hour, parts.tm_min, parts.tm_sec);
    size = static_cast<std::size_t>(length);
    made_for = second;
  }
  return {text.data(), size};
}

void add_date(http::Fields& fields) {
  if (fields.contains("date")) return;
  fields.add_view("Date", http_date(std::chrono::time_point_cast<Millis>(std::chrono::system_clock::now())));
}

}  // namespace holdfast::listener
