#include "settings/node.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <istream>
#include <streambuf>
#include <unordered_map>
#include <utility>

#include "settings/syntax_hint.h"

namespace holdfast::settings {
namespace {

// yaml-cpp wants a stream; this one reads the text where it lies.
class TextBuffer : public std::streambuf {
 public:
  explicit TextBuffer(std::string_view text) {
    char* begin = const_cast<char*>(text.data());  // streambuf's interface; never written to
    setg(begin, begin, begin + text.size());
  }
};

Mark to_mark(const YAML::Mark& mark) {
  if (mark.is_null()) return {};
  return {static_cast<unsigned>(mark.line) + 1, static_cast<unsigned>(mark.column) + 1};
}

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kNoBreakSpace = "\xC2\xA0";

// Leaves yaml-cpp's recursion, which knows no other way out.
struct Refused {
  Problem problem;
};

[[noreturn]] void refuse(const Mark& mark, std::string message) {
  throw Refused{{mark, "", std::move(message)}};
}

class TreeBuilder : public YAML::EventHandler {
 public:
  [[nodiscard]] Node take() { return std::move(root_); }
  // Of the last scalar in quotes, if there was one.
  [[nodiscard]] const std::optional<YAML::Mark>& last_quoted() const { return last_quoted_; }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    refuse_decoration(mark, "", anchor);
    Node node;
    node.mark = to_mark(mark);
    // where nothing is written, yaml-cpp's mark is that of what comes next, which may be lines below
    if (!open_.empty() && open_.back().awaits_value) {
      const Mark& key = open_.back().node.entries.back().mark;
      if (key.line != node.mark.line) node.mark = key;
    }
    add(std::move(node));
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    refuse(
        to_mark(mark),
        "a YAML alias (`*name`) is not accepted: write the value out, or in quotes where it begins with *");
  }

  void OnAnchor(const YAML::Mark& mark, const std::string&) override {
    refuse(to_mark(mark), "a YAML anchor (`&name`) is not accepted");
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_decoration(mark, tag, anchor);
    Node node;
    node.mark = to_mark(mark);
    node.quoted = tag == "!";
    if (node.quoted) last_quoted_ = mark;
    // the forms that YAML itself takes for null; yaml-cpp reports only a missing value as such
    if (!node.quoted && (value == "~" || value == "null" || value == "Null" || value == "NULL")) {
      add(std::move(node));
      return;
    }
    node.kind = Node::Kind::kScalar;
    node.text = value;
    node.written = value;
    add(std::move(node));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    refuse_decoration(mark, tag, anchor);
    open(Node::Kind::kList, mark);
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    refuse_decoration(mark, tag, anchor);
    open(Node::Kind::kMap, mark);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    Node node;
    bool awaits_value = false;  // of a map: its last entry has a key only
    std::unordered_map<std::string, Mark> keys;
  };

  static void refuse_decoration(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    if (anchor != YAML::NullAnchor) refuse(to_mark(mark), "a YAML anchor (`&name`) is not accepted");
    if (!tag.empty() && tag != "?" && tag != "!")
      refuse(to_mark(mark), "a YAML tag (`!name`) is not accepted");
  }

  void open(Node::Kind kind, const YAML::Mark& mark) {
    if (!open_.empty() && open_.back().node.kind == Node::Kind::kMap && !open_.back().awaits_value) {
      refuse(to_mark(mark), "a key must be a plain word, not a list or a map; or is a { or [ never closed?");
    }
    if (open_.size() >= kMaxDepth) {
      refuse(to_mark(mark), "nested more than " + std::to_string(kMaxDepth) + " levels deep");
    }
    Open opened;
    opened.node.kind = kind;
    opened.node.mark = to_mark(mark);
    open_.push_back(std::move(opened));
  }

  void close() {
    Node node = std::move(open_.back().node);
    open_.pop_back();
    add(std::move(node));
  }

  void add(Node node) {
    if (++nodes_ > kMaxNodes) refuse(node.mark, "more than " + std::to_string(kMaxNodes) + " values");
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == Node::Kind::kList) {
      parent.node.items.push_back(std::move(node));
    } else if (parent.awaits_value) {
      parent.node.entries.back().value = std::move(node);
      parent.awaits_value = false;
    } else {
      add_key(parent, std::move(node));
    }
  }

  static void add_key(Open& parent, Node key) {
    if (key.kind != Node::Kind::kScalar) refuse(key.mark, "a key must be a plain word");
    Entry entry;
    entry.mark = key.mark;
    const auto [first, fresh] = parent.keys.emplace(key.text, key.mark);
    if (!fresh) entry.repeated = first->second;
    entry.key = std::move(key.text);
    parent.node.entries.push_back(std::move(entry));
    parent.awaits_value = true;
  }

  Node root_;
  std::vector<Open> open_;
  std::size_t nodes_ = 0;
  std::optional<YAML::Mark> last_quoted_;
};

Mark mark_of(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const std::size_t newline = before.rfind('\n');
  const std::size_t column = newline == std::string_view::npos ? offset : offset - newline - 1;
  return {static_cast<unsigned>(std::count(before.begin(), before.end(), '\n')) + 1,
          static_cast<unsigned>(column) + 1};
}

