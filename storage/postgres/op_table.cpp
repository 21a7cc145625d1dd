#include "storage/postgres/op_table.hpp"

#include "storage/model/op_codec.hpp"
#include "storage/postgres/indexed.hpp"
#include "storage/postgres/numbers.hpp"

namespace tillsync::postgres {

namespace {

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
constexpr Statement kOps{"ops",
                         "SELECT seq, key, body, effect::bigint FROM op WHERE chain = $1 AND seq >= $2 ORDER BY seq "
                         "LIMIT $3"};
constexpr Statement kKeys{"keys",
                          "SELECT o.branch, o.key, c.till, c.incarnation, o.seq, o.body FROM (SELECT "
                          "unnest($1::bigint[]) AS branch, unnest($2::bytea[]) AS key) w JOIN op o ON o.branch = "
                          "w.branch AND o.key = w.key AND o.effect = 0 AND o.key <> '' JOIN chain c ON c.id = o.chain"};

// Sent while more are gathered: the database works on them meanwhile, in little memory.
constexpr std::size_t kOpsAtOnce = 256 << 10;

std::string key_in(ByteView op_bytes) {
  const auto op = decode_op(op_bytes);
  return op ? op->key : std::string();
}

Hash content_of(ByteView op_bytes) {
  const auto op = decode_op(op_bytes);
  return op ? content_hash(op->kind, op->body) : Hash{};
}

}  // namespace

void OpTable::read(const BranchKey& branch, const ChainId& chain, Seq from,
                   const std::function<bool(const CloudOp&)>& visit) {
  const auto& chains = branches_.chains(branch);
  const auto it = chains.find(chain);
  if (it == chains.end()) return;
  flush();
  for (std::int64_t chunk = kFirstChunk;;) {
    const auto rows = session_.run(kOps, Values().add(it->second.id).add(from.value).add(chunk));
    std::size_t bytes = 0;
    for (std::size_t i = 0; rows && i < rows->size(); ++i) {
      CloudOp op{chain,
                 {rows->number(i, 0)},
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

void OpTable::put(const BranchKey& branch, const Op& op, ByteView bytes, OpEffect effect) {
  BranchTable::Chain& chain = branches_.chain_to_change(branch, op.chain);
  const std::int64_t branch_id = branches_.id(branch);
  const std::string key = indexed(op.key);
  Keys& keys = keys_[branch_id];
  if (effect == OpEffect::applied && !key.empty() && (!session_.options().trusts_keys || keys.contains(key)))
    keys[key] = CloudKey{op.chain, op.seq, content_hash(op.kind, op.body)};
  if (op.seq <= chain.ops_put) {
    changed_[{chain.id, op.seq}] = {branch_id, effect, key, Bytes(bytes)};
    return;
  }
  chain.ops_put = op.seq;
  new_.add(chain.id, op.seq, branch_id, effect, key, bytes);
  if (new_.bytes >= kOpsAtOnce) new_.send(session_, kAddOps);
}

void OpTable::expect_keys(const std::vector<CloudReads::KeysOf>& wanted) {
  Column branches(kBigint), names(kBytes);
  for (const auto& of : wanted) {
    const std::int64_t branch = branches_.id(of.shop);
    if (branch == 0) continue;
    Keys& keys = keys_[branch];
    keys.reserve(keys.size() + of.keys.size());
    for (const std::string_view name : of.keys) {
      const std::string key = indexed(name);
      if (!keys.try_emplace(key).second) continue;
      branches.add(branch);
      names.add(ByteView(key));
    }
  }
  const auto rows =
      names.size() == 0 ? std::nullopt : session_.run(kKeys, Values().add(std::move(branches)).add(std::move(names)));
  for (std::size_t i = 0; rows && i < rows->size(); ++i) {
    keys_[rows->bigint(i, 0)][std::string(rows->bytes(i, 1))] = CloudKey{
        {{std::string(rows->bytes(i, 2))}, {rows->number(i, 3)}}, {rows->number(i, 4)}, content_of(rows->bytes(i, 5))};
  }
}

std::optional<CloudKey> OpTable::find_key(const BranchKey& branch, const std::string& name) {
  const std::int64_t branch_id = branches_.id(branch);
  const std::string key = indexed(name);
  if (branch_id == 0 || key.empty()) return std::nullopt;
  Keys& keys = keys_[branch_id];
  if (const auto known = keys.find(key); known != keys.end()) return known->second;
  flush();
  expect_keys({{branch, {name}}});
  return keys[key];
}

std::optional<CloudKey> OpTable::claim_key(const BranchKey& branch, const std::string& key) {
  if (session_.options().trusts_keys) return std::nullopt;
  auto known = find_key(branch, key);
  met_old_keys_ = met_old_keys_ || known;
  return known;
}

void OpTable::forget_keys(const BranchKey& branch) { keys_.erase(branches_.id(branch)); }

void OpTable::flush() {
  new_.send(session_, kAddOps);
  Batch batch;
  for (const auto& [place, op] : std::exchange(changed_, {}))
    batch.add(place.first, place.second, op.branch, op.effect, op.key, op.body);
  batch.send(session_, kPutOps);
}

void OpTable::Batch::add(std::int64_t chain, Seq seq, std::int64_t branch, OpEffect effect, ByteView key,
                         ByteView body) {
  chains.add(chain);
  seqs.add(seq.value);
  branches.add(branch);
  effects.add(static_cast<std::int64_t>(effect));
  keys.add(key);
  bodies.add(body);
  bytes += body.size();
}

void OpTable::Batch::send(Session& session, const Statement& statement) {
  if (chains.size() == 0) return;
  Batch all = std::exchange(*this, {});
  session.send(statement, Values()
                              .add(std::move(all.chains))
                              .add(std::move(all.seqs))
                              .add(std::move(all.branches))
                              .add(std::move(all.effects))
                              .add(std::move(all.keys))
                              .add(std::move(all.bodies)));
}

}  // namespace tillsync::postgres
