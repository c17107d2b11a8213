// Prometheus's text format (version 0.0.4), written family by family. Pure; one thread at a time.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace holdfast::telemetry {

struct Label {
  std::string_view name;
  std::string_view value;
};
using Labels = std::initializer_list<Label>;

class Exposition {
 public:
  // `type` is counter, gauge or histogram. The family's samples follow at once.
  void family(std::string_view name, std::string_view type, std::string_view help);
  // A sample of the family begun last, its name followed by `suffix` (_bucket, _sum, _count).
  void sample(Labels labels, std::uint64_t value, std::string_view suffix = {});
  void sample(Labels labels, double value, std::string_view suffix = {});

  // The samples of one histogram in the family begun last. `counts` are not cumulated, and one more than
  // `bounds`: the last are those beyond all of them. `label` stands beside `le`.
  void histogram(Label label, std::span<const double> bounds, std::span<const std::uint64_t> counts,
                 double sum);

  // A family of one sample.
  void single(std::string_view name, std::string_view type, std::string_view help, Labels labels,
              std::uint64_t value);

  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  void head(Labels labels, std::string_view suffix);

  std::string family_;
  std::string text_;
};

}  // namespace holdfast::telemetry
