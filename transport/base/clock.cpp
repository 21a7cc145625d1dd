#include "transport/base/clock.hpp"

#include <ctime>

namespace tillsync {

namespace {
Duration read(clockid_t which) {
  timespec t{};
  ::clock_gettime(which, &t);
  return seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
}
}  // namespace

Now read_clock() { return {Instant{read(CLOCK_BOOTTIME)}, to_ms(read(CLOCK_REALTIME))}; }

}  // namespace tillsync
