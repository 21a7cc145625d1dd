// Opens and reads a database in a child process: LMDB maps its file, so a damaged one can take the whole process with
// it.
#pragma once

#include <functional>
#include <tillsync/result.hpp>

namespace tillsync {

// `check` runs in the child. Errors: what it said, or damaged when the child died.
Result<void> check_in_child(const std::function<Result<void>()>& check);

}  // namespace tillsync
