// A reference count for objects that live and die on one worker: not atomic, so nothing counted ever crosses
// a thread.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace holdfast {

class Counted {
 public:
  Counted() = default;
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  virtual ~Counted() = default;

 private:
  template <typename T>
  friend class Ref;
  std::uint32_t references_ = 0;
};

// Shares the ownership of a Counted object; adding and dropping one costs an increment.
template <typename T>
class Ref {
 public:
  Ref() = default;
  explicit(false) Ref(std::nullptr_t) {}
  explicit Ref(T* object) : object_(object) { add(); }
  Ref(const Ref& other) : object_(other.object_) { add(); }
  Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  template <typename U>
    requires std::convertible_to<U*, T*>
  explicit(false) Ref(const Ref<U>& other) : Ref(other.get()) {}
  Ref& operator=(Ref other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Ref() { drop(); }

  [[nodiscard]] T* get() const { return object_; }
  T* operator->() const { return object_; }
  T& operator*() const { return *object_; }
  explicit operator bool() const { return object_ != nullptr; }
  void reset() { *this = Ref(); }

 private:
  void add() {
    if (object_ != nullptr) ++static_cast<Counted*>(object_)->references_;
  }
  void drop() {
    if (object_ != nullptr && --static_cast<Counted*>(object_)->references_ == 0) delete object_;
    object_ = nullptr;
  }

  T* object_ = nullptr;
};

template <typename T, typename... Args>
[[nodiscard]] Ref<T> make_counted(Args&&... args) {
  return Ref<T>(new T(std::forward<Args>(args)...));
}

}  // namespace holdfast
