// Comparing `htu`: see the header.
#include "dpop/htu.h"

#include "http/target_uri.h"

namespace holdfast::dpop {

Checked<void> check_htu(std::string_view htu, std::string_view normal_uri) {
  // Most clients write the normal form.
  if (htu == normal_uri) return {};
  const auto normal = http::normalize_absolute_uri(htu);
  if (!normal) return refuse(Reason::htu_mismatch, "htu is no absolute http or https URI");
  if (*normal == normal_uri) return {};
  return refuse(Reason::htu_mismatch,
                "htu names " + *normal + ", this request is " + std::string(normal_uri));
}

}  // namespace holdfast::dpop
