// How work that somebody waits for ends when it can't be done: with one sentence.
#pragma once

#include <string>
#include <tillsync/result.hpp>
#include <type_traits>
#include <utility>

namespace tillsync::client {

// A failure ends the command: one sentence on stderr, exit code 1.
struct Failure {
  std::string sentence;
};

template <class T>
T require(Result<T> result) {
  if (!result) throw Failure{result.error().message};
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

}  // namespace tillsync::client
