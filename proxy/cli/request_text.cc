#include "cli/request_text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/ascii.h"

namespace holdfast::cli {
namespace {

using Failure = std::unexpected<std::string>;

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// Words as POSIX shells part them (Shell Command Language 2.2), and $'...' of the next issue of it.
class Words {
 public:
  explicit Words(std::string_view text) : rest_(text) {}

  std::expected<std::vector<std::string>, std::string> all() {
    std::vector<std::string> words;
    while (skip_blanks()) {
      std::string word;
      if (auto why = take(word)) return Failure(*why);
      words.push_back(std::move(word));
    }
    return words;
  }

 private:
  // false: there is no more.
  bool skip_blanks() {
    while (!rest_.empty()) {
      if (is_blank(rest_[0])) {
        rest_.remove_prefix(1);
      } else if (rest_.starts_with("\\\n")) {
        rest_.remove_prefix(2);
      } else if (rest_.starts_with("\\\r\n")) {
        rest_.remove_prefix(3);
      } else {
        break;
      }
    }
    return !rest_.empty() && !std::string_view(";&|\n").contains(rest_[0]);
  }
  char next() {
    const char c = rest_[0];
    rest_.remove_prefix(1);
    return c;
  }
  std::optional<std::string> take(std::string& word) {
    while (!rest_.empty() && !is_blank(rest_[0]) && !std::string_view(";&|<>").contains(rest_[0])) {
      std::optional<std::string> why;
      if (rest_.starts_with("$'")) {
        rest_.remove_prefix(2);
        why = ansi(word);
      } else if (rest_[0] == '$' || rest_[0] == '`') {
        why = unreplaced();
      } else if (rest_[0] == '\'') {
        next();
        why = single(word);
      } else if (rest_[0] == '"') {
        next();
        why = quoted(word);
      } else if (rest_[0] == '\\' && rest_.size() > 1) {
        next();
        word += next();
      } else {
        word += next();
      }
      if (why) return why;
    }
    if (!rest_.empty() && std::string_view("<>").contains(rest_[0]))
      return "the command redirects, which only a shell can do";
    return std::nullopt;
  }
  std::optional<std::string> single(std::string& word) {
    const std::size_t end = rest_.find('\'');
    if (end == std::string_view::npos) return "a quote is never closed";
    word += rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return std::nullopt;
  }
  std::optional<std::string> quoted(std::string& word) {
    while (!rest_.empty()) {
      const char c = next();
      if (c == '"') return std::nullopt;
      if (c == '`' ||
          (c == '$' && !rest_.empty() && (is_alpha(rest_[0]) || std::string_view("({_").contains(rest_[0]))))
        return unreplaced();
      if (c == '\\' && !rest_.empty() && std::string_view("\\\"$`\n").contains(rest_[0])) {
        const char escaped = next();
        if (escaped != '\n') word += escaped;
      } else {
        word += c;
      }
    }
    return "a quote is never closed";
  }
  std::optional<std::string> ansi(std::string& word) {
    while (!rest_.empty()) {
      const char c = next();
      if (c == '\'') return std::nullopt;
      if (c != '\\') {
        word += c;
        continue;
      }
      if (rest_.empty()) break;
      const char escaped = next();
      if (escaped == 'n') {
        word += '\n';
      } else if (escaped == 'r') {
        word += '\r';
      } else if (escaped == 't') {
        word += '\t';
      } else if (std::string_view("\\'\"?").contains(escaped)) {
        word += escaped;
      } else {
        return "an escape in $'...' is none of \\n \\r \\t \\\\ \\' \\\"";
      }
    }
    return "a quote is never closed";
  }
  static std::string unreplaced() {
    return "the command holds $ or `, which a shell would replace: give what it sends, with all put in";
  }

