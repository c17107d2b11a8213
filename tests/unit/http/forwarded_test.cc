#include "http/forwarded.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <vector>

namespace holdfast::http {
namespace {

using FieldList = std::vector<Field>;

Fields make_fields(const FieldList& items) {
  Fields fields;
  for (const Field& field : items) fields.add(field.name, field.value);
  return fields;
}

TEST(Forwarded, IsReadWhereFieldsAgree) {
  struct Case {
    FieldList fields;
    std::string proto;
    std::string host;
    std::optional<std::uint16_t> port = std::nullopt;
  };
  for (const Case& c : std::initializer_list<Case>{
           {{}, "", ""},
           {{{"X-Forwarded-Proto", "https"}}, "https", ""},
           {{{"X-Forwarded-Proto", "WSS"}}, "https", ""},
           {{{"x-forwarded-host", "API.example.com"}}, "", "api.example.com"},
           {{{"X-Forwarded-Host", "a:8443"}}, "", "a", 8443},
           {{{"X-Forwarded-Host", "a"}, {"X-Forwarded-Port", "8443"}}, "", "a", 8443},
           {{{"X-Forwarded-Host", "a:8443"}, {"X-Forwarded-Port", "8443"}}, "", "a", 8443},
           {{{"X-Forwarded-Port", "8443"}}, "", ""},
           {{{"X-Forwarded-For", "1.2.3.4, 5.6.7.8"}}, "", ""},
           {{{"Forwarded", "for=1.2.3.4;proto=https;host=a"}}, "https", "a"},
           {{{"Forwarded", R"(For="[2001:db8::1]:4711"; Proto=HTTPS ;host="a:8443")"}}, "https", "a", 8443},
           {{{"Forwarded", "host=a:8443;;"}}, "", "a", 8443},
           {{{"Forwarded", R"(host="\a")"}}, "", "a"},
           {{{"Forwarded", "for=1.2.3.4, for=5.6.7.8"}}, "", ""},
           {{{"Forwarded", "proto=https;host=a"}, {"X-Forwarded-Proto", "https"}, {"X-Forwarded-Host", "A"}},
            "https",
            "a"},
           {{{"X-Forwarded-Proto", "https"},
             {"X-Forwarded-Host", "a"},
             {"X-Forwarded-Port", "443"},
             {"Forwarded", "proto=https;host=a"}},
            "https",
            "a",
            443},
           {{{"X-Forwarded-Host", "a"}, {"Forwarded", R"(host="a:80")"}}, "", "a"},
       }) {
    const auto forwarded = parse_forwarded(make_fields(c.fields), Scheme::http);
    const std::string_view shown = c.fields.empty() ? "" : c.fields[0].value;
    ASSERT_TRUE(forwarded) << shown << ": " << forwarded.error().detail;
    EXPECT_EQ(forwarded->proto ? scheme_name(*forwarded->proto) : "", c.proto) << shown;
    EXPECT_EQ(forwarded->host ? forwarded->host->host : "", c.host) << shown;
    if (forwarded->host) {
      EXPECT_EQ(forwarded->host->port, c.port) << shown;
    }
  }
}

TEST(Forwarded, IsRefusedWhereItSaysTwoThings) {
  for (const FieldList& list : std::initializer_list<FieldList>{
           {{"X-Forwarded-Proto", "https, http"}},
           {{"X-Forwarded-Proto", "https"}, {"X-Forwarded-Proto", "https"}},
           {{"X-Forwarded-Proto", ""}},
           {{"X-Forwarded-Proto", "ftp"}},
           {{"X-Forwarded-Host", "a, b"}},
           {{"X-Forwarded-Host", "a"}, {"x-forwarded-host", "b"}},
           {{"X-Forwarded-Host", "a/b"}},
           {{"X-Forwarded-Host", ""}},
           {{"X-Forwarded-Host", "a:1"}, {"X-Forwarded-Port", "2"}},
           {{"X-Forwarded-Host", "a"}, {"X-Forwarded-Port", "x"}},
           {{"X-Forwarded-Host", "a"}, {"X-Forwarded-Port", "1, 2"}},
           {{"Forwarded", "host=a, host=b"}},
           {{"Forwarded", "host=a, for=1.2.3.4"}},
           {{"Forwarded", "for=1.2.3.4"}, {"Forwarded", "host=a"}},
           {{"Forwarded", "host=a;host=a"}},
           {{"Forwarded", "proto=https;proto=http"}},
           {{"Forwarded", "proto=https"}, {"X-Forwarded-Proto", "http"}},
           {{"Forwarded", "host=a"}, {"X-Forwarded-Host", "b"}},
           {{"Forwarded", "host=a:1"}, {"X-Forwarded-Host", "a"}},
           {{"Forwarded", "host=a"}, {"X-Forwarded-Host", "a:443"}},
           {{"Forwarded", "host=a;proto=https"}, {"X-Forwarded-Host", "a:80"}},
           {{"Forwarded", "host"}},
           {{"Forwarded", "=a"}},
           {{"Forwarded", "host="}},
           {{"Forwarded", "host=\"a"}},
           {{"Forwarded", "host=\"a\\"}},
           {{"Forwarded", "host=a b"}},
           {{"Forwarded", "host =a"}},
           {{"Forwarded", "host=a/b"}},
       }) {
    const auto forwarded = parse_forwarded(make_fields(list), Scheme::http);
    ASSERT_FALSE(forwarded) << list[0].value;
    EXPECT_EQ(forwarded.error().reason, Reason::request_malformed) << list[0].value;
  }
}

TEST(ClientAddress, IsTheFirstFromTheRightThatIsNotTrusted) {
  struct Case {
    std::string_view peer;
    FieldList fields;
    std::string_view client;
  };
  const std::vector<Cidr> trusted = {*Cidr::parse("10.0.0.0/8"), *Cidr::parse("fd00::/8")};
  for (const Case& c : std::initializer_list<Case>{
           {"192.0.2.9", {{"X-Forwarded-For", "1.1.1.1"}}, "192.0.2.9"},
           {"10.0.0.1", {}, "10.0.0.1"},
           {"10.0.0.1", {{"X-Forwarded-For", "1.1.1.1"}}, "1.1.1.1"},
           {"10.0.0.1", {{"X-Forwarded-For", "6.6.6.6, 1.1.1.1, 10.0.0.2"}}, "1.1.1.1"},
           {"10.0.0.1", {{"X-Forwarded-For", "6.6.6.6"}, {"X-Forwarded-For", "1.1.1.1,10.0.0.2"}}, "1.1.1.1"},
           {"10.0.0.1", {{"X-Forwarded-For", "10.0.0.3, 10.0.0.2"}}, "10.0.0.3"},
           {"10.0.0.1", {{"X-Forwarded-For", "1.1.1.1, unknown, 10.0.0.2"}}, "10.0.0.2"},
           {"10.0.0.1", {{"X-Forwarded-For", ""}}, "10.0.0.1"},
           {"10.0.0.1", {{"X-Forwarded-For", "1.1.1.1:5000"}}, "1.1.1.1"},
           {"fd00::1", {{"X-Forwarded-For", "[2001:db8::1]:5000"}}, "2001:db8::1"},
           {"fd00::1", {{"X-Forwarded-For", "2001:db8::1"}}, "2001:db8::1"},
           {"10.0.0.1", {{"Forwarded", R"(for=1.1.1.1, for="[fd00::2]:80")"}}, "1.1.1.1"},
           {"10.0.0.1", {{"Forwarded", "for=_hidden"}}, "10.0.0.1"},
           {"10.0.0.1", {{"Forwarded", "for=\""}}, "10.0.0.1"},
       }) {
    EXPECT_EQ(client_address(make_fields(c.fields), *IpAddress::parse(c.peer), trusted).text(), c.client)
        << (c.fields.empty() ? "" : c.fields[0].value);
  }
}

TEST(ForwardingFields, AreKnownInEverySpelling) {
  for (const std::string_view name : {"Forwarded",
                                      "X-Forwarded-For",
                                      "x-forwarded-proto",
                                      "X_Forwarded_Host",
                                      "X.Forwarded.Port",
                                      "X-Forwarded",
                                      "X-Forwarded-Client-Cert",
                                      "X-Real-IP",
                                      "X_REAL_IP",
                                      "X-Original-URL",
                                      "X-Original-Method",
                                      "X-Rewrite-URL",
                                      "X-HTTP-Method",
                                      "X-HTTP-Method-Override",
                                      "X-Method-Override",
                                      "Client-Cert",
                                      "Client-Cert-Chain",
                                      "SSL-Client-Cert",
                                      "SSL_CLIENT_S_DN",
                                      "X-SSL-Client-Verify",
                                      "X-Client-Cert",
                                      "X-Client-Certificate",
                                      "X-ARR-ClientCert",
                                      "X-Client-Verify",
                                      "x_client_dn",
                                      "X-Amzn-Mtls-Clientcert"}) {
    EXPECT_TRUE(is_forwarding_field(name)) << name;
  }
  for (const std::string_view name :
       {"", "x", "Host", "Forward", "X-Request-Id", "X-Forwarder", "X-Real-IPs", "Cookie"}) {
    EXPECT_FALSE(is_forwarding_field(name)) << name;
  }
}

}  // namespace
}  // namespace holdfast::http
