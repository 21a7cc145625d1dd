// What a cloud answers: on its control socket, over HTTP, or in this process when it is not running.
#pragma once

#include "transport/api/socket.hpp"
#include "transport/cloud/cloud_runtime.hpp"

namespace tillsync {

std::shared_ptr<const api::Answering> answers_of(CloudRuntime& cloud);
ControlHandler cloud_control(CloudRuntime& cloud);

}  // namespace tillsync
