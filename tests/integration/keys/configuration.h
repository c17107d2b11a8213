// The configuration that all cases of the keys share, and what one of them puts over it: a line a change.
//
//   mesh.timeouts: {idle: 1s}    a member of one of the parts below, or of a top-level key
//   log: {access: off}           a whole top-level key
//   listeners+: {name: third}    one more of a list
//   tls.certificate:             nothing behind the colon: taken away
//
// Parts: public and mesh (listeners, the second one plain), tls (of public), idp (the issuer), api (the
// upstream), route (DPoP, under /orders) and open (public, under /open). @NAME is one of the world's names: a
// URL, a port, a file.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace holdfast::integration::keys {

class Configuration {
 public:
  explicit Configuration(std::map<std::string, std::string> names) : names_(std::move(names)) {}

  void put(std::string_view line);
  void put(const std::vector<std::string>& lines) {
    for (const std::string& line : lines) put(line);
  }
  [[nodiscard]] std::string yaml() const;

 private:
  [[nodiscard]] std::string with_names(std::string_view text) const;
  [[nodiscard]] const std::string* find(const std::string& path) const;
  [[nodiscard]] std::string flow(const std::string& part) const;

  std::map<std::string, std::string> names_;
  std::vector<std::pair<std::string, std::string>> values_;  // by path, in the order in which they came
  std::set<std::string> taken_away_;
  std::map<std::string, std::vector<std::string>> more_;
};

}  // namespace holdfast::integration::keys