// RFC 3629 4: how many bytes the character has that begins here; 0: it is none.
std::size_t utf8_length(std::string_view rest) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(rest[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
  if (length == 0 || rest.size() < length) return 0;
  // overlong forms, surrogates, and beyond U+10FFFF
  const unsigned char least = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  const unsigned char most = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  if (byte(1) < least || byte(1) > most) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if (byte(i) < 0x80 || byte(i) > 0xBF) return 0;
  }
  return length;
}

// yaml-cpp would take a NUL, a UTF-16 mark or a broken character for something else than the editor shows.
std::optional<Problem> refuse_bytes(std::string_view text) {
  if (text.size() > kMaxFileBytes) return Problem{{}, "", "the file is larger than 4 MiB"};
  if (text.starts_with("\xFE\xFF") || text.starts_with("\xFF\xFE")) {
    return Problem{{}, "", "the file is UTF-16; write it as UTF-8"};
  }
  std::size_t line_begin = 0;
  bool indents = true;
  for (std::size_t i = 0, length = 1; i < text.size(); i += length) {
    length = utf8_length(text.substr(i));
    if (length == 0) return Problem{mark_of(text, i), "", "the file is not valid UTF-8"};
    // pasted from a page; it looks like a space and would be the first letter of a key
    if (indents && text.substr(i, length) == kNoBreakSpace)
      return Problem{mark_of(text, i), "", "a no-break space indents this line, and YAML takes spaces only"};
    indents = text[i] == '\n' || (indents && text[i] == ' ');
    if (text[i] == '\n') {
      line_begin = i + 1;
      continue;
    }
    if (i != 0 && text.substr(i, length) == kByteOrderMark) {
      return Problem{mark_of(text, i), "", "a byte order mark is accepted at the beginning only"};
    }
    // yaml-cpp passes over such a line wherever it stands
    if (i == line_begin && text[i] == '%') {
      return Problem{mark_of(text, i), "", "a YAML directive (`%name`) is not accepted"};
    }
    if (i - line_begin >= kMaxLineBytes) {
      return Problem{mark_of(text, line_begin), "", "the line is longer than 64 KiB"};
    }
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte < 0x20 && byte != '\n' && byte != '\r' && byte != '\t') || byte == 0x7F) {
      return Problem{mark_of(text, i), "", "a control byte is not accepted"};
    }
  }
  return std::nullopt;
}

// yaml-cpp takes the end of the text for the end of a quoted scalar, so that a file cut off in one would
// pass.
bool is_never_closed(std::string_view text, const YAML::Mark& start) {
  const auto offset = static_cast<std::size_t>(start.pos);
  if (offset >= text.size() || (text[offset] != '\'' && text[offset] != '"')) return false;
  const char quote = text[offset];
  for (std::size_t i = offset + 1; i < text.size(); ++i) {
    if (text[i] == '\\' && quote == '"') {
      ++i;
    } else if (text[i] == quote) {
      if (quote == '"' || i + 1 == text.size() || text[i + 1] != quote) return false;
      ++i;  // doubled: a quote inside
    }
  }
  return true;
}

}  // namespace

const Node* Node::find(std::string_view key) const {
  const auto at =
      std::find_if(entries.begin(), entries.end(), [&](const Entry& entry) { return entry.key == key; });
  return at == entries.end() ? nullptr : &at->value;
}

std::string describe(const Node& node) {
  switch (node.kind) {
    case Node::Kind::kNull:
      return "empty";
    case Node::Kind::kList:
      return "a list";
    case Node::Kind::kMap:
      return "a map";
    case Node::Kind::kScalar:
      break;
  }
  return '"' + quotable(node.written) + '"';
}

std::expected<Node, Problem> parse_yaml(std::string_view text) {
  if (auto problem = refuse_bytes(text)) return std::unexpected(*std::move(problem));
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  TextBuffer buffer(text);
  std::istream in(&buffer);
  try {
    YAML::Parser parser(in);
    TreeBuilder builder;
    if (!parser.HandleNextDocument(builder)) return std::unexpected(Problem{{}, "", "the file is empty"});
    if (builder.last_quoted() && is_never_closed(text, *builder.last_quoted())) {
      return std::unexpected(
          Problem{to_mark(*builder.last_quoted()), "", "not valid YAML: the quote is never closed"});
    }
    Node root = builder.take();
    TreeBuilder next;
    // a word is no configuration anyway; what it lacks says more than that something stands below it
    if (root.kind != Node::Kind::kScalar && parser.HandleNextDocument(next)) {
      return std::unexpected(Problem{next.take().mark, "", "a second YAML document is not accepted"});
    }
    return root;
  } catch (const Refused& refused) {
    return std::unexpected(refused.problem);
  } catch (const YAML::Exception& broken) {
    const Mark mark = to_mark(broken.mark);
    return std::unexpected(
        Problem{mark, "", "not valid YAML: " + broken.msg + syntax_hint(text, mark, broken.msg)});
  }
}

}  // namespace holdfast::settings
