#include "storage/model/records.hpp"

#include "storage/base/checksum.hpp"
#include "storage/base/pack.hpp"

namespace tillsync {

std::uint64_t live_sum(const Row& row) {
  if (row.deleted) return 0;
  Bytes all;
  Writing w(all);
  w(row.id, row.version, Binary(row.fields));
  return checksum(all);
}

}  // namespace tillsync
