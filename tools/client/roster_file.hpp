// A roster file on the machine that signs: read, brought level with what the tills have, signed, written.
#pragma once

#include "lease/roster.hpp"
#include "tools/client/whom.hpp"

namespace tillsync::client {

std::int64_t wall_ms();
void write_secret(const std::string& path, const SecretKey& key);  // readable by its owner only; never over another
// Failure unless that is the key which signs this tenant's rosters now.
SecretKey tenant_of(const Roster& roster, const std::string& path);

// The file's roster with what the named till knows beyond it: a newer version, or who joined by the cloud meanwhile.
// Failure when somebody may have and nobody is named.
Roster current_roster(const std::string& path, const Whom& whom);

// Signs and writes what has a new version already.
void issue(const std::string& path, Roster& next, const SecretKey& tenant);

}  // namespace tillsync::client
