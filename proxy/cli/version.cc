#include "cli/version.h"

#include <nghttp2/nghttp2ver.h>
#include <openssl/crypto.h>
#include <CLI/Version.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/version.hpp>
#include <cstdio>

#include "cli/command_line.h"

namespace holdfast::cli {

std::string_view program_version() {
  return HOLDFAST_VERSION;
}
std::string_view program_commit() {
  return HOLDFAST_COMMIT;
}

std::vector<std::pair<std::string, std::string>> library_versions() {
  const auto dotted = [](int major, int minor, int patch) {
    return std::to_string(major) + '.' + std::to_string(minor) + '.' + std::to_string(patch);
  };
  return {{"openssl", OpenSSL_version(OPENSSL_VERSION_STRING)},
          {"boost", dotted(BOOST_VERSION / 100'000, BOOST_VERSION / 100 % 1'000, BOOST_VERSION % 100)},
          {"nghttp2", NGHTTP2_VERSION},
          {"yaml-cpp", HOLDFAST_YAML_CPP_VERSION},
          {"cli11", CLI11_VERSION}};
}

int version(bool json) {
  if (json) {
    boost::json::object libraries;
    for (const auto& [name, number] : library_versions()) libraries[name] = number;
    const boost::json::object out{
        {"version", program_version()}, {"commit", program_commit()}, {"libraries", libraries}};
    std::printf("%s\n", boost::json::serialize(out).c_str());
    return kDone;
  }
  std::printf("holdfast %.*s\ncommit %.*s\n", static_cast<int>(program_version().size()),
              program_version().data(), static_cast<int>(program_commit().size()), program_commit().data());
  for (const auto& [name, number] : library_versions()) std::printf("%s %s\n", name.c_str(), number.c_str());
  return kDone;
}

}  // namespace holdfast::cli
