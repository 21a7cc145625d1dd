// What a cloud answers on its control socket, or in this process when it is not running.
#pragma once

#include "transport/api/socket.hpp"
#include "transport/cloud/cloud_runtime.hpp"

namespace tillsync {

ControlHandler cloud_control(CloudRuntime& cloud);

}  // namespace tillsync
