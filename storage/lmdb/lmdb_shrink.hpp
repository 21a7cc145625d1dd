// LMDB uses what became free in its file again, and gives nothing back to the file system.
#pragma once

#include <cstdint>
#include <string>
#include <tillsync/result.hpp>

namespace tillsync::lmdb {

// When most of a file of this size or more is free, makes it as small as it can be, while nobody has it open. A crash
// leaves one of the two files, whole. Errors: io, and then all is as it was.
constexpr std::uint64_t kLooseBytes = 2ULL << 20;
Result<void> shrink(const std::string& folder);

}  // namespace tillsync::lmdb
