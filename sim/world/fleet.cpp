#include "sim/world/fleet.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "storage/base/pack.hpp"
#include "storage/model/feeds.hpp"

namespace tillsync::sim {

namespace {

SecretKey key_number(int n) {
  std::array<std::uint8_t, 32> seed{};
  seed[0] = static_cast<std::uint8_t>(n), seed[1] = 77, seed[2] = static_cast<std::uint8_t>(n >> 8);
  return SecretKey::from_seed(seed);
}

constexpr int kTenant = 0x7fff, kCloudKey = 0x7ffe;

// LMDB wants real files: on a memory file system where there is one.
std::string fresh_folder() {
  const bool memory = std::filesystem::is_directory("/dev/shm");
  std::string path =
      (memory ? std::string("/dev/shm") : std::filesystem::temp_directory_path().string()) + "/tillsync-sim-XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) std::abort();
  return path;
}

}  // namespace

Fleet::Fleet(const FleetPlan& plan, Observer* observer)
    : observer_(observer != nullptr ? *observer : silent_),
      world_(plan.seed),
      tenant_(key_number(kTenant)),
      folder_(fresh_folder()) {
  cloud_ = std::make_unique<SimCloud>(world_, network_, observer_, key_number(kCloudKey), folder_);
  for (int b = 1; b <= plan.branches; ++b) {
    Roster roster;
    roster.tenant = "Sim";
    roster.keys = TenantKeys::founded(tenant_.public_key(), tenant_.public_key());
    roster.branch = BranchId{b == 1 ? "main-street" : "branch-" + std::to_string(b)};
    roster.lease_ms = plan.lease_ms;
    roster.add(
        {TillId{"cloud"}, Binary(key_number(kCloudKey).public_key().view()), Role::cloud, plan.witness ? 1U : 0U});
    std::vector<Identity> members;
    for (int i = 1; i <= plan.tills; ++i) {
      const TillId name{(b == 1 ? "" : "b" + std::to_string(b) + "-") + "till-" + std::to_string(i)};
      members.push_back({name, roster.branch, key_number((b - 1) * plan.tills + i)});
      roster.add({name, Binary(members.back().key.public_key().view()), Role::till, 1});
    }
    roster.sign(tenant_);
    cloud_->serve(roster);
    for (Identity& who : members) {
      const std::string label = who.till.text;
      tills_.push_back(
          std::make_unique<SimTill>(world_, network_, observer_, std::move(who), label, roster, folder_, plan.keep));
    }
    rosters_.push_back(std::move(roster));
  }
  cloud_->start();
  for (auto& till : tills_) till->start();
}

Fleet::~Fleet() {
  network_.shut_down();
  tills_.clear();
  if (cloud_->alive()) cloud_->crash();
  std::filesystem::remove_all(folder_);
}

SimTill* Fleet::find(const std::string& label) {
  const auto it = std::find_if(tills_.begin(), tills_.end(), [&](const auto& till) { return till->label() == label; });
  return it == tills_.end() ? nullptr : it->get();
}

int Fleet::branch_of(const SimTill& till) const {
  for (int b = 0; b < branches(); ++b) {
    if (roster(b).branch == till.who().branch) return b;
  }
  return 0;
}

void Fleet::sell(int number, const std::string& key, const std::string& sku, std::int64_t units) {
  OpDraft draft{.kind = OpKind::sale, .key = key, .cashier = "cashier-" + std::to_string(number), .document = {}};
  draft.document.lines.push_back({sku, Quantity::units(units), 350, {}});
  till(number).record(draft);
}

SimTill& Fleet::clone(SimTill& original, const std::string& label) {
  const auto copy = original.backup();
  tills_.push_back(std::make_unique<SimTill>(world_, network_, observer_, original.who(), label,
                                             roster(branch_of(original)), folder_));
  tills_.back()->restore(copy);
  tills_.back()->clock() = original.clock();
  return *tills_.back();
}

void Fleet::expel(const SimTill& gone) {
  Roster& roster = rosters_[static_cast<std::size_t>(branch_of(gone))];
  std::erase_if(roster.members, [&](const Member& m) { return m.name == gone.who().till; });
  ++roster.version;
  roster.sign(tenant_);
  for (auto& till : tills_) {
    const bool hears = till->who().branch == roster.branch && till->responds() && is_member(*till);
    if (hears) return till->adopt(roster);
  }
}

bool Fleet::is_member(const SimTill& till) const { return roster(branch_of(till)).find(till.who().till) != nullptr; }

SimTill* Fleet::host(int branch) {
  std::string name;
  for (auto& till : tills_) {
    if (!till->responds() || branch_of(*till) != branch || !is_member(*till)) continue;
    const LeaseView lease = till->node().lease(till->now());
    if (lease.kind == LeaseKind::none || (!name.empty() && name != lease.host.text)) return nullptr;
    name = lease.host.text;
  }
  SimTill* till = find(name);
  return till != nullptr && till->responds() ? till : nullptr;
}

bool Fleet::settled() {
  for (auto& till : tills_) {
    if (!till->responds() || !is_member(*till)) continue;
    const Status s = till->node().status(till->now());
    if (s.unsent != 0 || s.relaying != 0 || s.fork_open || till->node().unsure() != 0 || !till->node().own().idle())
      return false;
  }
  for (int b = 0; b < branches(); ++b) {
    if (host(b) == nullptr) return false;
    for (auto& till : tills_) {
      if (!till->responds() || branch_of(*till) != b || !is_member(*till)) continue;
      if (!stock_agrees(*till) || !has_all_rows(*till)) return false;
    }
  }
  return true;
}

bool Fleet::stock_agrees(const SimTill& till) { return stock_differences(till).empty(); }

std::string Fleet::stock_differences(const SimTill& till) {
  const auto truth = cloud_stock(branch_of(till));
  if (truth.empty()) return "";
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> both;
  for (const auto& [sku, milli] : truth) both[sku].first = milli;
  for (const auto& [sku, milli] : till.node().all_stock()) both[sku].second = milli;
  std::string out;
  for (const auto& [sku, milli] : both) {
    if (milli.first == milli.second) continue;
    out += " has " + std::to_string(milli.second) + " thousandths of " + sku + ", not " + std::to_string(milli.first);
    for (const StockEvent& e : till.store().view().events(sku)) {
      out += " [" + e.chain.till.text + "/" + std::to_string(e.chain.incarnation.value) + "#" +
             std::to_string(e.seq.value) + (e.is_count ? " =" : " ") + std::to_string(e.milli) + "]";
    }
  }
  return out;
}

bool Fleet::has_all_rows(const SimTill& till) {
  std::map<FeedKind, RowWatermark> have;
  for (const auto& [feed, record] : till.store().view().feeds()) have[feed] = record.watermark;
  bool all = true;
  cloud_->read([&](CloudTxn& txn) {
    for (const auto& [feed, at] : have)  // also what a cloud that went back does not know any more
      all = all && (at.generation == 0 || at == txn.feed(shop(branch_of(till)), feed).watermark);
    for (const std::string& name : {std::string("tenant"), "branch/" + till.who().branch.text}) {
      for (const std::string& kind : txn.kinds(shop(branch_of(till)), name)) {
        const FeedKind feed{name, kind};
        all = all && have[feed] == txn.feed(shop(branch_of(till)), feed).watermark;
      }
    }
  });
  return all;
}

std::string Fleet::unsettled() {
  std::string out;
  for (auto& till : tills_) {
    if (!till->responds() || !is_member(*till)) continue;
    const Status s = till->node().status(till->now());
    out += till->label() + " (host " + s.host + ", " + s.lease + ") unsent " + std::to_string(s.unsent) + " relaying " +
           std::to_string(s.relaying) + (s.fork_open ? " fork open" : "") + stock_differences(*till) +
           (has_all_rows(*till) ? "" : " rows missing") + "; ";
  }
  return out;
}

std::map<std::string, std::int64_t> Fleet::cloud_stock(int branch) {
  std::map<std::string, std::int64_t> out;
  cloud_->read([&](CloudTxn& txn) {
    txn.rows_after(shop(branch), stock_feed(roster(branch).branch), {}, [&](const Row& row) {
      if (!row.deleted) out[row.id] = unpack<StockRow>(row.fields).value_or(StockRow{}).milli;
      return true;
    });
  });
  return out;
}

std::vector<Conflict> Fleet::conflicts(int branch) {
  std::vector<Conflict> out;
  cloud_->read([&](CloudTxn& txn) { out = ConflictBook::all(txn, shop(branch)); });
  return out;
}

std::set<std::string> Fleet::only_on(const SimTill& wiped) {
  return missing(
      [&](SimTill& owner, const HandedOut& each) { return in_cloud(owner, each) || on_a_till(owner, each, &wiped); });
}

std::set<std::string> Fleet::only_in_cloud() {
  return missing([&](SimTill& owner, const HandedOut& each) {
    return owner.node().where(each.key).has_value() || !in_cloud(owner, each);  // copies are let go: it had it
  });
}

std::set<std::string> Fleet::nowhere() {
  return missing([&](SimTill& owner, const HandedOut& each) {
    return !owner.alive() || !cloud_->alive() || in_cloud(owner, each) || on_a_till(owner, each, nullptr);
  });
}

std::set<std::string> Fleet::missing(const std::function<bool(SimTill&, const HandedOut&)>& is_there) {
  std::set<std::string> keys;
  for (auto& owner : tills_) {
    for (const HandedOut& each : owner->receipts()) {
      if (!is_there(*owner, each)) keys.insert(each.key);
    }
  }
  return keys;
}

bool Fleet::in_cloud(const SimTill& owner, const HandedOut& each) {
  bool found = false;
  cloud_->read([&](CloudTxn& txn) {
    txn.ops(shop(branch_of(owner)), {owner.who().till, each.receipt.incarnation}, each.receipt.seq,
            [&](const CloudOp& op) { return found = blake2b(op.bytes) == each.receipt.hash, false; });
  });
  return found;
}

bool Fleet::on_a_till(SimTill& owner, const HandedOut& each, const SimTill* but) {
  if (&owner != but && owner.node().where(each.key).has_value()) return true;
  const ChainId chain{owner.who().till, each.receipt.incarnation};
  bool found = false;
  for (auto& other : tills_) {
    if (other.get() == but || found) continue;
    if (!other->alive()) return true;
    TillView view = other->store().view();
    for (const auto& [id, record] : view.chains())
      found = found || (id == chain && each.receipt.seq <= record.cloud.seq);
    if (std::exchange(found, false)) continue;  // about to be let go: the cloud had it
    view.relay_ops(chain, each.receipt.seq,
                   [&](Seq, ByteView op) { return found = blake2b(op) == each.receipt.hash, false; });
  }
  return found;
}

}  // namespace tillsync::sim
