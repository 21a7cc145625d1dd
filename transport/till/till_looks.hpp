// What can be asked of a till's core without changing anything: of one that runs, and of the data folder of one that
// does not.
#pragma once

#include "engine/till/till_core.hpp"
#include "transport/api/answering.hpp"

namespace tillsync {

// `core` and `store` are looked at when a question comes.
void answer_looks(api::Answering& answers, TillCore& core, TillStore& store, bool running);

}  // namespace tillsync
