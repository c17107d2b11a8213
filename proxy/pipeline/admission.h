// The right to forward a request, as a type: the upstream side cannot be called without one, and only the
// verifier can make one. A mistake in the flow is a compile error, not a hole.
#pragma once

namespace holdfast::pipeline {

class Verifier;

class Admission {
 public:
  enum class Kind : unsigned char {
    kVerified,    // token, proof, binding, policy and replay claim all passed
    kBearer,      // the route takes Bearer, and a token that is bound to no key passed; no key was proven
    kAnonymous,   // the route is public
    kUnenforced,  // the route reports only, and something did not pass: nothing is known of the caller
  };
  [[nodiscard]] Kind kind() const { return kind_; }
  // Whether a token passed, so that the backend may be told whose it is.
  [[nodiscard]] bool names_caller() const { return kind_ == Kind::kVerified || kind_ == Kind::kBearer; }

 private:
  friend class Verifier;
  explicit Admission(Kind kind) : kind_(kind) {}
  Kind kind_;
};

}  // namespace holdfast::pipeline
