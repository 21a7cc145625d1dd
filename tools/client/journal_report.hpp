// What a till's journal holds, and what is wrong with it: for `journal verify` and `doctor`.
#pragma once

#include "transport/net/checks.hpp"

namespace tillsync::client {

// On stdout, a line each. True when all is well.
bool report_journal(const std::string& data);
Finding journal_finding(const std::string& data);

}  // namespace tillsync::client
