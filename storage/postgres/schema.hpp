// tillsync's tables in PostgreSQL, in a schema of that name. The program makes them, and brings older ones up to date
// in place; docs/file-formats.md lists them.
#pragma once

#include "storage/postgres/connection.hpp"

namespace tillsync::postgres {

constexpr int kNewestSchema = 2;

// Leaves the connection on the schema. Any number of processes may do so at once. Errors: refused (made by a newer
// program), io.
Result<void> bring_up_to_date(Connection& db, int to = kNewestSchema);

}  // namespace tillsync::postgres
