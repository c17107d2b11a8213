#include "settings/shown.h"

#include <cstddef>
#include <cstdio>
#include <string_view>

namespace holdfast::settings {
namespace {

bool is_plain(std::string_view text) {
  if (text.empty() || text.front() == '-' || text.front() == ' ' || text.back() == ' ') return false;
  constexpr std::string_view kPlain = "/._-+*$ ";
  for (const char c : text) {
    const bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!word && !kPlain.contains(c)) return false;
  }
  return text.front() != '*';
}

void put_scalar(const Node& node, std::string& out) {
  if (!node.quoted && is_plain(node.written)) {
    out += node.written;
    return;
  }
  out += '"';
  for (const char c : node.written) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\x%02X", static_cast<unsigned char>(c));
      out += escape;
    } else {
      out += c;
    }
  }
  out += '"';
}

// `after`: what stands before a scalar on its line.
void put(const Node& node, std::size_t depth, std::string_view after, std::string& out) {
  const std::string indent(2 * depth, ' ');
  switch (node.kind) {
    case Node::Kind::kNull:
      out += '\n';
      return;
    case Node::Kind::kScalar:
      out += after;
      put_scalar(node, out);
      out += '\n';
      return;
    case Node::Kind::kList:
      if (node.items.empty()) {
        out += std::string(after) + "[]\n";
        return;
      }
      out += '\n';
      for (const Node& item : node.items) {
        out += indent + '-';
        put(item, depth + 1, " ", out);
      }
      return;
    case Node::Kind::kMap:
      if (node.entries.empty()) {
        out += std::string(after) + "{}\n";
        return;
      }
      out += '\n';
      for (const Entry& entry : node.entries) {
        Node key;
        key.written = entry.key;
        out += indent;
        put_scalar(key, out);
        out += ':';
        put(entry.value, depth + 1, " ", out);
      }
  }
}

}  // namespace

std::string shown(const Node& root) {
  std::string out;
  put(root, 0, "", out);
  if (out.starts_with('\n')) out.erase(0, 1);
  return out;
}

}  // namespace holdfast::settings
