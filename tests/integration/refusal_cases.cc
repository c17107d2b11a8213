// See refusal_cases.h.
#include "refusal_cases.h"

#include <regex>
#include <sstream>

namespace holdfast::integration {

MakeRequest proof_with(std::function<void(Proof&)> change) {
  return [change = std::move(change)](const Sidecar& sidecar) {
    Proof proof = sidecar.proof("GET", kTarget, sidecar.good_token());
    change(proof);
    return Sidecar::with("GET", kTarget, sidecar.good_token(), proof.sign(sidecar.client));
  };
}

MakeRequest token_with(std::function<void(AccessToken&)> change) {
  return [change = std::move(change)](const Sidecar& sidecar) {
    AccessToken token = sidecar.token();
    change(token);
    const std::string sent = sidecar.issuer.sign(token);
    return Sidecar::with("GET", kTarget, sent, sidecar.proof("GET", kTarget, sent).sign(sidecar.client));
  };
}

MakeRequest proof_bytes(std::function<std::string(const Sidecar&)> make) {
  return [make = std::move(make)](const Sidecar& sidecar) {
    return Sidecar::with("GET", kTarget, sidecar.good_token(), make(sidecar));
  };
}

MakeRequest token_bytes(std::function<std::string(const Sidecar&)> make) {
  return [make = std::move(make)](const Sidecar& sidecar) {
    const std::string token = make(sidecar);
    return Sidecar::with("GET", kTarget, token, sidecar.proof("GET", kTarget, token).sign(sidecar.client));
  };
}

MakeRequest plain_request(std::vector<std::pair<std::string, std::string>> fields) {
  return [fields = std::move(fields)](const Sidecar&) {
    Request request;
    request.target = kTarget;
    request.fields = fields;
    return request;
  };
}

std::string good_proof(const Sidecar& sidecar) {
  return sidecar.proof("GET", kTarget, sidecar.good_token()).sign(sidecar.client);
}

std::vector<std::string> segments(const std::string& jws) {
  const std::size_t first = jws.find('.');
  const std::size_t second = jws.find('.', first + 1);
  return {jws.substr(0, first), jws.substr(first + 1, second - first - 1), jws.substr(second + 1)};
}

support::Finished explain(const Sidecar& sidecar, std::string_view request, std::vector<std::string> more) {
  std::vector<std::string> arguments{"explain", "-c", (sidecar.folder.path() / "holdfast.yaml").string(),
                                     "--request", "-"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  support::Finished done = support::run_holdfast(arguments, request);
  EXPECT_EQ((done.out + done.err).find("eyJ"), std::string::npos)
      << "a token or proof: " << done.out << done.err;
  return done;
}

support::Finished explain_id(const Sidecar& sidecar, std::string_view id) {
  support::Finished done = support::run_holdfast(
      {"explain", "-c", (sidecar.folder.path() / "holdfast.yaml").string(), "--id", std::string(id)});
  EXPECT_EQ((done.out + done.err).find("eyJ"), std::string::npos)
      << "a token or proof: " << done.out << done.err;
  return done;
}

std::string shape_of(const support::Finished& explained) {
  static const std::regex kTime("time here is [0-9]+");
  std::string shape;
  std::istringstream lines(explained.out);
  for (std::string line; std::getline(lines, line);) {
    const bool failed = line.starts_with("✗ ");
    if (!failed && !line.starts_with("✓ ") && !line.starts_with("· ")) continue;
    shape += failed ? std::regex_replace(line, kTime, "") : line.substr(0, line.find("  "));
    shape += '\n';
  }
  return shape;
}

void RefusalTest::check(const std::vector<Case>& cases) {
  for (const Case& row : cases) {
    SCOPED_TRACE(row.name);
    const Request request = row.make(*sidecar);
    const Response answer = sidecar->send(request);
    expect_refusal(answer, row.status, row.reason);
    const support::Finished explained = explain(*sidecar, request.raw());
    EXPECT_EQ(explained.exit_code, 5) << explained.out << explained.err;
    EXPECT_TRUE(
        explained.out.starts_with("denied: " + std::to_string(answer.status) + ' ' + reason_of(answer) + ' '))
        << explained.out << explained.err;
    EXPECT_NE(explained.out.find("\n✗ "), std::string::npos) << explained.out;
    const support::Finished remembered = explain_id(*sidecar, member_of(answer, "request_id"));
    EXPECT_EQ(remembered.exit_code, 5) << remembered.out << remembered.err;
    EXPECT_EQ(shape_of(remembered), shape_of(explained));
    EXPECT_EQ(remembered.out.substr(0, remembered.out.find('\n')),
              explained.out.substr(0, explained.out.find('\n')));
    if (row.error != nullptr) {
      expect_challenge(answer, row.error);
    } else {
      EXPECT_FALSE(answer.fields.has("WWW-Authenticate")) << answer.head;
    }
  }
  EXPECT_EQ(sidecar->backend.seen_count(), 0U) << "a refused request reached the backend";
}

}  // namespace holdfast::integration