  std::string_view rest_;
};

enum class Means : std::uint8_t {
  kNothing,
  kMethod,
  kField,
  kData,
  kRawData,
  kEncodedData,
  kJson,
  kHead,
  kGet,
  kUrl,
  kBearer,
  kAgent,
  kReferer,
  kCookie,
  kCertificate
};

struct Option {
  std::string_view name;
  char letter;
  bool has_value;
  Means means;
};

// Of curl's options the ones that change the request, and those around them that change nothing in it.
constexpr auto kOptions = std::to_array<Option>({
    {"request", 'X', true, Means::kMethod},
    {"header", 'H', true, Means::kField},
    {"data", 'd', true, Means::kData},
    {"data-raw", 0, true, Means::kRawData},
    {"data-ascii", 0, true, Means::kData},
    {"data-binary", 0, true, Means::kData},
    {"data-urlencode", 0, true, Means::kEncodedData},
    {"json", 0, true, Means::kJson},
    {"head", 'I', false, Means::kHead},
    {"get", 'G', false, Means::kGet},
    {"url", 0, true, Means::kUrl},
    {"oauth2-bearer", 0, true, Means::kBearer},
    {"user-agent", 'A', true, Means::kAgent},
    {"referer", 'e', true, Means::kReferer},
    {"cookie", 'b', true, Means::kCookie},
    {"output", 'o', true, Means::kNothing},
    {"write-out", 'w', true, Means::kNothing},
    {"dump-header", 'D', true, Means::kNothing},
    {"cookie-jar", 'c', true, Means::kNothing},
    {"max-time", 'm', true, Means::kNothing},
    {"connect-timeout", 0, true, Means::kNothing},
    {"cacert", 0, true, Means::kNothing},
    {"cert", 'E', true, Means::kCertificate},
    {"key", 0, true, Means::kNothing},
    {"capath", 0, true, Means::kNothing},
    {"resolve", 0, true, Means::kNothing},
    {"connect-to", 0, true, Means::kNothing},
    {"retry", 0, true, Means::kNothing},
    {"insecure", 'k', false, Means::kNothing},
    {"silent", 's', false, Means::kNothing},
    {"show-error", 'S', false, Means::kNothing},
    {"verbose", 'v', false, Means::kNothing},
    {"include", 'i', false, Means::kNothing},
    {"fail", 'f', false, Means::kNothing},
    {"fail-with-body", 0, false, Means::kNothing},
    {"location", 'L', false, Means::kNothing},
    {"compressed", 0, false, Means::kNothing},
    {"no-buffer", 'N', false, Means::kNothing},
    {"globoff", 'g', false, Means::kNothing},
    {"path-as-is", 0, false, Means::kNothing},
    {"http1.1", 0, false, Means::kNothing},
    {"http2", 0, false, Means::kNothing},
    {"http2-prior-knowledge", 0, false, Means::kNothing},
    {"no-progress-meter", 0, false, Means::kNothing},
    {"tlsv1.2", 0, false, Means::kNothing},
    {"tlsv1.3", 0, false, Means::kNothing},
    {"ipv4", '4', false, Means::kNothing},
    {"ipv6", '6', false, Means::kNothing},
});

struct Command {
  std::string method;
  std::string url;
  std::vector<std::string> fields;
  std::optional<std::string> data;
  bool json = false;
  bool head = false;
  bool get = false;
};

// curl: "CONTENT", "=CONTENT" or "NAME=CONTENT", of which the content is encoded.
std::string encoded_data(std::string_view value) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  const std::size_t content = value.find('=') + 1;  // 0 where there is none
  std::string out(value.substr(0, content));
  if (content == 1) out.clear();
  for (const char c : value.substr(content)) {
    if (is_alpha(c) || is_digit(c) || std::string_view("-._~").contains(c)) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += {'%', kHex[byte >> 4], kHex[byte & 0xF]};
  }
  return out;
}

void append_data(Command& command, std::string value) {
  command.data = command.data ? *command.data + '&' + value : std::move(value);
}

std::optional<std::string> apply(Command& command, Means means, std::string value) {
  constexpr const char* kFromFile =
      "data from a file (@...) is not read: its length decides nothing, so leave it out";
  switch (means) {
    case Means::kMethod:
      command.method = std::move(value);
      break;
    case Means::kField:
      command.fields.push_back(std::move(value));
      break;
    case Means::kJson:
      command.json = true;
      [[fallthrough]];
    case Means::kData:
      if (value.starts_with('@')) return kFromFile;
      append_data(command, std::move(value));
      break;
    case Means::kRawData:
      append_data(command, std::move(value));
      break;
    case Means::kEncodedData:
      if (value.find('@') < value.find('=')) return kFromFile;
      append_data(command, encoded_data(value));
      break;
    case Means::kHead:
      command.head = true;
      break;
    case Means::kGet:
      command.get = true;
      break;
    case Means::kUrl:
      if (!command.url.empty()) return "the command has two URLs";
      command.url = std::move(value);
      break;
    case Means::kBearer:
      command.fields.push_back("Authorization: Bearer " + value);
      break;
    case Means::kAgent:
      command.fields.push_back("User-Agent: " + value);
      break;
    case Means::kReferer:
      command.fields.push_back("Referer: " + value);
      break;
    case Means::kCookie:
      command.fields.push_back("Cookie: " + value);
      break;
    case Means::kCertificate:
      return "the client's certificate is not read from the command: leave --cert out, and give a PEM file "
             "by --client-certificate";
    case Means::kNothing:
      break;
  }
  return std::nullopt;
}

std::string unknown(const std::string& option) {
  return "curl's option " + option + " is not understood here; leave it out, or give the raw request";
}

std::expected<Command, std::string> read_command(const std::vector<std::string>& words) {
  Command command;
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (!word.starts_with('-') || word == "-") {
      if (auto why = apply(command, Means::kUrl, word)) return Failure(*why);
      continue;
    }
    const auto value = [&](const Option& option) -> std::expected<std::string, std::string> {
      if (!option.has_value) return std::string();
      if (i + 1 == words.size())
        return Failure("curl's option --" + std::string(option.name) + " has no value");
      return words[++i];
    };
    if (word.starts_with("--")) {
      const auto option = std::ranges::find(kOptions, std::string_view(word).substr(2), &Option::name);
      if (option == kOptions.end()) return Failure(unknown(word.substr(0, word.find('='))));
      auto given = value(*option);
      if (!given) return Failure(given.error());
      if (auto why = apply(command, option->means, *std::move(given))) return Failure(*why);
      continue;
    }
    // -sSH 'name: value', -XPOST
    for (std::size_t at = 1; at < word.size(); ++at) {
      const auto option = std::ranges::find(kOptions, word[at], &Option::letter);
      if (option == kOptions.end()) return Failure(unknown(std::string("-") + word[at]));
      std::string given;
      if (option->has_value && at + 1 < word.size()) {
        given = word.substr(at + 1);
        at = word.size();
      } else {
        auto next = value(*option);
        if (!next) return Failure(next.error());
        given = *std::move(next);
      }
      if (auto why = apply(command, option->means, std::move(given))) return Failure(*why);
    }
  }
  if (command.url.empty()) return Failure("the command has no URL");
  return command;
}

