// What a till answers: on its control socket, to somebody who opened it in this process, and to a person's key from
// elsewhere.
#pragma once

#include "transport/api/socket.hpp"
#include "transport/till/till_runtime.hpp"

namespace tillsync {

ControlHandler till_control(TillRuntime& till);

// A manager's or a supporter's question, by message 50; what message 51 says. The core is held.
std::string answer_person(TillRuntime& till, Role role, const Question& question);

}  // namespace tillsync
