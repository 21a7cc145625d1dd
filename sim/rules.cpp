#include "sim/rules.hpp"

#include <algorithm>

#include "conflicts/choices.hpp"
#include "conflicts/kinds.hpp"
#include "engine/stock/moves.hpp"
#include "engine/till/stock_book.hpp"
#include "storage/op_codec.hpp"
#include "storage/pack.hpp"

namespace tillsync::sim {

namespace {
constexpr std::uint64_t kMaxMessages = 3'000;   // a second: more is a storm
constexpr std::uint64_t kMaxWakes = 100;        // of a till, a second, without being told anything
constexpr std::size_t kMaxInFlight = 64 << 20;  // bytes
constexpr std::uint64_t kMaxOwnOps = 200;       // that engines write by themselves, besides re-issues
}  // namespace

// Rule 1, at once: a receipt names an op that no power cut can take.
void Rules::on_flushed(const SimTill&, const std::vector<Bytes>& ops) {
  for (const Bytes& bytes : ops) {
    const auto op = decode_op(bytes);
    if (op) flushed_[blake2b(bytes)] = {op->chain, op->seq, op->hlc};
  }
  if (flushed_.size() > kMaxOwnOps + 8 * receipts_ && broken_.empty())
    breaks("growth: " + std::to_string(flushed_.size()) + " ops on disk for " + std::to_string(receipts_) +
           " receipts");
}

void Rules::on_receipt(const SimTill& till, const HandedOut& handed) {
  ++receipts_;
  if (!flushed_.contains(handed.receipt.hash))
    breaks("receipt: " + till.label() + " handed out " + handed.key + " before it was on the disk");
}

void Rules::cloud_went_back(const std::set<std::string>& keys) {
  destroyed_.insert(keys.begin(), keys.end());
  cloud_went_back_ = true;
  for (auto& [branch, book] : books_) {
    for (const auto& [key, content] : book.effects) were_in_cloud_.insert(key);
    ShopBook fresh;
    fresh.holder = book.holder, fresh.commanded = book.commanded;
    book = std::move(fresh);
  }
  on_cloud_job();
}

// A till may say "in the cloud" only of what is there.
void Rules::on_level(const SimTill& till, const std::string& key, Level level) {
  if (level == Level::own_disk) return;
  const bool in_cloud = books_[fleet_->branch_of(till)].effects.contains(key) || were_in_cloud_.contains(key);
  const bool safe = in_cloud || (level != Level::cloud && (went_back_ || on_another_disk(till, key)));
  constexpr const char* names[] = {"on its disk", "on two disks", "at the host", "in the cloud"};
  if (!safe) breaks("level: " + till.label() + " was told that " + key + " is " + names[static_cast<int>(level)]);
}

bool Rules::on_another_disk(const SimTill& till, const std::string& key) {
  const auto handed =
      std::find_if(till.receipts().begin(), till.receipts().end(), [&](const auto& r) { return r.key == key; });
  if (handed == till.receipts().end()) return true;  // its receipt was not handed out: nobody relies on it
  const ChainId chain{till.who().till, handed->receipt.incarnation};
  for (const auto& other : fleet_->tills()) {
    if (other.get() == &till) continue;
    if (!other->alive()) return true;  // it may lie on one that is down
    bool there = false;
    other->store().view().relay_ops(chain, handed->receipt.seq, [&](Seq, ByteView) { return there = true, false; });
    other->store().view().strays([&](const ChainId& of, const ChainPoint& end) {
      there = there || (of == chain && end.seq >= handed->receipt.seq);
    });
    if (there) return true;
  }
  return false;
}

void Rules::on_unreadable(const SimTill& till, ByteView message) {
  breaks("unreadable: " + till.label() + " sent a malformed message of " + std::to_string(message.size()) + " bytes");
}

// Rule 4: once a later host has acted at the cloud, an earlier one can't.
void Rules::on_commanded(const Ballot& lease) {
  for (int b = 0; b < fleet_->branches(); ++b) {
    if (fleet_->roster(b).branch != lease.branch) continue;
    Term& highest = books_[b].commanded;
    const bool nobody_knows = went_back_ && cloud_went_back_;  // the cloud's backup, and a till's
    if (lease.term < highest && !nobody_knows)
      breaks("fencing: " + lease.candidate.text + " commanded the cloud in term " + std::to_string(lease.term.value) +
             " after another in " + std::to_string(highest.value));
    highest = std::max(highest, lease.term);
  }
}

void Rules::on_cloud_job() {
  ++cloud_jobs_;
  fleet_->cloud().read([&](CloudTxn& txn) {
    for (int b = 0; b < fleet_->branches(); ++b) read_new_ops(txn, b);
  });
}

void Rules::read_new_ops(CloudTxn& txn, int branch) {
  const Shop shop = fleet_->shop(branch);
  std::vector<std::pair<Op, OpEffect>> fresh;
  for (const auto& [id, point] : txn.chains(shop)) {
    Seen& seen = books_[branch].chains[id];
    if (point.seq < seen.seq) breaks("order: the cloud forgot ops of " + id.till.text);
    if (point.seq <= seen.seq) continue;
    txn.ops(shop, id, seen.seq.next(), [&, chain = id](const CloudOp& stored) {
      if (auto op = follow_chain(branch, chain, stored)) fresh.emplace_back(std::move(*op), stored.effect);
      return true;
    });
    if (seen.seq != point.seq || seen.last != point.hash)
      breaks("order: the cloud's watermark of " + id.till.text + " is not its last op");
  }
  // Which of two in one transaction came first is not known: the one that took effect.
  std::stable_partition(fresh.begin(), fresh.end(), [](const auto& f) { return f.second == OpEffect::applied; });
  std::set<std::string> touched;
  for (const auto& [op, effect] : fresh) take_effect(branch, op, effect, touched);
  check_stock(txn, branch, touched);
}

// Rules 1 and 2: gapless, chained, recorded by somebody, every cashier's ops in order.
std::optional<Op> Rules::follow_chain(int branch, const ChainId& chain, const CloudOp& stored) {
  Seen& seen = books_[branch].chains[chain];
  auto op = decode_op(stored.bytes);
  const Hash hash = blake2b(stored.bytes);
  if (!op || op->seq != seen.seq.next() || op->prev != seen.last || op->chain != chain) {
    breaks("order: " + chain.till.text + " at " + std::to_string(seen.seq.value + 1));
    return std::nullopt;
  }
  seen = {op->seq, hash};
  ++in_cloud_;
  if (!flushed_.contains(hash)) breaks("invented: nobody recorded " + op->key + " of " + chain.till.text);
  const auto before = flushed_.find(op->cashier_prev);
  if (before != flushed_.end() && !in_order(before->second, {chain, op->seq, op->hlc}))
    breaks("order: of cashier " + op->cashier + " at " + op->key);
  if (op->kind == OpKind::incarnation) books_[branch].incarnations.insert(chain);
  return op;
}

std::string Rules::place_of(const Op& op) {
  return words(StockPlace{op.hlc, op.chain.till, op.chain.incarnation, op.seq});
}

// Rule 1: in effect once.
void Rules::take_effect(int branch, const Op& op, OpEffect effect, std::set<std::string>& touched) {
  ShopBook& book = books_[branch];
  const Hash content = content_hash(op.kind, op.body);
  const auto known = book.effects.find(op.key);
  const OpEffect right = known == book.effects.end() ? OpEffect::applied
                         : known->second == content  ? OpEffect::duplicate
                                                     : OpEffect::conflict;
  const bool word = op.kind == OpKind::resolution && right == OpEffect::applied;  // another may have been quicker
  if (effect != right && !word) breaks("doubled: " + op.key + " does not have the effect that it must");
  if (right == OpEffect::conflict) book.conflicting.insert(op.key);
  if (word && effect != OpEffect::applied) book.overruled[op.key] = effect == OpEffect::conflict ? place_of(op) : "";
  if (effect != OpEffect::applied) return;
  book.effects.emplace(op.key, content);
  if (op.kind == OpKind::clock_correction) redate(book, op, touched);
  Hlc hlc = op.hlc;
  for (const auto& [till, correction] : book.corrections) {
    if (till == op.chain.till && correction.covers(op.chain, op.seq)) hlc = correction.applied(hlc);
  }
  for (const auto& [sku, move] : stock_moves(op.kind, op.body)) {
    book.stock[sku].push_back({hlc, op.chain, op.seq, move.is_count, move.milli, move.stocked});
    touched.insert(sku);
  }
  const auto document = op.kind == OpKind::resolution ? decode_document(op.body) : std::nullopt;
  if (!document) return;
  for (const auto& line : document->lines) book.words[document->reference][line.sku] += line.quantity.milli;
}

void Rules::redate(ShopBook& book, const Op& op, std::set<std::string>& touched) {
  const auto correction = unpack<Correction>(op.body);
  if (!correction) return breaks("unreadable: the clock correction of " + op.chain.till.text);
  book.corrections.emplace_back(op.chain.till, *correction);
  for (auto& [sku, events] : book.stock) {
    for (StockEvent& e : events) {
      if (e.chain.till != op.chain.till || !correction->covers(e.chain, e.seq)) continue;
      e.hlc = correction->applied(e.hlc);
      touched.insert(sku);
    }
  }
}

// Within a history by number; across tills by time, as long as the clocks were right.
bool Rules::in_order(const Place& before, const Place& after) const {
  return before.chain == after.chain ? before.seq < after.seq : before.hlc < after.hlc || !clocks_right_;
}

// Rule 3 at the cloud: sort everything, apply one by one.
void Rules::check_stock(CloudTxn& txn, int branch, const std::set<std::string>& products) {
  for (const std::string& sku : products) {
    auto& events = books_[branch].stock[sku];
    std::sort(events.begin(), events.end());
    std::int64_t stock = 0;
    for (const StockEvent& e : events) stock = e.is_count ? e.milli : stock + e.milli;
    const auto row = txn.row(fleet_->shop(branch), stock_feed(fleet_->roster(branch).branch), sku);
    const auto fields = row ? unpack<StockRow>(row->fields) : std::nullopt;
    if (!fields || fields->milli != stock) breaks("stock: the cloud's row of " + sku + " is not the fold of its ops");
  }
}

bool Rules::after_event() {
  if (!cloned_) check_leases();
  const Instant now = fleet_->world().now();
  if (now >= next_second_) {
    check_limits();
    next_second_ = now + seconds(1);
  }
  if (now >= next_rows_) {
    for (const auto& till : fleet_->tills()) {
      if (till->responds() && fleet_->cloud().alive() && rows_moved(*till)) check_rows(*till, false);
    }
    next_rows_ = now + rows_every_;
  }
  return broken_.empty();
}

// Rule 4.
void Rules::check_leases() {
  for (int b = 0; b < fleet_->branches(); ++b) {
    std::string holder;
    for (const auto& till : fleet_->tills()) {
      if (!till->alive() || fleet_->branch_of(*till) != b) continue;
      const LeaseView lease = till->node().lease(till->now());
      if (lease.kind != LeaseKind::exclusive || lease.host.text != till->label()) continue;
      if (!holder.empty()) breaks("lease: " + holder + " and " + till->label() + " hold it at once");
      holder = till->label();
      Holder& last = books_[b].holder;
      const bool rises =
          lease.term > last.term || (lease.term == last.term && (last.who == holder || last.who.empty()));
      if (!rises && !went_back_)  // a restored till has forgotten its promises
        breaks("lease: " + holder + " holds it in term " + std::to_string(lease.term.value) + " after " + last.who +
               " in " + std::to_string(last.term.value));
      last = {lease.term, holder};
    }
  }
}

// Rule 7, once a second: a second without any event asks nothing.
void Rules::check_limits() {
  const std::uint64_t sent = fleet_->network().messages() - messages_before_;
  messages_before_ += sent;
  if (sent > kMaxMessages) breaks("storm: " + std::to_string(sent) + " messages in a second");
  for (const auto& till : fleet_->tills()) {
    std::uint64_t& before = woke_before_[till->label()];
    const std::uint64_t woke = till->woke() - std::exchange(before, till->woke());
    if (woke > kMaxWakes) breaks("storm: " + till->label() + " woke up " + std::to_string(woke) + " times in a second");
  }
  if (fleet_->network().in_flight() > kMaxInFlight)
    breaks("storm: " + std::to_string(fleet_->network().in_flight()) + " bytes are under way");
}

// Rows change by a job of the cloud or a commit of the till; most seconds have neither.
bool Rules::rows_moved(const SimTill& till) {
  std::uint64_t& seen = rows_seen_[till.label()];
  const std::uint64_t now = cloud_jobs_ + till.commits_and_starts();
  return std::exchange(seen, now) != now;
}

// Rule 5: what a reader's watermark covers, it has, as it was there; what was deleted does not come back.
void Rules::check_rows(const SimTill& till, bool finally) {
  const int branch = fleet_->branch_of(till);
  TillView view = till.store().view();
  std::map<FeedKind, FeedRecord> positions;
  for (const auto& [feed, record] : view.feeds()) positions[feed] = record;
  fleet_->cloud().read([&](CloudTxn& txn) {
    for (const std::string& name : {std::string("tenant"), "branch/" + fleet_->roster(branch).branch.text}) {
      for (const std::string& kind : txn.kinds(fleet_->shop(branch), name)) {
        const FeedKind feed{name, kind};
        const RowWatermark at = positions[feed].watermark;
        const RowVersion seen = at.version;
        if (!finally && at.generation != txn.feed(fleet_->shop(branch), feed).watermark.generation) continue;
        std::map<std::string, Row> held;
        view.rows_after(feed, {}, [&](const TillView::StoredRow& stored) {
          held.emplace(stored.row.id, stored.row);
          return true;
        });
        txn.rows_after(fleet_->shop(branch), feed, {}, [&](const Row& truth) {
          const auto mine = held.find(truth.id);
          const bool same = mine != held.end() && mine->second == truth;
          const bool gone = truth.deleted && mine == held.end();  // by a snapshot
          if ((finally || truth.version <= seen) && !same && !gone)
            breaks("rows: " + till.label() + " does not have " + feed.kind + " " + truth.id + " as the cloud has it");
          if (mine != held.end() && mine->second.version <= truth.version) held.erase(mine);
          return true;
        });
        for (const auto& [id, row] : held)
          breaks("rows: " + till.label() + " has a " + feed.kind + " " + id + " that the cloud never had");
      }
    }
  });
}

// Rule 6: no disagreement vanishes.
void Rules::check_conflicts(int branch) {
  const auto list = fleet_->conflicts(branch);
  auto listed = [&](const std::string& kind, const std::string& about) {
    return std::any_of(list.begin(), list.end(), [&](const Conflict& c) {
      return c.kind == kind && (c.id.find(about) != std::string::npos || c.summary.find(about) != std::string::npos);
    });
  };
  for (const std::string& key : books_[branch].conflicting) {
    if (!listed("duplicate_key", "'" + key + "'"))
      breaks("vanished: two ops with the key " + key + " differ, and nobody is told");
  }
  for (const auto& [key, place] : books_[branch].overruled) {
    if (!place.empty() && !listed("two_resolutions", "word/" + place))
      breaks("vanished: somebody's word " + place + " came too late, and nobody is told");
  }
  for (const ChainId& chain : books_[branch].incarnations) {
    if (!listed("forked_history", chain.till.text + "/" + std::to_string(chain.incarnation.value)))
      breaks("vanished: the fork of " + chain.till.text + " is not listed");
  }
}

// Where more had gone than there was, of a product that was ever counted or delivered, is suspected or open, and
// nothing else is suspected.
void Rules::check_dips(int branch, const std::vector<Conflict>& list) {
  std::set<std::string> dips;
  for (auto& [sku, events] : books_[branch].stock) {
    std::sort(events.begin(), events.end());
    std::int64_t stock = 0;
    bool kept = false, below = false;
    for (const StockEvent& e : events) {
      kept = kept || e.stocked;
      stock = e.is_count ? e.milli : stock + e.milli;
      const bool now_below = kept && stock < 0;
      if (now_below && !below) dips.insert(below_zero(sku, e.place(), stock, {}, 0).id);
      below = now_below;
    }
  }
  for (const Conflict& c : list) {
    if (c.kind == "below_zero" && c.state == ConflictState::suspected && !dips.contains(c.id))
      breaks("conflicts: " + c.id + " is suspected, and never happened");
    if (c.waits() || c.state == ConflictState::resolved) dips.erase(c.id);
  }
  for (const std::string& id : dips) breaks("vanished: nobody is told of " + id);
}

// Of everything that was said on a conflict, what is in effect is the one word that its record names.
void Rules::check_words(int branch, const std::vector<Conflict>& list) {
  std::set<std::string> twice;
  for (const Conflict& c : list) {
    if (c.kind == "two_resolutions") twice.insert(c.subject);
  }
  for (const Conflict& c : list) {
    if (c.settlement.has_value() != (c.state == ConflictState::resolved))
      breaks("words: " + c.id + " is settled and is not");
    if (twice.contains(c.id)) continue;
    std::map<std::string, std::int64_t> said = books_[branch].words[c.id];
    if (c.settlement) {
      for (const ConflictMove& move : c.settlement->moves) said[move.sku] -= move.milli;
    }
    for (const auto& [sku, milli] : said) {
      if (milli != 0 && c.branch == fleet_->shop(branch).branch.text) breaks("words: more than one on " + c.id);
    }
  }
}

void Rules::when_settled() {
  for (const auto& till : fleet_->tills()) {
    if (!fleet_->is_member(*till)) continue;
    const int branch = fleet_->branch_of(*till);
    for (const HandedOut& each : till->receipts()) {
      const ShopBook& book = books_[branch];
      if (!book.effects.contains(each.key) && !book.overruled.contains(each.key) && !destroyed_.contains(each.key))
        breaks("lost: " + each.key + " of " + till->label());
    }
    check_rows(*till, true);
    if (!fleet_->stock_agrees(*till)) breaks("stock: " + till->label() + " differs from the cloud");
  }
  for (int b = 0; b < fleet_->branches(); ++b) {
    check_conflicts(b);
    check_dips(b, fleet_->conflicts(b));
    check_words(b, fleet_->conflicts(b));
  }
}

}  // namespace tillsync::sim
