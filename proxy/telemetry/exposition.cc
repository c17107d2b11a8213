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

void Exposition::histogram(Label label, std::span<const double> bounds, std::span<const std::uint64_t> counts,
                           double sum) {
  std::uint64_t so_far = 0;
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    so_far += counts[i];
    std::array<char, 32> bound{};
    const auto end =
        std::to_chars(bound.data(), bound.data() + bound.size(), bounds[i], std::chars_format::fixed).ptr;
    sample({label, {"le", std::string_view(bound.data(), end)}}, so_far, "_bucket");
  }
  so_far += counts.back();
  sample({label, {"le", "+Inf"}}, so_far, "_bucket");
  sample({label}, sum, "_sum");
  sample({label}, so_far, "_count");
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
