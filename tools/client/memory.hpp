// What a program of tillsync asks of its allocator; a till program that embeds the engine may do the same.
#pragma once

#include <malloc.h>

namespace tillsync::client {

// Pages, batches and checkpoints come and go by the megabyte. glibc hands such memory back to the system each time and
// fetches it anew, a page fault for every 4 KiB: now up to 16 MiB stay with the process for the next one (mallopt(3),
// docs/benchmarks.md). Before other threads start.
inline void keep_freed_memory() {
  constexpr int kKept = 16 << 20;  // bytes
  ::mallopt(M_TRIM_THRESHOLD, kKept);
  ::mallopt(M_MMAP_THRESHOLD, kKept);
}

}  // namespace tillsync::client
