#include "support/damaged_configurations.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace holdfast::support {
namespace {

constexpr std::string_view kThreeLines =
    "issuer: https://id.example.com\naudience: orders-api\nupstream: http://127.0.0.1:8000\n";
constexpr std::size_t kMiB = 1024 * 1024;

std::string repeated(std::string_view piece, std::size_t count) {
  std::string out;
  out.reserve(piece.size() * count);
  for (std::size_t i = 0; i < count; ++i) out += piece;
  return out;
}

// As many as fill that many bytes.
std::string filled(std::string_view piece, std::size_t bytes) {
  return repeated(piece, bytes / piece.size());
}

class Collection {
 public:
  explicit Collection(std::string_view whole) : whole_(whole) {}

  void add(std::string name, std::string text, unsigned line = 0) {
    all_.push_back({std::move(name), [text = std::move(text)] { return text; }, line});
  }
  void add(std::string name, std::function<std::string()> text, unsigned line = 0) {
    all_.push_back({std::move(name), std::move(text), line});
  }
  // Behind three good lines, so that the damage begins on the fourth.
  void add_behind(std::string name, std::string_view text, unsigned line = 4) {
    add(std::move(name), std::string(kThreeLines).append(text), line);
  }

  void truncated();
  void wrong_types();
  void forms_of_yaml();
  void whitespace();
  void duplicates();
  void bytes();
  void documents();
  void large();
  void deep();
  void many();

  [[nodiscard]] std::vector<DamagedConfiguration> take() { return std::move(all_); }

