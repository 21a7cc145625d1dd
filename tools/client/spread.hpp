// When the next version of a roster may be issued: a majority of the last one's votes must hold it durably, and must
// have for the longest lease time, or two hosts could be elected by two majorities that never met (docs/lease.md).
#pragma once

#include "lease/roster.hpp"
#include "tools/client/whom.hpp"

namespace tillsync::client {

// Whether a roster file was ever handed out: versions before that are nobody's, and follow each other freely.
void mark_handed_out(const std::string& roster_path, const Roster& roster);
bool was_handed_out(const std::string& roster_path);

// Failure when it is too early; waits by itself for the last seconds.
void await_spread(const std::string& roster_path, const Roster& roster, const Whom& whom);

}  // namespace tillsync::client
