// What several keys change, seen the same way.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "keys/world.h"

namespace holdfast::integration::keys {

// The verdict about a request with a good token and proof, and about an open one over the plain listener.
[[nodiscard]] Look order();
[[nodiscard]] Look open();
// The same with a token or a proof of another kind.
[[nodiscard]] Look order_with_token(World::ChangeToken change);
[[nodiscard]] Look order_with_proof(World::ChangeProof change);
// What the open request's answer says: the backend's name.
[[nodiscard]] Look who_answers();
// A field of what an open request is answered, or of an order as it comes to the backend.
[[nodiscard]] Look answer_field(std::string name, std::function<Request()> request);
[[nodiscard]] Look backend_field(std::string name);
// "answers", or the connection is "refused".
[[nodiscard]] Look answers_at(std::uint16_t World::* port);
// A member of the access log's line about an open request.
[[nodiscard]] Look logged(std::string member);
// The second of two open requests while the backend holds the first.
[[nodiscard]] Look beside_another();
// Of timeouts and limits that listeners, upstreams and routes have.
[[nodiscard]] Look body_that_stops();
[[nodiscard]] Look reader_that_takes_nothing();
[[nodiscard]] Look tunnel_at_rest();
[[nodiscard]] Look large_body();
[[nodiscard]] Look backend_that_says_nothing();

// `cors`, of the file or of a route.
[[nodiscard]] std::vector<Case> cors_cases(const std::string& key, const std::string& place);

}  // namespace holdfast::integration::keys
