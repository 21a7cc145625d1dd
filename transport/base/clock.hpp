// The one place that reads clocks. CLOCK_BOOTTIME goes on while the machine is suspended, so a till that wakes up knows
// how old its lease is.
#pragma once

#include <tillsync/time.hpp>

namespace tillsync {

Now read_clock();

}  // namespace tillsync
