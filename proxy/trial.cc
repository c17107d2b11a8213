#include "trial.h"

#include <cstddef>
#include <exception>
#include <memory>
#include <string>

#include "parts/part_configs.h"

namespace holdfast {
namespace {

template <class Make>
void attempt(std::string path, std::vector<cli::Unusable>& failed, Make make) {
  try {
    make();
  } catch (const std::exception& error) {
    failed.push_back({std::move(path), error.what()});
  }
}

std::string tls_of(std::string_view list, std::size_t index) {
  return std::string(list) + '[' + std::to_string(index) + "].tls";
}

}  // namespace

std::vector<cli::Unusable> try_out(const settings::Settings& settings) {
  std::vector<cli::Unusable> failed;
  for (std::size_t i = 0; i < settings.listeners.size(); ++i) {
    attempt(tls_of("listeners", i), failed, [&] {
      (void)parts::listener_config(settings.listeners[i], i, 1, std::make_shared<listener::ClientTally>(),
                                   nullptr);
    });
  }
  for (std::size_t i = 0; i < settings.upstreams.size(); ++i) {
    attempt(tls_of("upstreams", i), failed, [&] { (void)parts::upstream_config(settings.upstreams[i]); });
  }
  return failed;
}

}  // namespace holdfast
