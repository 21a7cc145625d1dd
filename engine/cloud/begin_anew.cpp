#include "engine/cloud/begin_anew.hpp"

#include <algorithm>

#include "engine/cloud/notes.hpp"
#include "engine/cloud/witness.hpp"
#include "storage/pack.hpp"

namespace tillsync {

namespace {

constexpr std::size_t kMostLeft = 16;  // no till is as many restores behind

BeganAnew next(CloudTxn& txn, std::uint64_t generation, std::int64_t wall_ms) {
  BeganAnew word = began_anew(txn).value_or(BeganAnew{});
  const auto before = txn.note(kGenerationNote);
  word.left.push_back(before ? unpack<std::uint64_t>(*before).value_or(0) : 0);
  if (word.left.size() > kMostLeft) word.left.erase(word.left.begin());
  word.generation = generation;
  word.wall_ms = std::max(wall_ms, word.wall_ms + 1);
  return word;
}

}  // namespace

std::optional<BeganAnew> began_anew(CloudTxn& txn) {
  const auto note = txn.note(kBeganAnewNote);
  return note ? unpack<BeganAnew>(*note) : std::nullopt;
}

Result<void> begin_anew(CloudStore& store, std::uint64_t fresh_generation, std::int64_t wall_ms) {
  return store.write([&](CloudTxn& txn) -> Result<void> {
    std::map<std::string, LeaseRecord> leases;
    txn.notes(kLeaseNotes, [&](const std::string& name, ByteView value) {
      if (const auto record = unpack<LeaseRecord>(value)) leases[name] = *record;
    });
    for (const auto& [name, record] : leases) txn.put_note(name, pack(record.forgotten()));
    txn.put_note(kBeganAnewNote, pack(next(txn, fresh_generation, wall_ms)));
    txn.put_note(kGenerationNote, pack(fresh_generation));
    return {};
  });
}

}  // namespace tillsync
