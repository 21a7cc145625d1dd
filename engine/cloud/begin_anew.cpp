#include "engine/cloud/begin_anew.hpp"

#include "engine/cloud/notes.hpp"
#include "engine/cloud/witness.hpp"
#include "storage/pack.hpp"

namespace tillsync {

Result<void> begin_anew(CloudStore& store, std::uint64_t fresh_generation) {
  return store.write([&](CloudTxn& txn) -> Result<void> {
    std::map<std::string, LeaseRecord> leases;
    txn.notes(kLeaseNotes, [&](const std::string& name, ByteView value) {
      if (const auto record = unpack<LeaseRecord>(value)) leases[name] = *record;
    });
    for (const auto& [name, record] : leases) txn.put_note(name, pack(record.forgotten()));
    txn.put_note(kGenerationNote, pack(fresh_generation));
    txn.put_note(kBeganAnewNote, pack(fresh_generation));
    return {};
  });
}

}  // namespace tillsync