bool has_field(const Command& command, std::string_view name) {
  return std::ranges::any_of(command.fields, [name](const std::string& field) {
    return iequals(trim_ows(std::string_view(field).substr(0, field.find(':'))), name);
  });
}

std::expected<RequestText, std::string> request_of(Command command) {
  RequestText out;
  std::string url = std::move(command.url);
  url.resize(std::min(url.find('#'), url.size()));
  const std::size_t colon = url.find("://");
  out.scheme = colon == std::string::npos ? "http" : to_lower(url.substr(0, colon));
  if (out.scheme != "http" && out.scheme != "https") return Failure("the URL is neither http nor https");
  if (colon != std::string::npos) url.erase(0, colon + 3);
  const std::size_t end = std::min(url.find_first_of("/?"), url.size());
  const std::string authority = url.substr(0, end);
  if (authority.empty() || authority.contains('@')) return Failure("the URL has no host, or a user in it");
  std::string target = url.substr(end);
  if (!target.starts_with('/')) target.insert(0, "/");
  if (command.get && command.data) {
    target += (target.contains('?') ? '&' : '?') + *command.data;
    command.data.reset();
  }
  if (command.method.empty()) command.method = command.head ? "HEAD" : command.data ? "POST" : "GET";
  out.bytes = command.method + ' ' + target + " HTTP/1.1\r\n";
  if (!has_field(command, "host")) out.bytes += "Host: " + authority + "\r\n";
  for (const std::string& field : command.fields) {
    if (field.starts_with('@'))
      return Failure("fields from a file (@...) are not read: give them by --header");
    // curl: "Name;" is a field without a value, "Name:" removes one of its own
    if (field.ends_with(';') && !field.contains(':')) {
      out.bytes += field.substr(0, field.size() - 1) + ":\r\n";
    } else if (!field.ends_with(':')) {
      out.bytes += field + "\r\n";
    }
  }
  if (command.data) {
    if (!has_field(command, "content-type")) {
      out.bytes += command.json ? "Content-Type: application/json\r\n"
                                : "Content-Type: application/x-www-form-urlencoded\r\n";
    }
    out.bytes += "Content-Length: " + std::to_string(command.data->size()) + "\r\n\r\n" + *command.data;
  } else {
    out.bytes += "\r\n";
  }
  return out;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

bool has_version(std::string_view line) {
  const std::string_view last = line.substr(std::min(line.rfind(' ') + 1, line.size()));
  return last.size() < line.size() && last.starts_with("HTTP/");
}

// What `curl -v` printed, if this is it: what stands before the request (its own words, a progress meter) is
// anything but a request line.
std::optional<std::string> told_by_curl(std::string_view text) {
  std::string request;
  for (std::string_view line : lines_of(text)) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with("> ") && (!request.empty() || has_version(line))) {
      request.append(line.substr(2)) += '\n';
    } else if (line == ">" && !request.empty()) {
      request += '\n';
      return request;
    } else if (request.empty() && has_version(line) && !line.starts_with("* ")) {
      return std::nullopt;
    }
  }
  return request.empty() ? std::nullopt : std::optional(request);
}

