// The edge where what a library throws becomes an Error: around each handler of what came from outside, so that one
// request that nobody foresaw is answered, and ends nothing else.
#pragma once

#include <nlohmann/json.hpp>
#include <tillsync/result.hpp>

namespace tillsync {

// What `run` returns, a Result. Errors: invalid, when JSON has another shape than was read; io.
template <class F>
auto caught(F&& run) -> decltype(run()) {
  try {
    return run();
  } catch (const nlohmann::json::exception& error) {
    return fail(ErrorKind::invalid, "a field of the question has the wrong type", error.what());
  } catch (const std::exception& error) {
    return fail(ErrorKind::io, "something went wrong that should not: nothing of this request counts; please report it",
                error.what());
  }
}

}  // namespace tillsync
