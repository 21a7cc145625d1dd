// Where a runtime's notices go. The programs write them to stderr; an embedding program takes them as it likes.
#pragma once

#include <functional>
#include <string>

#include "engine/actions.hpp"

namespace tillsync {

using Log = std::function<void(const Notice&)>;

// One line a notice on stderr, repetitions counted (repeats.hpp): time, level, who, text; as key=value, or as a JSON
// object. No payloads: notices name tills, branches and numbers.
struct LogStyle {
  bool verbose = false, json = false;
};
Log stderr_log(const std::string& who, LogStyle style);

}  // namespace tillsync