RequestText typed(std::string_view text) {
  while (!text.empty() && is_blank(text[0])) text.remove_prefix(1);
  RequestText out;
  bool in_body = false;
  for (const std::string_view line : lines_of(text)) {
    if (in_body) {
      out.bytes.append(line) += '\n';
      continue;
    }
    std::string_view version;
    if (out.bytes.empty()) version = line.substr(std::min(line.rfind(' ') + 1, line.size()));
    if (version == "HTTP/2" || version == "HTTP/2.0" || version == "HTTP/3") {
      out.bytes.append(line.substr(0, line.size() - version.size())) += "HTTP/1.1";
    } else {
      out.bytes += line;
    }
    out.bytes += "\r\n";
    in_body = line.empty();
  }
  if (!in_body) out.bytes += "\r\n";
  return out;
}

// Of an absolute request target.
std::string scheme_of(std::string_view bytes) {
  const std::string_view line = bytes.substr(0, bytes.find('\n'));
  const std::string_view target = line.substr(std::min(line.find(' ') + 1, line.size()));
  for (const char* scheme : {"https", "http"}) {
    if (to_lower(target.substr(0, 8)).starts_with(std::string(scheme) + "://")) return scheme;
  }
  return {};
}

}  // namespace

std::expected<RequestText, std::string> read_request(std::string_view text) {
  if (text.size() > kMaxRequestText) return Failure("the request is larger than 1 MiB");
  std::string_view begin = text;
  while (!begin.empty() && is_blank(begin[0])) begin.remove_prefix(1);
  if (begin.starts_with("$ ")) begin.remove_prefix(2);
  if (begin.starts_with("curl ") || begin.starts_with("curl\\") || begin.starts_with("curl\t")) {
    const auto words = Words(begin).all();
    if (!words) return Failure(words.error());
    auto command = read_command(*words);
    if (!command) return Failure(command.error());
    return request_of(*std::move(command));
  }
  if (begin.empty()) return Failure("there is no request in it");
  RequestText out;
  if (const auto told = told_by_curl(begin)) {
    out = typed(*told);
  } else if (text.contains('\r')) {
    out.bytes = text;
  } else {
    if (!has_version(begin.substr(0, begin.find('\n'))))
      return Failure("it is no curl command, and its first line has no HTTP version");
    out = typed(text);
  }
  out.scheme = scheme_of(out.bytes);
  return out;
}

}  // namespace holdfast::cli
