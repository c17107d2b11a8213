// The public HTTP/1 requests (vectors/http1), and the table of those that are taken although somebody refuses
// them (docs/http-strictness.md), which tests hold true.
#pragma once

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "places.h"

namespace holdfast::testing {

struct Http1Row {
  std::string id;  // as the table has it: without backticks
  std::string bytes;
  bool both_refuse = false;       // HAProxy and nginx
  bool must_reject = false;       // say its authors
  bool somebody_refuses = false;  // of them all
};

// How a row of the table reaches a backend.
struct Forwarded {
  std::string line;  // method and target; as far as it is given, where it ends in "…"
  std::size_t body = 0;
};

inline std::string without_backticks(std::string_view text) {
  std::string plain(text);
  std::erase(plain, '`');
  return plain;
}

// Empty where the folder is missing.
inline std::vector<Http1Row> http1_rows() {
  std::vector<Http1Row> rows;
  std::ifstream file(support::vectors_folder() / "http1/requests.jsonl");
  for (std::string line; std::getline(file, line);) {
    const boost::json::value value = boost::json::parse(line);
    const auto text = [&value](const char* name) { return std::string(value.at(name).as_string()); };
    Http1Row row{.id = without_backticks(text("id")),
                 .bytes = {},
                 .both_refuse = value.at("both_refuse").as_bool(),
                 .must_reject = text("verdict") == "must-reject"};
    const std::string hex = text("hex");
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
      row.bytes.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
    }
    row.somebody_refuses =
        row.must_reject || text("haproxy_2_6").starts_with("R:") || text("nginx_1_22").starts_with("R:");
    rows.push_back(std::move(row));
  }
  return rows;
}

// By id.
inline std::map<std::string, Forwarded> http1_rows_taken() {
  std::map<std::string, Forwarded> taken;
  std::ifstream file(support::source_folder() / "docs/http-strictness.md");
  bool in_table = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("| row |")) in_table = true;
    if (!in_table || !line.starts_with("| `")) continue;
    const std::string id = without_backticks(line.substr(2, line.find(" |", 2) - 2));
    const std::string cell = line.substr(line.rfind("| `") + 3);
    const std::size_t end = cell.find('`');
    // "no body" is no number, and so 0.
    taken[id] = {cell.substr(0, end), std::strtoul(cell.c_str() + cell.find(", ", end) + 2, nullptr, 10)};
  }
  return taken;
}

}  // namespace holdfast::testing