 private:
  std::string whole_;
  std::vector<DamagedConfiguration> all_;
};

// Without its routes a configuration is none, however well it ends.
void Collection::truncated() {
  const std::size_t end = whole_.find("\nroutes:");
  for (std::size_t i = 0; i < 40; ++i) {
    const std::size_t at = end * i / 40;
    add("cut off at byte " + std::to_string(at), whole_.substr(0, at));
  }
  for (const char* open :
       {"issuer: \"https://id", "issuer: 'https", "routes: [", "routes: [{name: r", "routes:\n- {", "a: |\n",
        "routes:\n- name: r\n  match: {path: [/a,", "? ", "- ", "\"", "issuer"}) {
    add("cut off in " + std::string(open), open);
  }
}

void Collection::wrong_types() {
  for (const char* key : {"workers", "listeners", "issuers", "dpop", "upstreams", "routes", "identity",
                          "probes", "admin", "log", "cors", "reload", "shutdown"}) {
    for (const char* value : {"[[]]", "{x: {y: z}}", "\"\"", "~", "[~]", "-1e400", "2026-11-25"}) {
      // issuers and upstreams also get in the way of the shorthand before them
      const bool shorthand = std::string_view(key) == "issuers" || std::string_view(key) == "upstreams";
      add_behind(std::string(key) + " is " + value, std::string(key) + ": " + value + "\n",
                 shorthand ? 0 : 4);
    }
  }
}

void Collection::forms_of_yaml() {
  add_behind("an anchor", "log: &a {level: info}\n");
  add_behind("an anchor and an alias", "log: &a {level: info}\nreload: *a\n");
  add_behind("an alias of nothing", "log: *a\n");
  add_behind("an anchor of a key", "&a log: {level: info}\n");
  add_behind("an alias as a key", "*a : 1\n");
  add_behind("an anchored list", "workers: &a [1, 2]\n");
  add_behind("a merge key", "log: {<<: {level: info}}\n");
  add_behind("a merged alias", "base: &base {level: info}\nlog: {<<: *base}\n");
  std::string laughs = "a: &a [x, x, x, x, x, x, x, x, x]\n";
  for (char name = 'b'; name <= 'i'; ++name) {
    laughs += std::string(1, name) + ": &" + name + " [";
    for (int i = 0; i < 9; ++i) laughs += std::string(i == 0 ? "*" : ", *") + static_cast<char>(name - 1);
    laughs += "]\n";
  }
  add("a billion laughs", laughs, 1);
  add_behind("a tag", "workers: !!int 7\n");
  add_behind("a tag of its own", "workers: !env WORKERS\n");
  add_behind("a tag that runs code elsewhere", "log: !!python/object/apply:os.system [true]\n");
  add_behind("a verbatim tag", "log: !<tag:yaml.org,2002:map> {level: info}\n");
  add_behind("a tag without an end", "log: !<tag {level: info}\n");
  add_behind("a list as a key", "[a, b]: 1\n");
  add_behind("a map as a key", "{a: b}: 1\n");
  add_behind("a key in the long form", "? [a]\n: 1\n");
  add_behind("an empty key", ": 1\n");
  add_behind("a null key", "~: 1\n");
  add_behind("a set", "? a\n? b\n");
  add_behind("a comma too many", "log: {level: info,, access: all}\n");
  add_behind("no comma", "log: {level: info access: all}\n");
  add_behind("no colon", "log {level: info}\n");
  add_behind("no space behind the colon", "log:{level: info}\n");
  add_behind("two colons", "log: level: info\n");
  add_behind("a bracket that does not fit", "log: {level: info]\n");
  add_behind("a bracket too many", "log: {level: info}}\n");
  add_behind("a brace that closes nothing", "}\n");
  add_behind("an escape that is none", "log: {level: \"\\q\"}\n");
  add_behind("half an escape", "log: {level: \"\\u00\"}\n");
  add_behind("an escape of a surrogate", "log: {level: \"\\ud800\"}\n");
  add_behind("an escape beyond Unicode", "log: {level: \"\\U00110000\"}\n");
  add_behind("an escape of a NUL", "log: {level: \"\\0\"}\n");
  add_behind("a reserved character", "log: @info\n");
  add_behind("a backtick", "log: `info`\n");
  add_behind("a percent sign", "%log: 1\n");
  add_behind("a block scalar with a bad header", "log: |x\n  a\n");
  add_behind("a block scalar in flow", "log: {level: |\n info}\n");
  add_behind("a list in the place of a value", "log: - info\n");
  add_behind("a list between keys", "- a\n");
  add_behind("text behind a quote", "log: \"a\" b\n");
}

void Collection::whitespace() {
  add_behind("a tab as indentation", "log:\n\tlevel: info\n", 5);
  add_behind("a tab behind spaces", "log:\n  \tlevel: info\n", 5);
  add_behind("a tab before a list", "routes:\n\t- {name: r}\n", 5);
  add_behind("a tab in the place of the space", "log:\t{lev: info}\n");
  add_behind("indentation that falls between", "log:\n    level: info\n  access: all\n", 0);
  add_behind("indentation that rises", "log:\n  level: info\n    access: all\n", 0);
  add_behind("a key that is indented", "  log: {level: info}\n", 0);
  add_behind("a list that is not indented", "log:\n- level\n", 5);
  add("old Mac line ends", "issuer: https://id.example.com\raudience: a\rupstream: http://127.0.0.1\r");
  add("CRLF and a mistake",
      "issuer: https://id.example.com\r\naudience: a\r\nupstream: http://127.0.0.1\r\nlog: 1\r\n", 4);
  add("a lone CR in a value",
      "issuer: \"https://id.example\r.com\"\naudience: a\nupstream: http://127.0.0.1\n");
  add("nothing", "");
  add("spaces", "    \n   \n");
  add("line feeds", "\n\n\n\n");
  add("a comment", "# nothing else\n");
  add("a tab", "\t");
}

void Collection::duplicates() {
  for (const char* key : {"issuer: https://id.example.com", "audience: a", "upstream: http://127.0.0.1"}) {
    add_behind("twice " + std::string(key), std::string(key) + '\n');
  }
  add_behind("a key twice in a map", "log: {level: info, level: info}\n");
  add_behind("a key twice in a list's map", "routes:\n- name: a\n  name: a\n", 6);
  add_behind("a key twice, once in quotes", "log: {level: info, 'level': info}\n");
  add_behind("a key twice, once escaped", "log: {level: info, \"\\x6cevel\": info}\n");
  add_behind("a key ten thousand times", repeated("log: {level: info}\n", 10'000), 5);
  add_behind("an unknown key twice", "x: 1\nx: 1\n");
}

void Collection::bytes() {
  const std::string good(kThreeLines);
  for (const std::size_t at : {std::size_t{0}, std::size_t{7}, good.size() / 2, good.size()}) {
    std::string text = good;
    add("a NUL at byte " + std::to_string(at), text.insert(at, 1, '\0'));
  }
  add("NULs", std::string(1000, '\0'), 1);
  for (const char c : {'\x01', '\x07', '\x08', '\x0B', '\x0C', '\x1B', '\x1F', '\x7F'}) {
    add_behind("control byte " + std::to_string(static_cast<int>(c)),
               std::string("log: {level: \"a") + c + "\"}\n");
  }
  for (const char* broken :
       {"\x80", "\xBF", "\xC0\xAF", "\xC3", "\xC3\x28", "\xE2\x82", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF",
        "\xF4\x90\x80\x80", "\xF8\x88\x80\x80\x80", "\xFE", "\xFF\xFF"}) {
    add_behind("bytes that are no UTF-8", "log: {level: \"" + std::string(broken) + "\"}\n");
    add_behind("bytes that are no UTF-8 in a comment", "# " + std::string(broken) + "\n");
  }
  add("Latin-1",
      "# Gr\xFC\xDF"
      "e\n" +
          good,
      1);
  std::string wide_little = "\xFF\xFE";
  std::string wide_big = "\xFE\xFF";
  std::string wider = std::string("\xFF\xFE\0\0", 4);
  for (const char c : good) {
    wide_little.append({c, '\0'});
    wide_big.append({'\0', c});
    wider.append({c, '\0', '\0', '\0'});
  }
  add("UTF-16, little end first", wide_little);
  add("UTF-16, big end first", wide_big);
  add("UTF-16 without a mark", wide_little.substr(2));
  add("UTF-32", wider);
  add("two byte order marks", "\xEF\xBB\xBF\xEF\xBB\xBF" + good);
  add_behind("a byte order mark in the middle", "\xEF\xBB\xBFlog: {level: info}\n");
  add("half a byte order mark", "\xEF\xBB" + good, 1);
  add_behind("a no-break space as indentation", "log:\n\xC2\xA0 level: info\n", 5);
  add_behind("a line separator", "log: {level: info\xE2\x80\xA8}\n");
  std::string noise;
  unsigned state = 1;
  for (int i = 0; i < 4096; ++i) {
    state = state * 1103515245 + 12345;
    noise += static_cast<char>(state >> 16);
  }
  add("noise", noise);
  add("an ELF file", std::string("\x7F"
                                 "ELF\x02\x01\x01\0\0\0\0\0\0\0\0\0",
                                 16) +
                         noise);
  add("gzip", "\x1F\x8B\x08" + noise);
  add("JSON with a comment", "{\"issuer\": \"https://id\", // here\n \"audience\": \"a\"}");
  add("XML", "<holdfast><issuer>https://id</issuer></holdfast>\n");
  add("TOML", "issuer = \"https://id\"\n[routes]\nname = \"a\"\n");
  add("a page of HTML", "<!DOCTYPE html>\n<html><head><title>404</title></head></html>\n");
}

void Collection::documents() {
  const std::string good(kThreeLines);
  add("two documents", good + "---\n" + good);
  add("an end and more", good + "...\n" + good);
  add("an empty second document", good + "---\n");
  add("ten thousand documents", repeated("---\na: 1\n", 10'000));
  add("directives", "%YAML 9.9\n---\n" + good);
  add("a directive that nobody knows", "%FOO\n" + good);
  add("a tag directive", "%TAG ! tag:example.com,2000:\n---\nissuer: !x y\n");
  add("a list", "- a\n- b\n", 1);
  add("a word", "holdfast\n", 1);
  add("a number", "7\n", 1);
  add("null", "null\n", 1);
  add("quotes", "\"\"\n", 1);
}

void Collection::large() {
  const std::string good(kThreeLines);
  constexpr std::size_t kHuge = 50 * kMiB;
  add("50 MiB of spaces", [] { return std::string(kHuge, ' '); });
  add("50 MiB of line feeds", [] { return std::string(kHuge, '\n'); });
  add("50 MiB of NULs", [] { return std::string(kHuge, '\0'); });
  add("50 MiB of [", [] { return std::string(kHuge, '['); });
  add("50 MiB of keys", [] { return filled("a: 1\n", kHuge); });
  add("50 MiB of comments behind a good file", [good] { return good + filled("# a\n", kHuge); });
  add("50 MiB of one value", [good] { return good + "log: \"" + std::string(kHuge, 'x') + "\"\n"; });
  add("a byte over 4 MiB", [good] { return good + filled("#\n", 4 * kMiB - good.size()) + "#\n"; });
  // as much as is looked at
  constexpr std::size_t kMost = 4 * kMiB - 4096;
  add("4 MiB of one line", [good] { return good + "log: " + std::string(kMost, 'x') + "\n"; }, 4);
  add(
      "4 MiB of one quoted scalar",
      [good] { return good + "log: \"" + filled("xxxxxxx\n ", kMost) + "\"\n"; }, 4);
  add("4 MiB of one block scalar", [good] { return good + "log: |\n" + filled(" xxxxxxx\n", kMost); }, 4);
  add("4 MiB of one folded scalar", [good] { return good + "log: >\n" + filled(" xxxxxxx\n\n", kMost); }, 4);
  add("4 MiB of one plain scalar", [good] { return good + "log: a\n" + filled("  xxxxxxx\n", kMost); }, 4);
  add(
      "4 MiB of one scalar that is never closed", [good] { return good + "log: '" + filled("''\n ", kMost); },
      4);
  add("4 MiB of a key", [] { return "? " + filled("xxxxxxx\n  ", kMost) + "\n: 1\n"; });
  add("a key of 64 KiB", [good] { return good + std::string(60'000, 'k') + ": 1\n"; }, 4);
  add("4 MiB of comments and no more", [] { return filled("# xxxxxxxx\n", kMost); });
  add(
      "4 MiB of dollars", [good] { return good + "log: {level: \"" + filled("$$$$$$$\n ", kMost) + "\"}\n"; },
      4);
  add(
      "4 MiB of variables",
      [good] { return good + "log: {level: \"" + filled("${A:-b}\n ", kMost) + "\"}\n"; }, 4);
}

void Collection::deep() {
  const std::string good(kThreeLines);
  add("65 levels of [", std::string(65, '[') + std::string(65, ']'));
  add("60,000 levels of [", std::string(60'000, '['));
  add("60,000 levels of {", std::string(60'000, '{'));
  add("30,000 levels of {a: ", filled("{a: ", 60'000));
  add("20,000 levels of [{a: ", filled("[{a: ", 60'000));
  add("levels of [ on lines of their own",
      [good] { return good + "log: " + filled("[\n ", 4 * kMiB - 4096); });
  add("levels of -", filled("- ", 60'000));
  add("levels of ?", filled("? ", 60'000));
  std::string stairs;
  for (std::size_t i = 0; i < 300; ++i) stairs += std::string(i, ' ') + "a:\n";
  add("300 steps of maps", stairs);
  std::string lists;
  for (std::size_t i = 0; i < 300; ++i) lists += std::string(i, ' ') + "-\n";
  add("300 steps of lists", lists);
}

// As much as may be, of what is looked at closely.
void Collection::many() {
  const std::string good(kThreeLines);
  constexpr std::size_t kMost = 4 * kMiB - 4096;
  constexpr std::size_t kNodes = 240'000;
  const auto head = [](std::string_view before, std::string_view piece, std::size_t nodes) {
    return std::string(before) + repeated(piece, std::min(kNodes / nodes, kMost / piece.size()));
  };
  add("unknown keys", [head] { return head("", "x: 1\n", 2); });
  add(
      "different unknown keys",
      [good] {
        std::string text = good;
        for (int i = 0; i < 100'000; ++i) text += "issuer" + std::to_string(i) + ": 1\n";
        return text;
      },
      4);
  for (const char* list : {"listeners", "issuers", "upstreams", "routes"}) {
    add("empty maps under " + std::string(list), [=] { return head(good + list + ":\n", "- {}\n", 1); });
    add("words under " + std::string(list), [=] { return head(good + list + ":\n", "- a\n", 1); });
    add("names alone under " + std::string(list),
        [=] { return head(good + list + ":\n", "- {name: a}\n", 2); });
  }
  add("too many values", [good] { return good + "log:\n" + repeated("- a\n", 300'000); });
  add("listeners at one address", [head] {
    return head(std::string(kThreeLines) + "listeners:\n", "- {name: a, address: ':1', tls: off}\n", 4);
  });
  add("listeners at addresses of their own", [good] {
    std::string text = good + "listeners:\n";
    for (int i = 1; i < 40'000; ++i) {
      text += "- {name: a" + std::to_string(i) + ", address: ':" + std::to_string(i) + "', tls: off}\n";
    }
    return text + "x: 1\n";
  });
  const std::string listeners = "listeners: [{name: a, address: ':1', tls: off}]\n";
  const std::string issuers = "issuers: [{name: i, url: 'https://id', audiences: any}]\n";
  const std::string upstreams = "upstreams: [{name: u, servers: 'http://127.0.0.1'}]\n";
  add("routes that never match", [=] {
    std::string text = listeners + issuers + upstreams + "routes:\n";
    for (int i = 0; i < 40'000; ++i) text += "- {name: r" + std::to_string(i) + "}\n";
    return text;
  });
  const auto crowded = [=](int names, int routes) {
    const auto list = [names](const std::string& before, const std::string& behind) {
      std::string out;
      for (int i = 0; i < names; ++i) out += (i == 0 ? "" : ",\n  ") + before + std::to_string(i) + behind;
      return '[' + out + ']';
    };
    const std::string match = "match: {host: " + list("h", ".example") + ", path: " + list("/p", "") +
                              ", methods: " + list("M", "") + "}";
    std::string text = listeners + issuers + upstreams + "routes:\n- {name: all}\n";
    for (int i = 0; i < routes; ++i) text += "- name: r" + std::to_string(i) + "\n  " + match + "\n";
    return text + "x: 1\n";
  };
  add("routes by many names that never match", [=] { return crowded(800, 40); });
  add("routes by as many names as may be", [=] { return crowded(70, 40); });
  add("issuers that dangle", [=] {
    std::string text = listeners + upstreams + "issuers:\n";
    for (int i = 0; i < 25'000; ++i) {
      const std::string number = std::to_string(i);
      text += "- {name: i" + number + ", url: 'https://" + number + ".example', audiences: any}\n";
    }
    text += "routes:\n";
    for (int i = 0; i < 25'000; ++i) text += "- {name: r, issuers: [j" + std::to_string(i) + "]}\n";
    return text;
  });
  add("one route of many issuers", [=] {
    std::string text = listeners + upstreams + "issuers:\n";
    std::string named;
    for (int i = 0; i < 40'000; ++i) {
      const std::string number = std::to_string(i);
      text += "- {name: i" + number + ", url: 'https://" + number + ".example', audiences: any}\n";
      named += "  - i" + number + "\n";
    }
    return text + "routes:\n- name: r\n  issuers:\n" + named + "  - i7\n";
  });
  add("upstreams that nobody uses", [=] {
    std::string text = listeners + issuers + "upstreams:\n";
    for (int i = 0; i < 60'000; ++i)
      text += "- {name: u" + std::to_string(i) + ", servers: 'http://127.0.0.1'}\n";
    return text + "routes: [{name: r}]\n";
  });
  for (const char* key : {"audience", "dpop: {algorithms"}) {
    add("a long list under " + std::string(key), [=] {
      return "issuer: https://id.example.com\nupstream: http://127.0.0.1\n" + std::string(key) + ": [\n" +
             repeated("  ES256,\n", 200'000) + "]" + (std::string_view(key).contains('{') ? "}" : "") + "\n";
    });
  }
  add("a long list of different names", [] {
    std::string text = "issuer: https://id.example.com\nupstream: http://127.0.0.1\naudience:\n";
    for (int i = 0; i < 200'000; ++i) text += "- a" + std::to_string(i) + "\n";
    return text + "- a7\n";
  });
  add("variables that are not set",
      [head] { return head("issuer: [\n", "'${HOLDFAST_NOT_SET}',\n", 1) + "]\n"; });
  add("variables without an end", [head] { return head("issuer: [\n", "'${',\n", 1) + "]\n"; });
}

}  // namespace

std::vector<DamagedConfiguration> damaged_configurations(std::string_view whole) {
  Collection all(whole);
  all.truncated();
  all.wrong_types();
  all.forms_of_yaml();
  all.whitespace();
  all.duplicates();
  all.bytes();
  all.documents();
  all.large();
  all.deep();
  all.many();
  return all.take();
}

}  // namespace holdfast::support
