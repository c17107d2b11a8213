#include "settings/keys_cors.h"

#include "settings/key_forms.h"

namespace holdfast::settings {

Value<std::optional<Cors>> cors() {
  return or_off(named(
      "cors", map<Cors>({
                  member<Cors>("origins", one_or_list(page_origin()), &Cors::origins)
                      .required()
                      .about("Whose pages may read answers, such as https://app.example.com; or *, alone; "
                             "one or a list"),
                  member<Cors>("credentials", boolean(), &Cors::credentials)
                      .about("Whether browsers may send cookies and client certificates along; not with *"),
                  member<Cors>("max_age", time(milliseconds(0), 24 * kHour), &Cors::max_age)
                      .about("How long a browser may remember what a preflight was told"),
              })));
}

}  // namespace holdfast::settings
