// What a cloud answers on its control socket, or in this process when it is not running.
#pragma once

#include "transport/cloud_runtime.hpp"
#include "transport/control/socket.hpp"

namespace tillsync {

ControlHandler cloud_control(CloudRuntime& cloud);

}  // namespace tillsync
