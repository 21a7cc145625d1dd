#include "engine/cloud/ingest/branch_txn.hpp"

#include <algorithm>

#include "conflicts/kinds.hpp"
#include "engine/cloud/ingest/meta_names.hpp"
#include "engine/cloud/ingest/op_rules.hpp"
#include "engine/cloud/ingest/settling.hpp"
#include "engine/cloud/ingest/tally.hpp"
#include "engine/ledger/moves.hpp"
#include "engine/lone_history.hpp"
#include "engine/validate.hpp"
#include "storage/base/mutants.hpp"
#include "storage/base/pack.hpp"
#include "storage/model/feeds.hpp"
#include "storage/model/op_codec.hpp"

namespace tillsync {

BranchTxn::BranchTxn(CloudTxn& txn, const BranchKey& branch, std::int64_t now_ms, const Policies& policies)
    : txn_(txn),
      branch_(branch),
      now_ms_(now_ms),
      policies_(policies),
      conflicts_(txn, branch, now_ms, policies),
      rows_(txn, branch, now_ms),
      anomalies_(txn, branch, now_ms, conflicts_, rows_),
      stock_(txn, branch_) {}

void BranchTxn::name_reads(const BranchKey& branch, const std::vector<const ReadPush*>& pushes, CloudReads& reads) {
  reads.shops.push_back(branch);
  for (auto& name : {frontier_meta(branch), suspected_meta(branch), unknown_sales_meta(branch), tally_meta(branch),
                     webhook_meta(branch.tenant), outbox_meta(branch)})
    reads.metas.push_back(name);
  CloudReads::KeysOf& keys = reads.keys.emplace_back(CloudReads::KeysOf{branch, {}});
  std::vector<std::string_view> skus;
  for (const ReadPush* push : pushes) {
    reads.metas.push_back(corrections_meta(branch, push->push.chain.till));
    for (const OpenedOp& each : push->push.ops) keys.keys.push_back(each.op.key);
    for (const ReadOp& read : push->ops) {
      if (!read.draft) continue;
      for (const Line& line : read.draft->document.lines) skus.push_back(line.sku);
    }
  }
  std::ranges::sort(skus);
  skus.erase(std::unique(skus.begin(), skus.end()), skus.end());
  for (const std::string_view view : skus) {
    const std::string sku(view);
    reads.rows.push_back({branch, stock_feed(branch.branch), sku});
    reads.metas.push_back(ledger_meta(branch, sku));
    reads.metas.push_back(prices_meta(branch, {"tenant", "product"}, sku));
  }
}

ChainPoint BranchTxn::push(const ReadPush& read) {
  heard_ = true;
  return take(read);
}

Result<void> BranchTxn::settle(const OpDraft& draft, const Resolution& said, const TillId& name, const SecretKey& key) {
  const auto about = conflicts_.find(said.conflict);
  if (!about) return fail(ErrorKind::not_found, "this cloud knows of no conflict '" + said.conflict + "'");
  if (auto ok = check(said, *about); !ok) return ok;
  const auto last = txn_.chain(branch_, person_chain(name, key.public_key())).value_or(ChainPoint{});
  (void)take(read_ops(sign_alone(draft, branch_.branch, name, key, last, now_ms_)));
  return {};
}

ChainPoint BranchTxn::take(const ReadPush& read) {
  const OpenedPush& push = read.push;
  const ChainPoint held = txn_.chain(branch_, push.chain).value_or(ChainPoint{});
  const Judged judged = judge(held, push);
  if (judged.verdict == Verdict::fork) {
    raise(forked_history(push.chain, held.seq, now_ms_));
  }
  if (judged.verdict != Verdict::append) return held;
  for (std::size_t i = judged.first_new; i < push.ops.size(); ++i) append(push.ops[i], read.ops[i]);
  txn_.put_chain(branch_, push.chain, push.end());
  accepted_.push_back(
      {push.chain.till, push.chain.incarnation, push.ops[judged.first_new].op.seq, push.ops.back().op.seq});
  frontier().heard(push.chain.till, push.ops.back().op.hlc, now_ms_);
  return push.end();
}

void BranchTxn::append(const OpenedOp& opened, const ReadOp& read) {
  const Op& op = opened.op;
  const auto& draft = read.draft;
  std::optional<std::string> fault = read.unstorable;
  OpEffect effect = fault ? OpEffect::dead : judge_key(op);
  if (effect == OpEffect::applied) fault = read.fault ? read.fault : fault_by(policies_, *draft);
  if (fault) {
    effect = OpEffect::dead;
    ++refused_ops_;
    const StockPlace place{op.hlc, op.chain.till, op.chain.incarnation, op.seq};
    ConflictSide side = side_about(op, place);
    side.moves = moves_of(op);
    raise(dead_letter(std::move(side), *fault, now_ms_));
  }
  if (effect == OpEffect::applied) effect = take_effect(op, *draft);
  txn_.put_op(branch_, op, opened.bytes, effect);
  ++counts_.appended;
  if (read.unstorable) return;  // whatever it is about may be what is refused
  if (effect == OpEffect::applied) look_at(op, draft->document);
  stock_.apply(op, read.moves, effect == OpEffect::applied);
  anomalies_.look_at_clock(op, frontier().at());
  if (op.kind == OpKind::clock_correction && effect == OpEffect::applied) stock_.redate(op);
  if (op.kind == OpKind::incarnation) {
    raise(new_incarnation(op.chain, now_ms_));
    stock_.write_any();  // so that readers hear which history is closed
  }
}

OpEffect BranchTxn::judge_key(const Op& op) {
  const auto known = mutated(Mutant::forget_duplicates) ? std::nullopt : txn_.claim_key(branch_, op.key);
  if (!known) return OpEffect::applied;
  if (known->content == content_hash(op.kind, op.body)) {
    ++counts_.duplicates;
    return OpEffect::duplicate;
  }
  const StockPlace first{{}, known->chain.till, known->chain.incarnation, known->seq};
  ConflictSide second = side_about(op, {op.hlc, op.chain.till, op.chain.incarnation, op.seq});
  second.moves = moves_of(op);
  raise(duplicate_key(conflicts_.side_of(first), std::move(second), now_ms_));
  return OpEffect::conflict;
}

// What an op does besides moving stock.
OpEffect BranchTxn::take_effect(const Op& op, const OpDraft& draft) {
  const StockPlace place{stock_.corrected(op), op.chain.till, op.chain.incarnation, op.seq};
  if (op.kind == OpKind::edit) edit(op, draft);
  if (op.kind != OpKind::resolution) return OpEffect::applied;
  std::string why;
  Settling settling(conflicts_, rows_, [&](const StockPlace& at) { return replay(at); });
  const OpEffect effect = settling.take(op, draft.document, place, why);
  if (effect == OpEffect::dead) raise(dead_letter(side_about(op, place), why, now_ms_));
  return effect;
}

// What does not look right about an op that took effect; its books have it by now.
void BranchTxn::look_at(const Op& op, const Document& document) {
  if (!has_document(op.kind)) return;
  anomalies_.look_at(op, document, {stock_.corrected(op), op.chain.till, op.chain.incarnation, op.seq});
}

void BranchTxn::edit(const Op& op, const OpDraft& draft) {
  const auto edit = unpack<RowEdit>(draft.custom_body);
  const StockPlace place{op.hlc, op.chain.till, op.chain.incarnation, op.seq};
  const FeedKind feed = rows_.feed_of(edit->kind, edit->id);
  txn_.lock_feed(branch_, feed.feed);
  const Merged merged = merge(*edit, rows_.current(feed, edit->id), policies_);
  for (const FieldConflict& met : merged.conflicts) {
    const RowField where{feed.feed, edit->kind, edit->id, met.field};
    ConflictSide side{place, op.key, op.cashier, {}, 0, 0, {}, Binary(met.was), Binary(met.mine)};
    side.what = met.field + " " + field_words(where, met.mine);
    if (met.field.empty()) side.what = edit->deletes ? "deleted it" : "edited it", side.value = Binary(op.body);
    raise(edits_met(where, rows_.side_there(where), std::move(side), met.why, now_ms_));
  }
  const RowAuthor author{place, op.key, op.cashier, {}};
  if (merged.changed) rows_.put({feed, edit->id, merged.deleted, join_fields(merged.fields)}, author);
}

// An op that was refused, after the rule has been changed.
std::optional<std::string> BranchTxn::replay(const StockPlace& place) {
  const auto op = conflicts_.op_at(place);
  if (!op) return "the cloud does not have it any more";
  const auto draft = draft_of(*op);
  if (auto fault = fault_in(draft, policies_)) return fault;
  if (judge_key(*op) != OpEffect::applied) return "its key has been used since";
  const OpEffect effect = take_effect(*op, *draft);
  txn_.put_op(branch_, *op, encode(*op), effect);
  look_at(*op, draft->document);
  stock_.apply(*op, stock_moves(op->kind, draft->document.lines), effect == OpEffect::applied);
  return std::nullopt;
}

void BranchTxn::progress(const ChainId& chain, Seq last, Hlc hlc) {
  heard_ = true;
  if (txn_.chain(branch_, chain).value_or(ChainPoint{}).seq >= last) frontier().heard(chain.till, hlc, now_ms_);
}

Frontier& BranchTxn::frontier() {
  if (!frontier_) {
    const auto meta = txn_.meta(frontier_meta(branch_));
    frontier_ = meta ? unpack<Frontier>(*meta).value_or(Frontier{}) : Frontier{};
  }
  return *frontier_;
}

void BranchTxn::prove(Conflict lie) {
  heard_ = true;
  raise(std::move(lie));
}

bool BranchTxn::raise(Conflict conflict) { return conflicts_.raise(std::move(conflict)); }

IngestCounts BranchTxn::close(ReadLedgers ledgers, const std::vector<TillId>* tills) {
  std::move(ledgers).fold(conflicts_, anomalies_);
  if (tills == nullptr) heard_ = false;
  advance_frontier(heard_ ? tills : nullptr);
  const ConflictBook::Sums conflicts = conflicts_.write();
  anomalies_.write();
  counts_.conflicts += conflicts.raised;
  write_tally(conflicts.waiting);
  write_outbox();
  return counts_;
}

void BranchTxn::advance_frontier(const std::vector<TillId>* tills) {
  if (!frontier_) return;
  if (tills != nullptr && frontier_->advance(*tills, now_ms_))
    conflicts_.confirm(frontier_->at(), frontier_->left_out(*tills, now_ms_));
  txn_.put_meta(frontier_meta(branch_), pack(*frontier_));
}

void BranchTxn::write_tally(const std::map<std::string, std::int64_t>& waiting_changed) {
  Tally tally = tally_of(txn_, branch_);
  tally.ops += counts_.appended, tally.duplicates += counts_.duplicates, tally.refused_ops += refused_ops_;
  if (heard_) tally.heard_ms = now_ms_;
  tally.count(waiting_changed);
  txn_.put_meta(tally_meta(branch_), pack(tally));
}

void BranchTxn::write_outbox() {
  Outbox outbox(txn_);
  if (!accepted_.empty() && outbox.webhook(branch_.tenant)) outbox.put(branch_, accepted_);
}

}  // namespace tillsync
