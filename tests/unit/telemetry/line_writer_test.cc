#include "telemetry/line_writer.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <cmath>
#include <limits>
#include <random>

namespace holdfast::telemetry {
namespace {

using namespace std::string_literals;

constexpr UnixTime kTime{std::chrono::milliseconds(1'785'542'400'007)};

std::string escaped(std::string_view text) {
  std::string out;
  append_json_escaped(out, text);
  return out;
}

TEST(LineWriter, EscapesHostileBytes) {
  struct Case {
    std::string text, expected;
  };
  for (const Case& c : {
           Case{"plain /path", "plain /path"},
           Case{"a\"b\\c", R"(a\"b\\c)"},
           Case{"line\r\n{\"forged\":1}", R"(line\u000d\u000a{\"forged\":1})"},
           Case{"\0\x1b[31m\x7f"s, R"(\u0000\u001b[31m\u007f)"},
           Case{"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80",
                "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80"},
           Case{"\xc2\x9b"
                "31m",
                R"(\u009b31m)"},                                     // C1: CSI
           Case{"\xff", R"(\ufffd)"},                                // never a byte of UTF-8
           Case{"\xc0\xaf", R"(\ufffd\ufffd)"},                      // overlong
           Case{"\xe0\x80\xaf", R"(\ufffd\ufffd\ufffd)"},            // overlong
           Case{"\xed\xa0\x80", R"(\ufffd\ufffd\ufffd)"},            // a surrogate
           Case{"\xf4\x90\x80\x80", R"(\ufffd\ufffd\ufffd\ufffd)"},  // past U+10FFFF
           Case{"\xe2\x82", R"(\ufffd\ufffd)"},                      // cut short
           Case{"\xc3(", R"(\ufffd()"},
           Case{"", ""},
       }) {
    EXPECT_EQ(escaped(c.text), c.expected);
  }
}

TEST(LineWriter, AnyBytesGiveOneLineOfValidJson) {
  std::mt19937 random(7);
  for (int round = 0; round < 5000; ++round) {
    std::string text;
    for (auto i = random() % 24; i > 0; --i) {
      text += static_cast<char>(random() % 3 == 0 ? random() % 256 : 0xc0 + random() % 64);
    }
    std::string out;
    LineWriter line(out, Format::kJson, kTime, "info", text);
    line.text(text, text);
    line.end();
    ASSERT_EQ(out.find('\n'), out.size() - 1);
    boost::json::error_code failed;
    boost::json::parse(out, failed);
    ASSERT_FALSE(failed) << out;
  }
}

TEST(LineWriter, WritesTimesInUtcWithMilliseconds) {
  struct Case {
    std::int64_t ms;
    std::string_view expected;
  };
  for (const Case& c :
       {Case{0, "1970-01-01T00:00:00.000Z"}, Case{1'785'542'400'007, "2026-08-01T00:00:00.007Z"},
        Case{1'709'210'096'999, "2024-02-29T12:34:56.999Z"}, Case{-1, "1969-12-31T23:59:59.999Z"}}) {
    std::string out;
    append_time(out, UnixTime(std::chrono::milliseconds(c.ms)));
    EXPECT_EQ(out, c.expected);
  }
}

TEST(LineWriter, WritesNumbers) {
  struct Case {
    std::optional<double> value;
    std::string_view expected;
  };
  for (const Case& c : {Case{0.0, "0"}, Case{1.5, "1.500"}, Case{-0.25, "-0.250"}, Case{12.0, "12"},
                        Case{-0.0001, "0"}, Case{0.0006, "0.001"}, Case{123456789.123, "123456789.123"},
                        Case{std::nullopt, "null"}, Case{std::nan(""), "null"},
                        Case{std::numeric_limits<double>::infinity(), "null"}, Case{1e300, "null"}}) {
    std::string out;
    LineWriter line(out, Format::kJson, kTime, "info", "x");
    out.clear();
    line.number("n", c.value);
    EXPECT_EQ(out, ",\"n\":" + std::string(c.expected));
  }
}

TEST(LineWriter, TextQuotesWhatIsNoWord) {
  std::string out;
  LineWriter line(out, Format::kText, kTime, "warn", "server_ejected");
  line.text("server", "http://127.0.0.1:8000");
  line.text("why", "refused\nforged=1");
  line.text("absent", "");
  line.count("count", 3);
  line.number("ms", std::nullopt);
  line.end();
  EXPECT_EQ(out,
            "2026-08-01T00:00:00.007Z warn server_ejected server=http://127.0.0.1:8000 "
            "why=\"refused\\u000aforged=1\" count=3\n");
}

}  // namespace
}  // namespace holdfast::telemetry
