#include "engine/cloud/reset_cloud.hpp"

#include <algorithm>

#include "engine/cloud/ingest/meta_names.hpp"
#include "engine/cloud/witness.hpp"
#include "storage/base/pack.hpp"

namespace tillsync {

namespace {

constexpr std::size_t kMostLeft = 16;  // no till is as many restores behind

CloudReset next(CloudTxn& txn, std::uint64_t generation, std::int64_t wall_ms) {
  CloudReset reset = began_anew(txn).value_or(CloudReset{});
  const auto before = txn.meta(kGenerationMeta);
  reset.left.push_back(before ? unpack<std::uint64_t>(*before).value_or(0) : 0);
  if (reset.left.size() > kMostLeft) reset.left.erase(reset.left.begin());
  reset.generation = generation;
  reset.wall_ms = std::max(wall_ms, reset.wall_ms + 1);
  return reset;
}

}  // namespace

std::optional<CloudReset> began_anew(CloudTxn& txn) {
  const auto meta = txn.meta(kCloudResetMeta);
  return meta ? unpack<CloudReset>(*meta) : std::nullopt;
}

Result<void> reset_cloud(CloudStore& store, std::uint64_t fresh_generation, std::int64_t wall_ms) {
  return store.write([&](CloudTxn& txn) -> Result<void> {
    std::map<std::string, LeaseRecord> leases;
    txn.metas(kLeaseNotes, [&](const std::string& name, ByteView value) {
      if (const auto record = unpack<LeaseRecord>(value)) leases[name] = *record;
    });
    for (const auto& [name, record] : leases) txn.put_meta(name, pack(record.forgotten()));
    txn.put_meta(kCloudResetMeta, pack(next(txn, fresh_generation, wall_ms)));
    txn.put_meta(kGenerationMeta, pack(fresh_generation));
    return {};
  });
}

}  // namespace tillsync
