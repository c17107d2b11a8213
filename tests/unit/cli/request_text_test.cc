#include "cli/request_text.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace holdfast::cli {
namespace {

std::string read(std::string_view text) {
  const auto request = read_request(text);
  if (!request) return "refused: " + request.error();
  return (request->scheme.empty() ? "" : request->scheme + "|") + request->bytes;
}

TEST(RequestText, CurlCommands) {
  EXPECT_EQ(read("curl https://api.example.com"), "https|GET / HTTP/1.1\r\nHost: api.example.com\r\n\r\n");
  EXPECT_EQ(read("$ curl 'HTTPS://api.example.com:8443/v1?a=b#c' -sk\n"),
            "https|GET /v1?a=b HTTP/1.1\r\nHost: api.example.com:8443\r\n\r\n");
  EXPECT_EQ(read("curl example.com?x"), "http|GET /?x HTTP/1.1\r\nHost: example.com\r\n\r\n");
  EXPECT_EQ(read("curl -XPUT -H'A: 1' -H \"B: \\\"2\\\"\" \\\n  --header C\\:\\ 3 --url https://a/b"),
            "https|PUT /b HTTP/1.1\r\nHost: a\r\nA: 1\r\nB: \"2\"\r\nC: 3\r\n\r\n");
  EXPECT_EQ(read("curl https://a/ -d x=1 -d y=2"),
            "https|POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            "Content-Length: 7\r\n\r\nx=1&y=2");
  EXPECT_EQ(read("curl https://a/ -G -d x=1"), "https|GET /?x=1 HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(
      read("curl -G https://a/ --data-urlencode 'q=a b&@=' --data-urlencode =c/d --data-urlencode \xC3\xA4"),
      "https|GET /?q=a%20b%26%40%3D&c%2Fd&%C3%A4 HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(read("curl -G https://a/ --data-raw @x"), "https|GET /?@x HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(read("curl https://a/ --json $'{\\n}' -H 'Content-Type: x'"),
            "https|POST / HTTP/1.1\r\nHost: a\r\nContent-Type: x\r\nContent-Length: 3\r\n\r\n{\n}");
  EXPECT_EQ(read("curl -I https://a/ -H Host:b -H 'Empty;' -H 'Gone:' | head -1"),
            "https|HEAD / HTTP/1.1\r\nHost:b\r\nEmpty:\r\n\r\n");
  EXPECT_EQ(read("curl --oauth2-bearer abc https://a/"),
            "https|GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer abc\r\n\r\n");
}

// A value may be a token: none is ever quoted.
TEST(RequestText, RefusesWhatOnlyAShellCouldDo) {
  for (const auto& [text, why] : std::initializer_list<std::pair<const char*, const char*>>{
           {"curl https://a/ -H \"DPoP: $PROOF\"",
            "the command holds $ or `, which a shell would replace: give what it sends, with all put in"},
           {"curl https://a/ -H `id`",
            "the command holds $ or `, which a shell would replace: give what it sends, with all put in"},
           {"curl https://a/ > out", "the command redirects, which only a shell can do"},
           {"curl https://a/ -H 'x: secret", "a quote is never closed"},
           {"curl https://a/ -H \"x: secret", "a quote is never closed"},
           {"curl https://a/ -H $'x: \\x41'", "an escape in $'...' is none of \\n \\r \\t \\\\ \\' \\\""},
           {"curl https://a/ https://b/", "the command has two URLs"},
           {"curl -s", "the command has no URL"},
           {"curl ftp://a/", "the URL is neither http nor https"},
           {"curl https://user:secret@a/", "the URL has no host, or a user in it"},
           {"curl https://a/ -H", "curl's option --header has no value"},
           {"curl https://a/ -d @secret",
            "data from a file (@...) is not read: its length decides nothing, so leave it out"},
           {"curl https://a/ -G --data-urlencode q@secret",
            "data from a file (@...) is not read: its length decides nothing, so leave it out"},
           {"curl https://a/ -H @secret", "fields from a file (@...) are not read: give them by --header"},
           {"curl https://a/ --proxy=secret",
            "curl's option --proxy is not understood here; leave it out, or give the raw request"},
           {"curl https://a/ --key k.pem -E secret",
            "the client's certificate is not read from the command: leave --cert out, and give a PEM file by "
            "--client-certificate"},
           {"curl https://a/ -sZ",
            "curl's option -Z is not understood here; leave it out, or give the raw request"},
           {"", "there is no request in it"},
           {" \n", "there is no request in it"},
       }) {
    EXPECT_EQ(read(text), std::string("refused: ") + why) << text;
  }
  EXPECT_EQ(read(std::string(kMaxRequestText + 1, 'x')), "refused: the request is larger than 1 MiB");
}

TEST(RequestText, RawRequests) {
  EXPECT_EQ(read("GET / HTTP/1.1\r\nHost: a\r\n\r\nrest"), "GET / HTTP/1.1\r\nHost: a\r\n\r\nrest");
  EXPECT_EQ(read("GET / HTTP/1.1\r\nHost: a\n\n"), "GET / HTTP/1.1\r\nHost: a\n\n") << "byte for byte";
  EXPECT_EQ(read("\nPOST /x HTTP/2\nHost: a\n\n{\n}\n"), "POST /x HTTP/1.1\r\nHost: a\r\n\r\n{\n}\n");
  EXPECT_EQ(read("GET https://a/x HTTP/1.1\nHost: a"), "https|GET https://a/x HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(read("rub bish HTTP/1.1"), "rub bish HTTP/1.1\r\n\r\n") << "the decoder says whether it is HTTP";
  EXPECT_EQ(read("GET /\r\n\r\n"), "GET /\r\n\r\n") << "byte for byte";
}

// Judged as a request, these would be answered 400 and seem to be denied by a rule.
TEST(RequestText, RefusesWhatIsNoRequest) {
  for (const char* text : {"rubbish", "wget https://a/", "fetch('https://a/')", "GET /orders", "HTTP/1.1",
                           "https://a/\nGET / HTTP/1.1"}) {
    EXPECT_EQ(read(text), "refused: it is no curl command, and its first line has no HTTP version") << text;
  }
}

TEST(RequestText, WhatCurlPrints) {
  EXPECT_EQ(read("* Connected to a\n> GET /x HTTP/2\r\n> Host: a\r\n> dpop: b\r\n> \n< HTTP/2 401\n< x: y\n"),
            "GET /x HTTP/1.1\r\nHost: a\r\ndpop: b\r\n\r\n");
  EXPECT_EQ(read("> GET /x HTTP/1.1\n> Host: a\n>\n< HTTP/1.1 200\n"), "GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(read("  % Total    % Received\n\r  0     0*   Trying 127.0.0.1:8443...\n} [5 bytes data]\n* "
                 "using HTTP/2\n"
                 "> GET /x HTTP/2\r\n> Host: a\r\n> \r\n{ [5 bytes data]\n< HTTP/2 401 \r\n"),
            "GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
      << "as it is when the answer goes elsewhere";
  EXPECT_EQ(read("POST / HTTP/1.1\nHost: a\n\n> GET /x HTTP/1.1\n>\n"),
            "POST / HTTP/1.1\r\nHost: a\r\n\r\n> GET /x HTTP/1.1\n>\n")
      << "a body that only looks like it";
}

}  // namespace
}  // namespace holdfast::cli
