#include "telemetry/exposition.h"

#include <array>
#include <charconv>

namespace holdfast::telemetry {

void Exposition::family(std::string_view name, std::string_view type, std::string_view help) {
  family_ = name;
  text_.append("# HELP ").append(name).append(" ").append(help).append("\n# TYPE ");
  text_.append(name).append(" ").append(type).append("\n");
}

void Exposition::sample(Labels labels, std::uint64_t value, std::string_view suffix) {
  head(labels, suffix);
  text_ += std::to_string(value) + '\n';
}

void Exposition::sample(Labels labels, double value, std::string_view suffix) {
  head(labels, suffix);
  std::array<char, 32> digits{};
  text_.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr) += '\n';
}

void Exposition::single(std::string_view name, std::string_view type, std::string_view help, Labels labels,
                        std::uint64_t value) {
  family(name, type, help);
  sample(labels, value);
}

void Exposition::head(Labels labels, std::string_view suffix) {
  text_.append(family_).append(suffix);
  char separator = '{';
  for (const Label& label : labels) {
    text_ += separator;
    separator = ',';
    text_.append(label.name).append("=\"");
    for (const char c : label.value) {
      if (c == '\\' || c == '"') text_ += '\\';
      c == '\n' ? text_.append("\\n") : text_.append(1, c);
    }
    text_ += '"';
  }
  text_ += labels.size() > 0 ? "} " : " ";
}

}  // namespace holdfast::telemetry
