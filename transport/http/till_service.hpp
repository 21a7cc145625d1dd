// A till's HTTP: /live, /ready and /metrics, and nothing that changes anything.
#pragma once

#include "transport/http/server.hpp"
#include "transport/till/till_runtime.hpp"

namespace tillsync {

Result<std::unique_ptr<HttpServer>> start_till_service(TillRuntime& till, const HttpSettings& settings);

}  // namespace tillsync
