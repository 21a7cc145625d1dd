#include <algorithm>

#include "storage/model/op_codec.hpp"
#include "storage/postgres/cloud_txn.hpp"
#include "storage/postgres/numbers.hpp"

namespace tillsync::postgres {

namespace {

constexpr Statement kMakeShops{"make_shops",
                               "INSERT INTO branch (tenant, name) SELECT unnest($1::bytea[]), unnest($2::bytea[]) ON "
                               "CONFLICT DO NOTHING"};
// In the order of their ids: two writers never wait for each other in a circle.
constexpr Statement kLockShops{
    "lock_shops",
    "SELECT b.id, b.tenant, b.name FROM branch b JOIN (SELECT unnest($1::bytea[]) AS tenant, "
    "unnest($2::bytea[]) AS name) w ON b.tenant = w.tenant AND b.name = w.name ORDER BY "
    "b.id FOR UPDATE OF b"};
constexpr Statement kMakeChain{"make_chain",
                               "INSERT INTO chain (branch, till, incarnation, seq, hash) VALUES ($1, $2, $3, 0, '') "
                               "RETURNING id"};
constexpr Statement kSetChains{"set_chains",
                               "UPDATE chain c SET seq = w.seq, hash = w.hash FROM (SELECT unnest($1::bigint[]) AS "
                               "id, unnest($2::bigint[]) AS seq, unnest($3::bytea[]) AS hash) w WHERE c.id = w.id"};
constexpr Statement kAddOps{"add_ops",
                            "INSERT INTO op (chain, seq, branch, effect, key, body) SELECT unnest($1::bigint[]), "
                            "unnest($2::bigint[]), unnest($3::bigint[]), unnest($4::bigint[]), unnest($5::bytea[]), "
                            "unnest($6::bytea[])"};
constexpr Statement kPutOps{
    "put_ops",
    "INSERT INTO op (chain, seq, branch, effect, key, body) SELECT unnest($1::bigint[]), "
    "unnest($2::bigint[]), unnest($3::bigint[]), unnest($4::bigint[]), unnest($5::bytea[]), "
    "unnest($6::bytea[]) ON CONFLICT (chain, seq) DO UPDATE SET effect = excluded.effect, key = "
    "excluded.key, body = excluded.body"};
constexpr Statement kShops{"shops",
                           "SELECT b.id, b.tenant, b.name FROM branch b JOIN (SELECT unnest($1::bytea[]) AS tenant, "
                           "unnest($2::bytea[]) AS name) w ON b.tenant = w.tenant AND b.name = w.name"};
constexpr Statement kAllShops{"all_shops",
                              "SELECT tenant, name FROM branch b WHERE EXISTS (SELECT 1 FROM chain c WHERE c.branch = "
                              "b.id) ORDER BY tenant, name"};
constexpr Statement kChains{"chains", "SELECT id, till, incarnation, seq, hash FROM chain WHERE branch = $1"};
constexpr Statement kOps{"ops",
                         "SELECT seq, key, body, effect::bigint FROM op WHERE chain = $1 AND seq >= $2 ORDER BY seq "
                         "LIMIT $3"};
constexpr Statement kKeys{"keys",
                          "SELECT o.branch, o.key, c.till, c.incarnation, o.seq, o.body FROM (SELECT "
                          "unnest($1::bigint[]) AS branch, unnest($2::bytea[]) AS key) w JOIN op o ON o.branch = "
                          "w.branch AND o.key = w.key AND o.effect = 0 AND o.key <> '' JOIN chain c ON c.id = o.chain"};

// Sent while more are gathered: the database works on them meanwhile, in little memory.
constexpr std::size_t kOpsAtOnce = 256 << 10;

Hash hash_of(ByteView bytes) {
  Hash hash;
  std::copy_n(bytes.begin(), std::min(bytes.size(), hash.bytes.size()), hash.bytes.begin());
  return hash;
}

std::string key_in(ByteView op_bytes) {
  const auto op = decode_op(op_bytes);
  return op ? op->key : std::string();
}

Hash content_of(ByteView op_bytes) {
  const auto op = decode_op(op_bytes);
  return op ? content_hash(op->kind, op->body) : Hash{};
}

}  // namespace

void PostgresCloudTxn::read_shops(const std::vector<BranchKey>& shops) {
  Column tenants(Column::Type::bytes), names(Column::Type::bytes);
  for (const BranchKey& each : shops) {
    if (!shops_.try_emplace(each).second) continue;
    tenants.add(ByteView(each.tenant));
    names.add(ByteView(each.branch.text));
  }
  const auto rows = tenants.size() > 0 ? run(kShops, Values().add(tenants).add(names)) : std::nullopt;
  for (std::size_t i = 0; rows && i < rows->size(); ++i)
    shops_[{std::string(rows->bytes(i, 1)), {std::string(rows->bytes(i, 2))}}].id = rows->bigint(i, 0);
}

PostgresCloudTxn::ShopEntry& PostgresCloudTxn::shop(const BranchKey& of) {
  if (last_shop_.second == nullptr || last_shop_.first != of) {
    read_shops({of});
    last_shop_ = {of, &shops_[of]};
  }
  return *last_shop_.second;
}

std::vector<BranchKey> PostgresCloudTxn::shops() {
  std::vector<BranchKey> out;
  const auto rows = run(kAllShops, Values());
  for (std::size_t i = 0; rows && i < rows->size(); ++i)
    out.push_back({std::string(rows->bytes(i, 0)), {std::string(rows->bytes(i, 1))}});
  return out;
}

void PostgresCloudTxn::lock(const std::vector<BranchKey>& shops) {
  if (!writes_) return;
  Column tenants(kBytes), names(kBytes);
  for (const BranchKey& each : std::set<BranchKey>(shops.begin(), shops.end())) {
    ShopEntry& entry = shops_[each];
    if (entry.locked) continue;
    entry = {};  // what was read before may be old
    forget_feed({each.tenant, "branch/" + each.branch.text});
    entry.locked = true;
    tenants.add(ByteView(each.tenant));
    names.add(ByteView(each.branch.text));
  }
  if (tenants.size() == 0) return;
  const Values values = Values().add(tenants).add(names);
  auto rows = run(kLockShops, values);
  if (rows && rows->size() < tenants.size()) {
    (void)run(kMakeShops, values);
    rows = run(kLockShops, values);
  }
  for (std::size_t i = 0; rows && i < rows->size(); ++i)
    shops_[{std::string(rows->bytes(i, 1)), {std::string(rows->bytes(i, 2))}}].id = rows->bigint(i, 0);
}

PostgresCloudTxn::ShopEntry& PostgresCloudTxn::held(const BranchKey& of) {
  ShopEntry& entry = shop(of);
  if (!entry.locked) bug("branch " + of.branch.text + " is changed without being locked");
  return entry;
}

std::map<ChainId, PostgresCloudTxn::ChainEntry>& PostgresCloudTxn::chains_of(const BranchKey& of) {
  ShopEntry& entry = shop(of);
  if (!std::exchange(entry.chains_known, true) && entry.id != 0) {
    const auto rows = run(kChains, Values().add(entry.id));
    for (std::size_t i = 0; rows && i < rows->size(); ++i) {
      const ChainId id{{std::string(rows->bytes(i, 1))}, {static_cast<std::uint64_t>(rows->bigint(i, 2))}};
      const ChainPoint point{{static_cast<std::uint64_t>(rows->bigint(i, 3))}, hash_of(rows->bytes(i, 4))};
      entry.chains[id] = {rows->bigint(i, 0), point, false, point.seq};
    }
  }
  return entry.chains;
}

std::vector<std::pair<ChainId, ChainPoint>> PostgresCloudTxn::chains(const BranchKey& shop) {
  std::vector<std::pair<ChainId, ChainPoint>> out;
  for (const auto& [id, entry] : chains_of(shop)) {
    if (entry.point.seq.value > 0) out.emplace_back(id, entry.point);
  }
  return out;
}

std::optional<ChainPoint> PostgresCloudTxn::chain(const BranchKey& shop, const ChainId& chain) {
  const auto& all = chains_of(shop);
  const auto it = all.find(chain);
  return it == all.end() || it->second.point.seq.value == 0 ? std::nullopt : std::optional(it->second.point);
}

PostgresCloudTxn::ChainEntry& PostgresCloudTxn::chain_to_write(const BranchKey& shop, const ChainId& chain) {
  ChainEntry& entry = (held(shop), chains_of(shop)[chain]);
  if (entry.id == 0) {
    const auto made =
        run(kMakeChain, Values().add(held(shop).id).add(ByteView(chain.till.text)).add(chain.incarnation.value));
    if (made) entry.id = made->bigint(0, 0);
  }
  return entry;
}

void PostgresCloudTxn::put_chain(const BranchKey& shop, const ChainId& chain, const ChainPoint& point) {
  ChainEntry& entry = chain_to_write(shop, chain);
  entry.point = point;
  entry.dirty = true;
}

void PostgresCloudTxn::flush_chains() {
  Column ids(kBigint), seqs(kBigint), hashes(kBytes);
  for (auto& [shop, entry] : shops_) {
    for (auto& [id, chain] : entry.chains) {
      if (!std::exchange(chain.dirty, false)) continue;
      ids.add(chain.id);
      seqs.add(static_cast<std::int64_t>(chain.point.seq.value));
      hashes.add(chain.point.hash.view());
    }
  }
  if (ids.size() > 0) db_.send(kSetChains, Values().add(ids).add(seqs).add(hashes));
}

void PostgresCloudTxn::ops(const BranchKey& shop, const ChainId& chain, Seq from,
                           const std::function<bool(const CloudOp&)>& visit) {
  const auto& all = chains_of(shop);
  const auto it = all.find(chain);
  if (it == all.end()) return;
  flush_ops();
  for (std::int64_t chunk = kFirstChunk;;) {
    const auto rows = run(kOps, Values().add(it->second.id).add(from.value).add(chunk));
    std::size_t bytes = 0;
    for (std::size_t i = 0; rows && i < rows->size(); ++i) {
      CloudOp op{chain,
                 {static_cast<std::uint64_t>(rows->bigint(i, 0))},
                 std::string(rows->bytes(i, 1)),
                 Bytes(rows->bytes(i, 2)),
                 static_cast<OpEffect>(rows->bigint(i, 3))};
      if (is_shortened(op.key)) op.key = key_in(op.bytes);
      from = op.seq.next();
      bytes += op.bytes.size();
      if (!visit(op)) return;
    }
    if (!rows || rows->size() < static_cast<std::size_t>(chunk)) return;
    chunk = next_chunk(chunk, bytes);
  }
}

void PostgresCloudTxn::put_op(const BranchKey& shop, const Op& op, ByteView bytes, OpEffect effect) {
  ChainEntry& chain = chain_to_write(shop, op.chain);
  ShopEntry& entry = held(shop);
  const std::string key = indexed(op.key);
  if (effect == OpEffect::applied && !key.empty() && (!options_.trusts_keys || entry.keys.contains(key)))
    entry.keys[key] = CloudKey{op.chain, op.seq, content_hash(op.kind, op.body)};
  if (op.seq <= chain.put) {
    changed_ops_[{chain.id, op.seq}] = {entry.id, effect, key, Bytes(bytes)};
    return;
  }
  chain.put = op.seq;
  new_ops_.add(chain.id, op.seq, entry.id, effect, key, bytes);
  if (new_ops_.bytes >= kOpsAtOnce && !fault_) new_ops_.send(db_, kAddOps);
}

void PostgresCloudTxn::Ops::add(std::int64_t chain, Seq seq, std::int64_t branch, OpEffect effect, ByteView key,
                                ByteView body) {
  chains.add(chain);
  seqs.add(static_cast<std::int64_t>(seq.value));
  branches.add(branch);
  effects.add(static_cast<std::int64_t>(effect));
  keys.add(key);
  bodies.add(body);
  bytes += body.size();
}

void PostgresCloudTxn::Ops::send(Connection& db, const Statement& statement) {
  if (chains.size() == 0) return;
  Ops all = std::exchange(*this, {});
  db.send(statement, Values()
                         .add(std::move(all.chains))
                         .add(std::move(all.seqs))
                         .add(std::move(all.branches))
                         .add(std::move(all.effects))
                         .add(std::move(all.keys))
                         .add(std::move(all.bodies)));
}

void PostgresCloudTxn::flush_ops() {
  new_ops_.send(db_, kAddOps);
  Ops changed;
  for (const auto& [place, op] : std::exchange(changed_ops_, {}))
    changed.add(place.first, place.second, op.branch, op.effect, op.key, op.body);
  changed.send(db_, kPutOps);
}

std::optional<CloudKey> PostgresCloudTxn::find_key(const BranchKey& of, const std::string& name) {
  ShopEntry& entry = shop(of);
  const std::string key = indexed(name);
  if (entry.id == 0 || key.empty()) return std::nullopt;
  const auto known = entry.keys.find(key);
  if (known != entry.keys.end()) return known->second;
  flush_ops();
  read_keys({{of, {name}}});
  return entry.keys[key];
}

std::optional<CloudKey> PostgresCloudTxn::claim_key(const BranchKey& shop, const std::string& key) {
  if (options_.trusts_keys) return std::nullopt;
  auto known = find_key(shop, key);
  met_old_keys_ = met_old_keys_ || known;
  return known;
}

void PostgresCloudTxn::read_keys(const std::vector<CloudReads::KeysOf>& wanted) {
  Column branches(Column::Type::bigint), keys(Column::Type::bytes);
  std::map<std::int64_t, ShopEntry*> by_id;
  for (const auto& of : wanted) {
    ShopEntry& entry = shop(of.shop);
    if (entry.id == 0) continue;
    by_id[entry.id] = &entry;
    entry.keys.reserve(entry.keys.size() + of.keys.size());
    for (const std::string_view name : of.keys) {
      const std::string key = indexed(name);
      if (!entry.keys.try_emplace(key).second) continue;
      branches.add(entry.id);
      keys.add(ByteView(key));
    }
  }
  const auto rows =
      keys.size() == 0 ? std::nullopt : run(kKeys, Values().add(std::move(branches)).add(std::move(keys)));
  for (std::size_t i = 0; rows && i < rows->size(); ++i) {
    by_id[rows->bigint(i, 0)]->keys[std::string(rows->bytes(i, 1))] =
        CloudKey{{{std::string(rows->bytes(i, 2))}, {static_cast<std::uint64_t>(rows->bigint(i, 3))}},
                 {static_cast<std::uint64_t>(rows->bigint(i, 4))},
                 content_of(rows->bytes(i, 5))};
  }
}

}  // namespace tillsync::postgres
