#include "storage/postgres/branch_table.hpp"

#include <algorithm>
#include <set>

namespace tillsync::postgres {

namespace {

constexpr Statement kMakeBranches{"make_shops",
                                  "INSERT INTO branch (tenant, name) SELECT unnest($1::bytea[]), unnest($2::bytea[]) "
                                  "ON CONFLICT DO NOTHING"};
// In the order of their ids: two writers never wait for each other in a circle.
constexpr Statement kLockBranches{
    "lock_shops",
    "SELECT b.id, b.tenant, b.name FROM branch b JOIN (SELECT unnest($1::bytea[]) AS tenant, "
    "unnest($2::bytea[]) AS name) w ON b.tenant = w.tenant AND b.name = w.name ORDER BY "
    "b.id FOR UPDATE OF b"};
constexpr Statement kBranches{"shops",
                              "SELECT b.id, b.tenant, b.name FROM branch b JOIN (SELECT unnest($1::bytea[]) AS tenant, "
                              "unnest($2::bytea[]) AS name) w ON b.tenant = w.tenant AND b.name = w.name"};
constexpr Statement kBranchesWithChains{
    "all_shops",
    "SELECT tenant, name FROM branch b WHERE EXISTS (SELECT 1 FROM chain c WHERE c.branch = "
    "b.id) ORDER BY tenant, name"};
constexpr Statement kChains{"chains", "SELECT id, till, incarnation, seq, hash FROM chain WHERE branch = $1"};
constexpr Statement kMakeChain{"make_chain",
                               "INSERT INTO chain (branch, till, incarnation, seq, hash) VALUES ($1, $2, $3, 0, '') "
                               "RETURNING id"};
constexpr Statement kSetChains{"set_chains",
                               "UPDATE chain c SET seq = w.seq, hash = w.hash FROM (SELECT unnest($1::bigint[]) AS "
                               "id, unnest($2::bigint[]) AS seq, unnest($3::bytea[]) AS hash) w WHERE c.id = w.id"};

Hash hash_of(ByteView bytes) {
  Hash hash;
  std::copy_n(bytes.begin(), std::min(bytes.size(), hash.bytes.size()), hash.bytes.begin());
  return hash;
}

}  // namespace

void BranchTable::expect(const std::vector<BranchKey>& branches) {
  Column tenants(kBytes), names(kBytes);
  for (const BranchKey& each : branches) {
    if (!branches_.try_emplace(each).second) continue;
    tenants.add(ByteView(each.tenant));
    names.add(ByteView(each.branch.text));
  }
  if (tenants.size() > 0) note_ids(session_.run(kBranches, Values().add(tenants).add(names)));
}

std::vector<BranchKey> BranchTable::lock(const std::vector<BranchKey>& branches) {
  std::vector<BranchKey> fresh;
  Column tenants(kBytes), names(kBytes);
  for (const BranchKey& each : std::set<BranchKey>(branches.begin(), branches.end())) {
    Entry& entry = branches_[each];
    if (entry.locked) continue;
    entry = {};
    entry.locked = true;
    fresh.push_back(each);
    tenants.add(ByteView(each.tenant));
    names.add(ByteView(each.branch.text));
  }
  if (fresh.empty()) return fresh;
  const Values values = Values().add(tenants).add(names);
  auto rows = session_.run(kLockBranches, values);
  if (rows && rows->size() < fresh.size()) {
    (void)session_.run(kMakeBranches, values);
    rows = session_.run(kLockBranches, values);
  }
  note_ids(rows);
  return fresh;
}

bool BranchTable::holds(const BranchKey& branch) const {
  const auto it = branches_.find(branch);
  return it != branches_.end() && it->second.locked;
}

std::int64_t BranchTable::id(const BranchKey& branch) { return entry(branch).id; }

std::int64_t BranchTable::id_to_change(const BranchKey& branch) { return held(branch).id; }

const std::map<ChainId, BranchTable::Chain>& BranchTable::chains(const BranchKey& branch) {
  return with_chains_of(branch).chains;
}

BranchTable::Chain& BranchTable::chain_to_change(const BranchKey& branch, const ChainId& chain) {
  const std::int64_t branch_id = held(branch).id;
  Chain& found = with_chains_of(branch).chains[chain];
  if (found.id == 0) {
    const auto made =
        session_.run(kMakeChain, Values().add(branch_id).add(ByteView(chain.till.text)).add(chain.incarnation.value));
    if (made) found.id = made->bigint(0, 0);
  }
  return found;
}

std::vector<std::pair<ChainId, ChainPoint>> BranchTable::points(const BranchKey& branch) {
  std::vector<std::pair<ChainId, ChainPoint>> out;
  for (const auto& [id, chain] : chains(branch)) {
    if (chain.point.seq.value > 0) out.emplace_back(id, chain.point);
  }
  return out;
}

std::optional<ChainPoint> BranchTable::point(const BranchKey& branch, const ChainId& chain) {
  const auto& all = chains(branch);
  const auto it = all.find(chain);
  return it == all.end() || it->second.point.seq.value == 0 ? std::nullopt : std::optional(it->second.point);
}

void BranchTable::put_point(const BranchKey& branch, const ChainId& chain, const ChainPoint& point) {
  Chain& changed = chain_to_change(branch, chain);
  changed.point = point;
  changed.changed = true;
}

std::vector<BranchKey> BranchTable::with_chains() {
  std::vector<BranchKey> out;
  const auto rows = session_.run(kBranchesWithChains, Values());
  for (std::size_t i = 0; rows && i < rows->size(); ++i)
    out.push_back({std::string(rows->bytes(i, 0)), {std::string(rows->bytes(i, 1))}});
  return out;
}

void BranchTable::flush() {
  Column ids(kBigint), seqs(kBigint), hashes(kBytes);
  for (auto& [branch, entry] : branches_) {
    for (auto& [id, chain] : entry.chains) {
      if (!std::exchange(chain.changed, false)) continue;
      ids.add(chain.id);
      seqs.add(chain.point.seq.value);
      hashes.add(chain.point.hash.view());
    }
  }
  if (ids.size() > 0) session_.send(kSetChains, Values().add(ids).add(seqs).add(hashes));
}

BranchTable::Entry& BranchTable::entry(const BranchKey& branch) {
  if (last_.second == nullptr || last_.first != branch) {
    expect({branch});
    last_ = {branch, &branches_[branch]};
  }
  return *last_.second;
}

BranchTable::Entry& BranchTable::held(const BranchKey& branch) {
  Entry& found = entry(branch);
  if (!found.locked) session_.bug("branch " + branch.branch.text + " is changed without being locked");
  return found;
}

BranchTable::Entry& BranchTable::with_chains_of(const BranchKey& branch) {
  Entry& found = entry(branch);
  if (std::exchange(found.chains_known, true) || found.id == 0) return found;
  const auto rows = session_.run(kChains, Values().add(found.id));
  for (std::size_t i = 0; rows && i < rows->size(); ++i) {
    const ChainId id{{std::string(rows->bytes(i, 1))}, {rows->number(i, 2)}};
    const ChainPoint point{{rows->number(i, 3)}, hash_of(rows->bytes(i, 4))};
    found.chains[id] = {rows->bigint(i, 0), point, false, point.seq};
  }
  return found;
}

void BranchTable::note_ids(const std::optional<Rows>& rows) {
  for (std::size_t i = 0; rows && i < rows->size(); ++i)
    branches_[{std::string(rows->bytes(i, 1)), {std::string(rows->bytes(i, 2))}}].id = rows->bigint(i, 0);
}

}  // namespace tillsync::postgres
