// What a till keeps over a restart: how it comes back from its database and the journal's tail, and how checkpoints are
// formed and committed.
#include <algorithm>
#include <utility>

#include "engine/till/till_core.hpp"
#include "storage/base/mutants.hpp"
#include "storage/base/pack.hpp"
#include "storage/model/op_codec.hpp"

namespace tillsync {

namespace {
constexpr char kPromiseMeta[] = "promise", kRosterMeta[] = "roster";

TillState stored_state(TillStore& store, Random& random) {
  if (auto state = store.view().state()) return *state;
  TillState fresh;
  fresh.incarnation = Incarnation{random.nonzero()};
  return fresh;
}
}  // namespace

TillCore::TillCore(TillCoreConfig config, TillStore& store, Recovered recovered, Random random, Now now)
    : config_(std::move(config)),
      store_(store),
      state_([&] { return stored_state(store, random); }()),
      random_(random),
      log_(config_.branch, config_.till, store, state_),
      replicas_(store),
      rows_(store, config_.branch),
      generation_(store.view()),
      stock_(config_.branch),
      host_history_(store.view()),
      health_(store.view()),
      overlay_(store.view()),
      hostless_since_(now.mono) {
  if (auto meta = store_.view().meta(kRosterMeta)) {
    auto stored = Roster::decode(*meta);
    if (stored && config_.roster) {
      (void)config_.roster->take(*stored);
    } else if (stored) {
      config_.roster = std::move(stored);
    }
  }
  if (config_.roster) {
    election_.emplace(config_.till, config_.key, *config_.roster, stored_promise(), Random(random_.next()), now.mono);
    roster_durable_ = config_.roster->version;
  }
  state_dirty_ = true;
  Actions ignored;
  restore(std::move(recovered), ignored);
  restore_events();
  for (const Notice& notice : ignored.notices) start_warnings_.push_back(notice.text);
}

// A database without one that has run before was put back to before its first, perhaps: nobody is promised anything for
// as long as that may bind.
std::optional<Promise> TillCore::stored_promise() const {
  if (mutated(Mutant::forget_promise)) return std::nullopt;
  TillView view = store_.view();
  const auto meta = view.meta(kPromiseMeta);
  if (const auto promise = meta ? unpack<Promise>(*meta) : std::nullopt) return promise;
  return meta || view.state() ? std::optional(Promise{{}, config_.till, config_.roster->lease_ms}) : std::nullopt;
}

// The journal's tail after the last checkpoint. Damage in it splits the history: what follows the hole is re-issued
// under a new incarnation, and what was in the hole comes back from whoever holds it.
void TillCore::restore(Recovered recovered, Actions& out) {
  for (const JournalDamage& d : recovered.report.damage) {
    const std::string where = "segment " + std::to_string(d.at.segment) + ", offset " + std::to_string(d.at.offset);
    if (d.behind_flush) {
      out.alarm("the journal is damaged at " + where + " (" + std::to_string(d.bytes) +
                " bytes): what the host or the cloud holds of it comes back by itself; run 'tillsync journal verify'");
    } else {
      out.warn("an unfinished end of the journal at " + where + " was set aside in " + d.set_aside +
               ": usually a sale that was never confirmed; check the last receipts before the restart");
    }
  }
  std::vector<Op> orphans;
  if (mutated(Mutant::forget_tail)) recovered.tail.clear();
  for (Bytes& bytes : recovered.tail) {
    auto op = decode_op(bytes);
    if (!op || op->chain.till != config_.till) continue;
    const Hash hash = blake2b(bytes);
    if (!orphans.empty() || !log_.replay(*op, hash, std::move(bytes))) {
      orphans.push_back(std::move(*op));
      continue;
    }
    if (op->kind == OpKind::incarnation) {
      if (auto fork = unpack<ForkState>(op->body); fork && fork->old_incarnation.value != 0) {
        if (fork_of(fork->old_incarnation) == nullptr) state_.forks.push_back(*fork);
        state_.cloud = {};
        ++state_.forks_seen;
      }
    }
    on_own_durable(*op);
  }
  const bool unnamed = !state_.forks.empty() && log_.last().seq == Seq{};  // the crash came before its first op
  if (unnamed) record_incarnation();
  log_.on_replayed(recovered.report.end, !orphans.empty());
  if (orphans.empty()) return;
  begin_fork({}, log_.chain(), "the journal is damaged", out);
  for (Op& op : orphans) {
    op.origin = Origin{op.chain.incarnation, op.seq, op.hlc};
    if (op.kind != OpKind::incarnation && !log_.find(op.key)) log_.record_own(std::move(op));
  }
}

// What counts in the stock is stored apart from the ops, and may have got further than a damaged journal.
void TillCore::restore_events() {
  TillView view = store_.view();
  view.event_groups([&](const std::string& sku, const ChainId& chain, Seq last) {
    Seq& seen = events_seen_[chain];
    seen = std::max(seen, last);
    if (chain.till != config_.till) return;
    // Up to there the database has the ops as well: they were stored with their events.
    const Seq sure = chain.incarnation == state_.incarnation ? state_.last.seq : Seq{};
    view.events_of(sku, chain, sure.next(), last, [&](const StockEvent& event) {
      const auto op = log_.read(chain.incarnation, event.seq);
      if (!op || op->op.hlc != event.hlc) stock_.retract(sku, event);
    });
  });
}

void TillCore::pump_commit(Now now, Actions& out) {
  if (committing_ || now.mono < retry_commit_) return;
  const bool urgent = replicas_.dirty() || rows_.dirty() || generation_.dirty() || promise_ || roster_dirty_ ||
                      !adopted_.empty() || state_dirty_ || prunes(now) || (sweep_wanted_ && now.mono >= next_sweep_);
  const bool due = log_.pending_bytes() >= kCheckpointBytes || (checkpoint_due_ && now.mono >= *checkpoint_due_);
  if (!batch_ && !urgent && !due) return;
  if (!batch_) {
    batch_ = empty_batch();
    if (!adopted_.empty()) *batch_ = std::exchange(adopted_, {});
    form_checkpoint(now, *batch_, out);
  }
  committing_ = true;
  out.commit = batch_;
}

// In the memory of the last one, if whoever wrote that has let go of it.
std::shared_ptr<StoreBatch> TillCore::empty_batch() {
  std::shared_ptr<StoreBatch> last = std::exchange(written_, nullptr);
  if (!last || last.use_count() > 1) return std::make_shared<StoreBatch>();
  last->clear();
  return last;
}

void TillCore::form_checkpoint(Now now, StoreBatch& batch, Actions& out) {
  TillView view = store_.view();
  std::map<std::string, Hash> cashiers;
  batch.reserve(2 * log_.pending_bytes());  // with keys, and what they do to the stock
  for (const PendingOp& p : log_.pending()) {
    batch.vault_op(p.op.chain, p.op.seq, p.op.key, p.bytes);
    if (!p.op.cashier.empty()) cashiers[p.op.cashier] = p.hash;
  }
  for (const auto& [cashier, last] : cashiers) batch.cashier(cashier, last);
  committing_ops_ = log_.pending().size();
  checkpoint_due_.reset();
  rows_.form(view, batch, [&](const FeedKind& feed, const Row& row) {
    if (feed != stock_feed(config_.branch)) return;
    stock_.set_row(row.id, unpack<StockRow>(row.fields).value_or(StockRow{}));
    sweep_wanted_ = true;
  });
  if (const std::uint64_t of_rows = rows_.take_generation()) generation_.on_rows(of_rows);
  if (generation_.form(batch) && !mutated(Mutant::trust_old_word)) doubt_cloud(view, out);
  replicas_.form(view, batch);
  sweep_stock(now, view);
  stock_.form(view, batch);
  host_history_.form(batch);
  health_.form(batch);
  overlay_.forget([this](Incarnation incarnation, Seq seq) { return in_cloud(incarnation, seq); });
  overlay_.form(batch);
  if (promise_) batch.meta(kPromiseMeta, pack(*promise_));
  progress_committing_ = progress_.has_value();
  promise_committing_ = promise_.has_value();
  promise_.reset();
  roster_committing_ = config_.roster ? config_.roster->version : 0;
  if (roster_dirty_ && config_.roster) batch.meta(kRosterMeta, config_.roster->encoded());
  roster_dirty_ = false;
  prune_vault(now, view, batch);
  state_.incarnation = log_.chain().incarnation;
  state_.last = log_.last();
  state_.hlc = log_.hlc();
  state_.checkpoint = log_.journalled();
  state_dirty_ = false;
  batch.state(state_);
}

Actions TillCore::on_committed(Now now, Result<void> outcome) {
  Actions out;
  committing_ = false;
  if (!outcome) {
    if (commit_ok_)
      out.alarm("the database can't be written: " + outcome.error().for_log() + " (sales go on in the journal)");
    commit_ok_ = false;
    retry_commit_ = now.mono + kRetryCommit;  // the same batch again: later ones build on it
    pump(now, out);
    return out;
  }
  commit_ok_ = true;
  written_ = std::move(batch_);
  log_.forget_pending(committing_ops_);
  committing_ops_ = 0;
  roster_durable_ = std::max(roster_durable_, roster_committing_);
  stock_.on_committed();
  for (const ChainId& chain : replicas_.on_committed()) {
    for (auto& [id, peer] : peers_) {
      if (!peer.offered.contains(chain) && peer.name != chain.till) continue;
      out.send(id,
               Ack{WireChain::of(chain), level_of(now, *replicas_.find(chain)), replicas_.find(chain)->record.held});
    }
  }
  PeerId up;
  if (std::exchange(progress_committing_, false) && progress_) {
    if (upstream(now, &up) != nullptr) {
      progress_->signature = Binary(config_.key.sign(progress_->signed_part(config_.branch)));
      out.send(up, *progress_);
    }
    progress_.reset();
  }
  if (promise_committing_) {
    promise_committing_ = false;
    take(now, election_->on_promise_durable(now.mono), out);
  }
  news_ = true;
  pump(now, out);
  return out;
}

}  // namespace tillsync
