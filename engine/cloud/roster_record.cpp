#include "engine/cloud/roster_record.hpp"

namespace tillsync {

namespace {

std::string rosters_meta(const std::string& tenant) { return tenant.empty() ? "roster/" : "roster/" + tenant + "/"; }

}  // namespace

void store_roster(CloudTxn& txn, const Roster& roster) {
  const BranchKey branch{roster.keys.id(), roster.branch};
  const std::string name = rosters_meta(branch.tenant) + branch.branch.text;
  const auto stored = txn.meta(name);
  auto known = stored ? Roster::decode(*stored) : std::nullopt;
  if (known && !known->take(roster)) return;
  txn.put_meta(name, known ? known->encoded() : roster.encoded());
  txn.announce({branch.tenant, kRostersNews});
}

Result<void> store_roster(CloudStore& store, const Roster& roster) {
  return store.write([&](CloudTxn& txn) -> Result<void> {
    txn.lock({BranchKey{roster.keys.id(), roster.branch}});
    return store_roster(txn, roster), Result<void>();
  });
}

Result<std::vector<Roster>> stored_rosters(CloudStore& store, const std::string& tenant) {
  std::vector<Roster> out;
  auto read = store.read([&](CloudTxn& txn) -> Result<void> {
    out.clear();
    txn.metas(rosters_meta(tenant), [&](const std::string&, ByteView value) {
      if (auto roster = Roster::decode(value)) out.push_back(std::move(*roster));
    });
    return {};
  });
  if (!read) return tl::unexpected(read.error());
  return out;
}

}  // namespace tillsync
