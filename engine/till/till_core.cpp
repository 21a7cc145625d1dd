#include "engine/till/till_core.hpp"

#include <algorithm>

#include "engine/validate.hpp"
#include "storage/model/op_codec.hpp"

namespace tillsync {

Actions TillCore::on_start(Now now) {
  Actions out;
  for (const std::string& text : start_warnings_) out.alarm(text);
  start_warnings_.clear();
  pump(now, out);
  return out;
}

Actions TillCore::on_record(Now now, ReplyTo to, const OpDraft& draft) {
  const auto valid = ValidDraft::of(draft);
  if (valid) return on_record(now, {{to, *valid}});
  Actions out;
  out.replies.push_back({to, tl::unexpected(valid.error())});
  return out;
}

Actions TillCore::on_record(Now now, Drafts drafts) {
  Actions out;
  {
    TillView view = store_.view();
    for (auto& [to, draft] : drafts) {
      const auto fits = draft.op().kind == OpKind::resolution ? check_resolution(draft.op()) : Result<void>();
      fits ? log_.record(view, to, std::move(draft), out) : out.replies.push_back({to, tl::unexpected(fits.error())});
    }
  }
  pump(now, out);
  return out;
}

// The same word again is the first one's.
Result<void> TillCore::check_resolution(const Op& op) const {
  if (log_.find(op.key) || log_.writing(op.key)) return {};
  const auto said = read_resolution(decode_document(op.body).value(), op.cashier);
  const auto about = conflict(said->conflict);
  if (!about) {
    return fail(ErrorKind::not_found,
                "there is no conflict '" + said->conflict + "': 'tillsync conflicts list' shows them");
  }
  return check(*said, *about);
}

Actions TillCore::on_wait(Now now, ReplyTo to, const std::string& key, Level level, Duration limit) {
  Actions out;
  waiters_.push_back({to, key, level, now.mono + limit});
  settle_waiters(now, out);
  return out;
}

Actions TillCore::on_appended(Now now, Result<JournalPosition> outcome, const std::function<void(Actions&)>& early) {
  Actions out;
  const std::size_t before = log_.pending().size();
  log_.on_appended(std::move(outcome), out);
  if (early) early(out);
  for (std::size_t i = before; i < log_.pending().size(); ++i) {
    const Op& op = log_.pending()[i].op;
    on_own_durable(op);
    if (!time_known_ && !first_unsynced_) first_unsynced_ = op.seq;
  }
  news_ = true;
  if (log_.has_deferred()) retry_own_ = now.mono + seconds(1);
  if (log_.pending().size() > before && !checkpoint_due_) checkpoint_due_ = now.mono + kCheckpointAfter;
  pump(now, out);
  return out;
}

void TillCore::on_own_durable(const Op& op) {
  add_branch_stock(op);
  overlay_.add(op);
  if (!op.origin) return;
  if (const auto divergent_batch = reissued_divergent_.find(*op.origin); divergent_batch != reissued_divergent_.end())
    divergent_batch->second = op.seq;
  ForkState* fork = fork_of(op.origin->incarnation);
  const bool orphan = fork != nullptr && op.origin->seq > fork->old_end.seq;  // from behind damage: not in the row
  if (fork == nullptr || orphan) return;
  fork->next_to_reissue = std::max(fork->next_to_reissue, op.origin->seq.next());
  state_dirty_ = true;
}

Actions TillCore::on_wake(Now now) {
  Actions out;
  if (election_) take(now, election_->on_wake(now.mono), out);
  if (log_.has_deferred() && now.mono >= retry_own_) log_.retry_deferred();
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

bool TillCore::follows(Now now) const {
  const LeaseView lease = election_->view(now.mono);
  return lease.kind != LeaseKind::none && lease.host != config_.till;
}

void TillCore::pump(Now now, Actions& out) {
  if (lost_ && !left_lost_ && !log_.flushing() && state_.forks.empty()) {
    leave_lost(now, *std::exchange(lost_, {}), out);
    fork_wanted_.reset();
  }
  if (fork_wanted_ && !log_.flushing()) {
    const std::string why = *fork_wanted_;
    fork_wanted_.reset();
    begin_fork(now, log_.chain(), why, out);
  }
  pump_fork(now, out);
  pump_divergent(now, out);
  if (!out.append) log_.pump(corrected(now), out);
  pump_senders(now, out);
  pump_pulls(now, out);
  answer_parked(now, out);
  pump_vitals(now, out);
  pump_progress(now);
  pump_commit(now, out);
}

void TillCore::settle_waiters(Now now, Actions& out) {
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

Instant TillCore::next_wake(Now now) const {
  Instant at = now.mono + seconds(60);
  auto sooner = [&](Instant candidate) { at = std::min(at, candidate); };
  if (election_) sooner(election_->next_wake());
  if (checkpoint_due_ && !committing_) sooner(std::max(*checkpoint_due_, retry_commit_));
  if (now.mono < retry_commit_) sooner(retry_commit_);
  for (const Waiter& w : waiters_) sooner(w.deadline);
  if (log_.has_deferred()) sooner(retry_own_);
  if (vitals_due_) sooner(*vitals_due_);
  for (const auto& [nonce, command] : commands_) sooner(command.second);
  if (upstream(now, nullptr) != nullptr) sooner(next_progress_);
  if (replicas_.waits()) sooner(next_divergent_);
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
