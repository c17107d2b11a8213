// What the admin listener answers (the contract's "Listeners of our own"), as a decision: pages to whoever
// reaches it, never a secret on them; what names callers, and actions, only for the bearer token, and never
// for a page in a browser.
//   GET /            what is running            POST /reload      reads the configuration anew
//   GET /config      the file as it is written  POST /drain       begins to drain
//   GET /requests/ID why that one was refused   POST /log-level?level=WORD
// A Host that is neither loopback nor listed is refused: a web page can give its own name this machine's
// address (DNS rebinding), and its scripts could then read the pages. A POST with Origin or Sec-Fetch-Site
// comes from a browser, where a page may send what its visitor never meant to (CSRF). Pure but for the state;
// control thread only.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "admin/plain_server.h"
#include "base/secret.h"
#include "http/message.h"

namespace holdfast::admin {

struct AdminRules {
  Secret token;                    // empty: nobody has it
  std::vector<std::string> hosts;  // taken beside loopback; lower-case, without port
};

// The process, as the admin listener sees and moves it.
class AdminState {
 public:
  using Done = PlainServer::Done;

  [[nodiscard]] virtual std::string status_page() const = 0;
  // As the file has it: nothing replaced, no file read.
  [[nodiscard]] virtual std::string shown_configuration() const = 0;
  // Why the request was refused, or that it is not remembered.
  virtual void tell_of(std::string_view request_id, Done done) = 0;
  // `done` when the reload has ended, well or not.
  virtual void reload(Done done) = 0;
  // False: it drains already.
  virtual bool drain() = 0;
  // False: no such level.
  virtual bool set_log_level(std::string_view level) = 0;

 protected:
  ~AdminState() = default;
};

void answer_admin(const http::RequestHead& head, const AdminRules& rules, AdminState& state,
                  const AdminState::Done& done);

}  // namespace holdfast::admin
