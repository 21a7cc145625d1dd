#include "engine/cloud/ingest/tally.hpp"

#include "engine/cloud/ingest/meta_names.hpp"
#include "storage/base/pack.hpp"
#include "storage/model/cloud_store.hpp"

namespace tillsync {

Tally tally_of(CloudTxn& txn, const BranchKey& branch) {
  const auto meta = txn.meta(tally_meta(branch));
  return meta ? unpack<Tally>(*meta).value_or(Tally{}) : Tally{};
}

}  // namespace tillsync
