// What a till answers on its control socket. The same questions can be asked of a till that was opened in this process.
#pragma once

#include "transport/api/socket.hpp"
#include "transport/till/till_runtime.hpp"

namespace tillsync {

ControlHandler till_control(TillRuntime& till);

}  // namespace tillsync
