// What an expert would write by hand instead of a sync engine: records over TCP in batches, each a transaction of plain
// LMDB at the other end, a few batches under way, acknowledged when durable. No encryption, signatures, hashes, stock.
#pragma once

#include <string>
#include <tillsync/bytes.hpp>
#include <vector>

namespace tillsync::bench {

// Records a second.
double drain_plainly(const std::string& folder, const std::vector<Bytes>& records);

}  // namespace tillsync::bench
