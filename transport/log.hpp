// Where a runtime's notices go. The programs write them to stderr; an embedding program takes them as it likes.
#pragma once

#include <functional>
#include <string>

#include "engine/actions.hpp"

namespace tillsync {

using Log = std::function<void(const Notice&)>;

// One structured line a notice on stderr: time, level, who, text.
Log stderr_log(const std::string& who, bool verbose);

}  // namespace tillsync
