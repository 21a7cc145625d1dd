#include "sim/branch.hpp"

#include <cstdlib>
#include <filesystem>

#include "engine/stock/moves.hpp"
#include "engine/till/stock_book.hpp"
#include "storage/op_codec.hpp"
#include "storage/pack.hpp"

namespace tillsync::sim {

namespace {

SecretKey key_number(std::uint8_t n) {
  std::array<std::uint8_t, 32> seed{};
  seed[0] = n, seed[1] = 77;
  return SecretKey::from_seed(seed);
}

// LMDB wants real files: on a memory file system where there is one.
std::string fresh_folder() {
  const bool memory = std::filesystem::is_directory("/dev/shm");
  std::string path =
      (memory ? std::string("/dev/shm") : std::filesystem::temp_directory_path().string()) + "/tillsync-sim-XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) std::abort();
  return path;
}

}  // namespace

Branch::Branch(std::uint64_t seed, int tills, std::uint32_t lease_ms)
    : world_(seed), tenant_(key_number(255)), folder_(fresh_folder()) {
  roster_.tenant = "Sim";
  roster_.tenant_key = Binary(tenant_.public_key().view());
  roster_.branch = BranchId{"main-street"};
  roster_.lease_ms = lease_ms;
  roster_.add({TillId{"cloud"}, Binary(key_number(200).public_key().view()), Role::cloud, 0});
  for (int i = 1; i <= tills; ++i) {
    roster_.add({TillId{"till-" + std::to_string(i)},
                 Binary(key_number(static_cast<std::uint8_t>(i)).public_key().view()), Role::till, 1});
  }
  roster_.sign(tenant_);
  cloud_ = std::make_unique<SimCloud>(world_, folder_, roster_);
  cloud_->start();
  for (int i = 1; i <= tills; ++i) {
    tills_.push_back(std::make_unique<SimTill>(world_, TillId{"till-" + std::to_string(i)}, roster_.branch,
                                               key_number(static_cast<std::uint8_t>(i)), roster_, folder_));
    tills_.back()->start();
  }
}

Branch::~Branch() {
  tills_.clear();
  if (cloud_->alive()) cloud_->crash();
  std::filesystem::remove_all(folder_);
}

void Branch::sell(int number, const std::string& key, const std::string& sku, std::int64_t units) {
  OpDraft draft{.kind = OpKind::sale, .key = key, .cashier = "cashier-" + std::to_string(number), .document = {}};
  draft.document.lines.push_back({sku, Quantity::units(units), 350, {}});
  till(number).record(std::move(draft));
}

SimTill* Branch::host() {
  SimTill* host = nullptr;
  std::string name;
  for (auto& till : tills_) {
    if (!till->alive()) continue;
    const LeaseView lease = till->node().lease(till->now());
    if (lease.kind == LeaseKind::none || (!name.empty() && name != lease.host.text)) return nullptr;
    name = lease.host.text;
    if (till->name() == name) host = till.get();
  }
  for (auto& till : tills_) host = till->alive() && till->name() == name ? till.get() : host;
  return host;
}

bool Branch::settled() {
  for (auto& till : tills_) {
    if (!till->alive()) continue;
    const Status s = till->node().status(till->now());
    if (s.unsent != 0 || s.relaying != 0 || s.fork_open || !till->node().own().idle()) return false;
  }
  if (host() == nullptr) return false;
  const auto stock = cloud_stock();
  for (auto& till : tills_) {
    if (till->alive() && till->node().all_stock() != stock) return false;
  }
  return true;
}

std::map<std::string, std::int64_t> Branch::cloud_stock() {
  std::map<std::string, std::int64_t> out;
  cloud_->read([&](CloudTxn& txn) {
    txn.rows_after(cloud_->shop(), stock_feed(roster_.branch), {}, [&](const Row& row) {
      if (!row.deleted) out[row.id] = unpack<StockRow>(row.fields).value_or(StockRow{}).milli;
      return true;
    });
  });
  return out;
}

std::vector<CloudConflict> Branch::conflicts() {
  std::vector<CloudConflict> out;
  cloud_->read([&](CloudTxn& txn) { out = txn.conflicts(cloud_->shop()); });
  return out;
}

std::set<std::string> Branch::only_on(SimTill& wiped) {
  std::set<std::string> keys;
  for (auto& owner : tills_) {
    for (const HandedOut& each : owner->receipts()) {
      const ChainId chain{TillId{owner->name()}, each.receipt.incarnation};
      const auto same = [&](ByteView bytes) { return blake2b(bytes) == each.receipt.hash; };
      bool elsewhere = owner.get() != &wiped && owner->node().where(each.key).has_value();
      cloud_->read([&](CloudTxn& txn) {
        txn.ops(cloud_->shop(), chain, each.receipt.seq,
                [&](const CloudOp& op) { return elsewhere = elsewhere || same(op.bytes), false; });
      });
      for (auto& other : tills_) {
        if (other.get() == &wiped) continue;
        other->store().view().relay_ops(chain, each.receipt.seq,
                                        [&](Seq, ByteView op) { return elsewhere = elsewhere || same(op), false; });
      }
      if (!elsewhere) keys.insert(each.key);
    }
  }
  return keys;
}

std::vector<std::string> Branch::broken_rules(const std::set<std::string>& destroyed) {
  std::vector<std::string> broken;
  std::map<std::string, std::pair<Hash, int>> effects;  // key -> content, times it took effect
  std::map<std::pair<ChainId, Seq>, Hash> hashes;
  std::map<std::string, std::int64_t> stock;
  std::vector<std::pair<StockEvent, std::string>> events;
  cloud_->read([&](CloudTxn& txn) {
    for (const auto& [chain, point] : txn.chains(cloud_->shop())) {
      Seq expected{1};
      Hash before{};
      txn.ops(cloud_->shop(), chain, Seq{1}, [&, id = chain](const CloudOp& stored) {
        const auto op = decode_op(stored.bytes);
        if (!op || op->seq != expected || op->prev != before)
          broken.push_back("order: " + id.till.text + " at " + std::to_string(expected.value));
        before = blake2b(stored.bytes);
        hashes[{id, expected}] = before;
        expected = expected.next();
        if (op && stored.effect == OpEffect::applied) {
          auto& effect = effects[op->key];
          effect.first = content_hash(op->kind, op->body);
          ++effect.second;
          for (const auto& [sku, move] : stock_moves(op->kind, op->body))
            events.push_back({{op->hlc, id, op->seq, move.is_count, move.milli}, sku});
        }
        return true;
      });
    }
  });
  for (auto& till : tills_) {
    for (const HandedOut& each : till->receipts()) {
      const auto effect = effects.find(each.key);
      if (effect == effects.end() && !destroyed.contains(each.key))
        broken.push_back("lost: " + each.key + " of " + till->name());
    }
  }
  for (const auto& [key, effect] : effects) {
    if (effect.second != 1) broken.push_back("doubled: " + key);
  }
  std::sort(events.begin(), events.end());
  for (const auto& [event, sku] : events) stock[sku] = event.is_count ? event.milli : stock[sku] + event.milli;
  if (stock != cloud_stock()) broken.push_back("stock: the cloud's rows are not the fold of its ops");
  for (auto& till : tills_) {
    if (till->alive() && till->node().all_stock() != stock)
      broken.push_back("stock: " + till->name() + " differs from the cloud");
  }
  return broken;
}

}  // namespace tillsync::sim
