#include "engine/till/node.hpp"

#include <algorithm>

#include "engine/validate.hpp"
#include "storage/mutants.hpp"
#include "storage/op_codec.hpp"
#include "storage/pack.hpp"

namespace tillsync {

namespace {
constexpr char kPromiseNote[] = "promise", kRosterNote[] = "roster";

TillState stored_state(TillStore& store, Random& random) {
  if (auto state = store.view().state()) return *state;
  TillState fresh;
  fresh.incarnation = Incarnation{random.nonzero()};
  return fresh;
}
}  // namespace

Node::Node(NodeConfig config, TillStore& store, Recovered recovered, Random random, Now now)
    : config_(std::move(config)),
      store_(store),
      state_([&] { return stored_state(store, random); }()),
      random_(random),
      own_(config_.branch, config_.till, store, state_),
      relay_(store),
      rows_(store, config_.branch),
      stock_(config_.branch),
      host_history_(store.view()),
      book_(store.view()),
      words_(store.view()),
      hostless_since_(now.mono) {
  if (auto note = store_.view().note(kRosterNote)) {
    auto stored = Roster::decode(*note);
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
std::optional<Promise> Node::stored_promise() const {
  if (mutated(Mutant::forget_promise)) return std::nullopt;
  TillView view = store_.view();
  const auto note = view.note(kPromiseNote);
  if (const auto promise = note ? unpack<Promise>(*note) : std::nullopt) return promise;
  return note || view.state() ? std::optional(Promise{{}, config_.till, config_.roster->lease_ms}) : std::nullopt;
}

// The journal's tail after the last checkpoint. Damage in it splits the history: what follows the hole is re-issued
// under a new incarnation, and what was in the hole comes back from whoever holds it.
void Node::restore(Recovered recovered, Actions& out) {
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
    if (!orphans.empty() || !own_.replay(*op, hash, bytes)) {
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
  const bool unnamed = !state_.forks.empty() && own_.last().seq == Seq{};  // the crash came before its first op
  if (unnamed) record_incarnation();
  own_.on_replayed(recovered.report.end, !orphans.empty());
  if (orphans.empty()) return;
  begin_fork({}, own_.chain(), "the journal is damaged", out);
  for (Op& op : orphans) {
    op.origin = Origin{op.chain.incarnation, op.seq, op.hlc};
    if (op.kind != OpKind::incarnation && !own_.find(op.key)) own_.record_own(std::move(op));
  }
}

// What counts in the stock is stored apart from the ops, and may have got further than a damaged journal.
void Node::restore_events() {
  TillView view = store_.view();
  view.event_groups([&](const std::string& sku, const ChainId& chain, Seq last) {
    Seq& seen = events_seen_[chain];
    seen = std::max(seen, last);
    if (chain.till != config_.till) return;
    // Up to there the database has the ops as well: they were stored with their events.
    const Seq sure = chain.incarnation == state_.incarnation ? state_.last.seq : Seq{};
    view.events_of(sku, chain, sure.next(), last, [&](const StockEvent& event) {
      const auto op = own_.read(chain.incarnation, event.seq);
      if (!op || op->op.hlc != event.hlc) stock_.retract(sku, event);
    });
  });
}

Actions Node::on_start(Now now) {
  Actions out;
  for (const std::string& text : start_warnings_) out.alarm(text);
  start_warnings_.clear();
  pump(now, out);
  return out;
}

Actions Node::on_record(Now now, ReplyTo to, OpDraft draft) {
  auto valid = ValidDraft::of(std::move(draft));
  if (valid) return on_record(now, {{to, std::move(*valid)}});
  Actions out;
  out.replies.push_back({to, tl::unexpected(valid.error())});
  return out;
}

Actions Node::on_record(Now now, const std::vector<std::pair<ReplyTo, ValidDraft>>& drafts) {
  Actions out;
  {
    TillView view = store_.view();
    for (const auto& [to, draft] : drafts) {
      const auto fits = draft.draft().kind == OpKind::resolution ? check_resolution(draft.draft()) : Result<void>();
      fits ? own_.record(view, to, draft, out) : out.replies.push_back({to, tl::unexpected(fits.error())});
    }
  }
  pump(now, out);
  return out;
}

// The same word again is the first one's.
Result<void> Node::check_resolution(const OpDraft& draft) const {
  if (own_.find(draft.key) || own_.writing(draft.key)) return {};
  const auto said = read_resolution(draft.document, draft.cashier);
  const auto about = conflict(said->conflict);
  if (!about) {
    return fail(ErrorKind::not_found,
                "there is no conflict '" + said->conflict + "': 'tillsync conflicts list' shows them");
  }
  return check(*said, *about);
}

Actions Node::on_wait(Now now, ReplyTo to, const std::string& key, Level level, Duration limit) {
  Actions out;
  waiters_.push_back({to, key, level, now.mono + limit});
  settle_waiters(now, out);
  return out;
}

Actions Node::on_appended(Now now, Result<JournalPosition> outcome, const std::function<void(Actions&)>& early) {
  Actions out;
  const std::size_t before = own_.pending().size();
  own_.on_appended(std::move(outcome), out);
  if (early) early(out);
  for (std::size_t i = before; i < own_.pending().size(); ++i) {
    const Op& op = own_.pending()[i].op;
    on_own_durable(op);
    if (!time_known_ && !first_unsynced_) first_unsynced_ = op.seq;
  }
  news_ = true;
  if (own_.has_deferred()) retry_own_ = now.mono + seconds(1);
  if (own_.pending().size() > before && !checkpoint_due_) checkpoint_due_ = now.mono + kCheckpointAfter;
  pump(now, out);
  return out;
}

void Node::on_own_durable(const Op& op) {
  add_branch_stock(op);
  words_.add(op);
  if (!op.origin) return;
  if (const auto stray = reissued_strays_.find(*op.origin); stray != reissued_strays_.end()) stray->second = op.seq;
  ForkState* fork = fork_of(op.origin->incarnation);
  const bool orphan = fork != nullptr && op.origin->seq > fork->old_end.seq;  // from behind damage: not in the row
  if (fork == nullptr || orphan) return;
  fork->next_to_reissue = std::max(fork->next_to_reissue, op.origin->seq.next());
  state_dirty_ = true;
}

Actions Node::on_committed(Now now, Result<void> outcome) {
  Actions out;
  committing_ = false;
  if (!outcome) {
    if (commit_ok_)
      out.alarm("the database can't be written: " + outcome.error().message + " (sales go on in the journal)");
    commit_ok_ = false;
    retry_commit_ = now.mono + kRetryCommit;  // the same batch again: later ones build on it
    pump(now, out);
    return out;
  }
  commit_ok_ = true;
  batch_.reset();
  own_.forget_pending(committing_ops_);
  committing_ops_ = 0;
  roster_durable_ = std::max(roster_durable_, roster_committing_);
  stock_.on_committed();
  for (const ChainId& chain : relay_.on_committed()) {
    for (auto& [id, peer] : peers_) {
      if (!peer.offered.contains(chain) && peer.name != chain.till) continue;
      out.send(id, Held{WireChain::of(chain), level_of(now, *relay_.find(chain)), relay_.find(chain)->record.held});
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

Actions Node::on_wake(Now now) {
  Actions out;
  if (election_) take(now, election_->on_wake(now.mono), out);
  if (own_.has_deferred() && now.mono >= retry_own_) own_.retry_deferred();
  settle_waiters(now, out);
  if (election_ && follows(now)) {  // what it needs of the cloud comes by the host
    for (const auto& [id, peer] : peers_) {
      if (peer.role == Role::cloud && !wants_cloud(now)) out.hang_up.push_back(id);
    }
  }
  expire_commands(now, out);
  pump(now, out);
  return out;
}

bool Node::follows(Now now) const {
  const LeaseView lease = election_->view(now.mono);
  return lease.kind != LeaseKind::none && lease.host != config_.till;
}

void Node::pump(Now now, Actions& out) {
  if (lost_ && !left_lost_ && !own_.flushing() && state_.forks.empty()) {
    leave_lost(now, *std::exchange(lost_, {}), out);
    fork_wanted_.reset();
  }
  if (fork_wanted_ && !own_.flushing()) {
    const std::string why = *fork_wanted_;
    fork_wanted_.reset();
    begin_fork(now, own_.chain(), why, out);
  }
  pump_fork(now, out);
  pump_strays(now, out);
  if (!out.append) own_.pump(corrected(now), out);
  pump_senders(now, out);
  pump_pulls(now, out);
  answer_parked(now, out);
  pump_vitals(now, out);
  pump_progress(now);
  pump_commit(now, out);
}

void Node::pump_commit(Now now, Actions& out) {
  if (committing_ || now.mono < retry_commit_) return;
  const bool urgent = relay_.dirty() || rows_.dirty() || promise_ || roster_dirty_ || !adopted_.empty() ||
                      state_dirty_ || prunes(now) || (sweep_wanted_ && now.mono >= next_sweep_);
  const bool due = own_.pending_bytes() >= kCheckpointBytes || (checkpoint_due_ && now.mono >= *checkpoint_due_);
  if (!batch_ && !urgent && !due) return;
  if (!batch_) {
    StoreBatch batch = std::move(adopted_);
    adopted_ = {};
    form_checkpoint(now, batch, out);
    batch_ = std::make_shared<const StoreBatch>(std::move(batch));
  }
  committing_ = true;
  out.commit = batch_;
}

void Node::form_checkpoint(Now now, StoreBatch& batch, Actions& out) {
  TillView view = store_.view();
  std::map<std::string, Hash> cashiers;
  for (const PendingOp& p : own_.pending()) {
    batch.vault_op(p.op.chain, p.op.seq, p.op.key, p.bytes);
    if (!p.op.cashier.empty()) cashiers[p.op.cashier] = p.hash;
  }
  for (const auto& [cashier, last] : cashiers) batch.cashier(cashier, last);
  committing_ops_ = own_.pending().size();
  checkpoint_due_.reset();
  rows_.form(view, batch, [&](const FeedKind& feed, const Row& row) {
    if (feed != stock_feed(config_.branch)) return;
    stock_.set_row(row.id, unpack<StockRow>(row.fields).value_or(StockRow{}));
    sweep_wanted_ = true;
  });
  if (rows_.take_anew() && !mutated(Mutant::trust_old_word)) doubt_cloud(view, out);
  relay_.form(view, batch);
  sweep_stock(now, view);
  stock_.form(view, batch);
  host_history_.form(batch);
  book_.form(batch);
  words_.forget([this](Incarnation incarnation, Seq seq) { return in_cloud(incarnation, seq); });
  words_.form(batch);
  if (promise_) batch.note(kPromiseNote, pack(*promise_));
  progress_committing_ = progress_.has_value();
  promise_committing_ = promise_.has_value();
  promise_.reset();
  roster_committing_ = config_.roster ? config_.roster->version : 0;
  if (roster_dirty_ && config_.roster) batch.note(kRosterNote, config_.roster->encoded());
  roster_dirty_ = false;
  prune_vault(now, view, batch);
  state_.incarnation = own_.chain().incarnation;
  state_.last = own_.last();
  state_.hlc = own_.hlc();
  state_.checkpoint = own_.journalled();
  state_dirty_ = false;
  batch.state(state_);
}

void Node::settle_waiters(Now now, Actions& out) {
  std::erase_if(waiters_, [&](const Waiter& w) {
    const auto level = where(w.key);
    if (level && *level >= w.level) {
      out.level_replies.push_back({w.to, *level});
    } else if (now.mono >= w.deadline) {
      out.level_replies.push_back(
          {w.to, level ? fail(ErrorKind::timed_out, "not there yet: the op is safe here and goes on by itself")
                       : Result<Level>(tl::unexpected(level.error()))});
    } else {
      return false;
    }
    return true;
  });
}

Instant Node::next_wake(Now now) const {
  Instant at = now.mono + seconds(60);
  auto sooner = [&](Instant candidate) { at = std::min(at, candidate); };
  if (election_) sooner(election_->next_wake());
  if (checkpoint_due_ && !committing_) sooner(std::max(*checkpoint_due_, retry_commit_));
  if (now.mono < retry_commit_) sooner(retry_commit_);
  for (const Waiter& w : waiters_) sooner(w.deadline);
  if (own_.has_deferred()) sooner(retry_own_);
  if (vitals_due_) sooner(*vitals_due_);
  for (const auto& [nonce, command] : commands_) sooner(command.second);
  if (upstream(now, nullptr) != nullptr) sooner(next_progress_);
  if (relay_.waits()) sooner(next_strays_);
  if (sweep_wanted_ && !committing_) sooner(std::max(next_sweep_, retry_commit_));
  if (state_.forks.empty() && !committing_) sooner(std::max(next_prune_, retry_commit_));
  for (const auto& [id, peer] : peers_) {
    sooner(peer.next_ping);
    for (const auto& [chain, sender] : peer.senders) {
      if (auto wake = sender.next_wake()) sooner(*wake);
    }
  }
  if (!state_.forks.empty()) sooner(std::max(fetch_again_, now.mono + milliseconds(100)));
  const bool hostless = election_ && election_->view(now.mono).kind == LeaseKind::none;
  if (hostless && config_.use_cloud && !wants_cloud(now))
    sooner(hostless_since_ + milliseconds(config_.roster->lease_ms) * 2);
  return std::max(at, now.mono + milliseconds(1));
}

}  // namespace tillsync
