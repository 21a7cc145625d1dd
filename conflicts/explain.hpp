// Why a conflict is where it is: what the rules decided, what people said, and what it still waits for.
#pragma once

#include <string>
#include <vector>

#include "conflicts/record.hpp"

namespace tillsync {

std::vector<std::string> explain(const Conflict& conflict);  // a sentence each

}  // namespace tillsync
