// A field at the end of a message or record that a later release added: what an older one wrote leaves it out, and it
// stays as it is here.
#pragma once

namespace tillsync {

template <class T>
struct Later {
  T value{};
  bool operator==(const Later&) const = default;
};

template <class T>
inline constexpr bool kIsLater = false;
template <class T>
inline constexpr bool kIsLater<Later<T>> = true;

}  // namespace tillsync
