// A history that split: this disk went back in time (a restored backup, a cloned disk, a damaged journal) and the
// branch or the cloud holds another continuation. Both are kept: this till opens a new incarnation, re-issues under it
// what only it has, and fetches back into its vault what it had forgotten.
#include <algorithm>

#include "engine/till/till_core.hpp"
#include "storage/base/mutants.hpp"
#include "storage/base/pack.hpp"
#include "storage/model/op_codec.hpp"

namespace tillsync {

void TillCore::begin_fork(Now, const ChainId& chain, const std::string& why, Actions& out) {
  ForkState fork;
  fork.old_incarnation = chain.incarnation;
  fork.old_end = log_.last();
  fork.agreed = fork.adopted = fork.in_cloud = state_.cloud;
  if (state_.let_go.value.seq > Seq{}) fork.next_to_reissue = state_.let_go.value.seq.next();  // what is older is gone
  reissue_cursor_ = {};
  reissued_divergent_.clear();
  log_.open_incarnation(Incarnation{random_.nonzero()});
  state_.forks.push_back(fork);
  record_incarnation();
  state_.cloud = {};
  state_.let_go = {};
  host_held_ = copy_held_ = {};
  ++state_.forks_seen;
  state_dirty_ = true;
  out.alarm("this till's history forked: " + why + "; it goes on selling, and both histories are kept");
}

// Nobody signs what he says to hold of another's history. A till that tells of forks again and again is ill or lies;
// one that went back in time itself was started anew, and counts anew.
bool TillCore::believes_in_fork(const Peer& peer, Actions& out) {
  if (peer.role == Role::cloud || fork_wanted_) return true;
  unsigned& times = believed_[peer.name];
  if (times == kForksOnWord)
    out.alarm(peer.name.text +
              " tells again and again of sales of this till that there never were: it is not heeded "
              "any more; look at it, or take it out of the roster");
  times = std::min(times + 1, kForksOnWord + 1);
  return times <= kForksOnWord;
}

bool TillCore::knows_nothing() const {
  return log_.last().seq == Seq{} && log_.idle() && state_.forks.empty() && state_.old_chains.empty();
}

// This till has an empty disk (a new one, or a backup from before its first sale), and others have seen its sales.
void TillCore::follow_lost(const ChainId& lost, Actions& out) {
  ForkState fork;
  fork.old_incarnation = lost.incarnation;
  state_.forks.push_back(fork);
  record_incarnation();
  ++state_.forks_seen;
  state_dirty_ = true;
  out.alarm("this till's disk is empty, but it sold before: what the branch and the cloud hold of that comes back");
}

bool TillCore::knows(Incarnation history) const {
  const auto is = [&](const auto& each) { return each.incarnation == history; };
  if (history == log_.chain().incarnation || std::any_of(state_.old_chains.begin(), state_.old_chains.end(), is))
    return true;
  if (std::count(state_.lost.begin(), state_.lost.end(), history) > 0) return true;
  if (std::any_of(state_.forks.begin(), state_.forks.end(),
                  [&](const ForkState& fork) { return fork.old_incarnation == history; }))
    return true;
  bool found = false;
  store_.view().all_ops(history, Seq{0},
                        [&](Incarnation first, Seq, ByteView) { return found = first == history, false; });
  return found;
}

// A backup was restored from before this till opened that history: it goes on in a new one that names both as left.
// Once in a run, since two machines with one key would go on and on.
void TillCore::leave_lost(Now now, const ChainId& lost, Actions& out) {
  left_lost_ = true;
  begin_fork(now, log_.chain(), "others have seen a history of this till that it has no more (was a backup restored?)",
             out);
  ForkState fork;
  fork.old_incarnation = lost.incarnation;
  state_.forks.push_back(fork);
  state_.lost.push_back(lost.incarnation);
  record_incarnation();
}

// The first op of a history that follows a fork names the fork.
void TillCore::record_incarnation() {
  Op op;
  op.kind = OpKind::incarnation;
  op.key = "incarnation/" + config_.till.text + "/" + std::to_string(log_.chain().incarnation.value);
  op.body = pack(state_.forks.back());
  log_.record_own(std::move(op));
}

ForkState* TillCore::fork_of(Incarnation old) {
  for (ForkState& fork : state_.forks) {
    if (fork.old_incarnation == old) return &fork;
  }
  return nullptr;
}

void TillCore::pump_fork(Now now, Actions& out) {
  if (state_.forks.empty()) return;
  ForkState& fork = state_.forks.back();
  reissue_cursor_ = std::max(reissue_cursor_, fork.next_to_reissue);
  while (fork.split.value != 0 && reissue_cursor_ <= fork.old_end.seq && log_.waiting() < LocalLog::kMaxBatchOps) {
    auto old = log_.read(fork.old_incarnation, reissue_cursor_);
    reissue_cursor_ = reissue_cursor_.next();
    if (!old || old->op.kind == OpKind::incarnation || mutated(Mutant::skip_reissue)) continue;
    const Origin origin{fork.old_incarnation, old->op.seq, old->op.hlc};
    const auto newest = log_.find(old->op.key);
    if (newest && newest->op.origin == origin) continue;  // re-issued when this fork was first compared
    old->op.origin = origin;
    log_.record_own(std::move(old->op));
  }
  if (now.mono < fetch_again_) return;
  // Forgotten ops take the old places in the vault, so ours must have their new ones first, on disk.
  const bool comparing = fork.split.value == 0;
  const bool reissued =
      !comparing && reissue_cursor_ > fork.old_end.seq && log_.idle() && log_.pending().empty() && !committing_;
  if (reissued && fork.next_to_reissue != reissue_cursor_) fork.next_to_reissue = reissue_cursor_, state_dirty_ = true;
  if (!comparing && !reissued) return;
  PeerId up;
  if (upstream(now, &up) == nullptr) return;
  const Seq from = comparing ? fork.agreed.seq.next() : fork.adopted.seq.next();
  out.send(up, Fetch{{config_.till, fork.old_incarnation}, from});
  fetch_again_ = now.mono + seconds(5);  // unless it is answered sooner
}

void TillCore::handle(Now now, PeerId from, Fetch& m, Actions& out) {
  const ChainId chain = m.chain.id();
  if (chain.till != peer_of(from)->name) return void(++refused_);  // its own is all that a till ever needs
  Fetched answer{m.chain, m.from, {}, true};
  const ReplicaBuffer::Chain* held = replicas_.find(chain);
  const bool behind = held != nullptr && held->record.cloud.seq > held->record.held.seq;  // and may be another branch
  if (held != nullptr && held->settled && !behind && m.from > held->record.base.seq) {
    std::size_t bytes = 0;
    store_.view().relay_ops(chain, m.from, [&](Seq seq, ByteView op) {
      if (seq.value != m.from.value + answer.ops.size() || seq > held->record.held.seq) return false;
      if (!answer.ops.empty() && (bytes + op.size() > kMaxBatchBytes || answer.ops.size() >= kMaxBatchOps))
        return false;
      bytes += op.size();
      answer.ops.emplace_back(op);
      return true;
    });
    out.send(from, std::move(answer));
    return;
  }
  PeerId up;
  const Peer* cloud = upstream(now, &up);
  const bool room = proxied_fetches_.size() < kMaxProxied || proxied_fetches_.contains(chain);
  if (cloud != nullptr && cloud->role == Role::cloud &&
      room) {  // the cloud keeps everything: ask it on the till's behalf
    proxied_fetches_[chain] = from;
    out.send(up, m);
    return;
  }
  answer.known = false;
  out.send(from, std::move(answer));
}

void TillCore::handle(Now now, PeerId, Fetched& m, Actions& out) {
  const ChainId chain = m.chain.id();
  if (chain.till != config_.till) {
    const auto proxied = proxied_fetches_.find(chain);
    if (proxied == proxied_fetches_.end()) return;
    if (peers_.contains(proxied->second)) out.send(proxied->second, m);
    proxied_fetches_.erase(proxied);
    return;
  }
  if (state_.forks.empty() || chain.incarnation != state_.forks.back().old_incarnation) return;
  if (!m.known) return void(fetch_again_ = now.mono + seconds(5));
  const ForkState& fork = state_.forks.back();
  const bool comparing = fork.split.value == 0;
  // The comparison may have been asked for twice; ours must be on disk in their new places before the old ones go.
  if (!comparing && fork.next_to_reissue <= fork.old_end.seq) return;
  fetch_again_ = now.mono;
  comparing ? compare_branches(m, out) : adopt(now, m, out);
}

// Walks both branches from the last point known to be shared.
void TillCore::compare_branches(const Fetched& m, Actions&) {
  ForkState& fork = state_.forks.back();
  if (m.from != fork.agreed.seq.next()) return;
  state_dirty_ = true;
  for (const Binary& bytes : m.ops) {
    const Seq seq = fork.agreed.seq.next();
    const auto mine = seq <= fork.old_end.seq ? log_.read(fork.old_incarnation, seq) : std::nullopt;
    const Hash theirs = blake2b(bytes);
    if (!mine || mine->hash != theirs) {
      fork.split = seq;
      break;
    }
    fork.agreed = fork.adopted = {seq, theirs};
  }
  if (fork.split.value == 0 && m.ops.empty()) fork.split = fork.agreed.seq.next();
  if (fork.split.value != 0 && fork.next_to_reissue < fork.split) fork.next_to_reissue = fork.split;
}

void TillCore::adopt(Now now, const Fetched& m, Actions& out) {
  ForkState& fork = state_.forks.back();
  if (m.from != fork.adopted.seq.next()) return;
  state_dirty_ = true;
  for (const Binary& bytes : m.ops) {
    auto op = decode_op(bytes);
    const bool follows = op && op->chain == ChainId{config_.till, fork.old_incarnation} &&
                         op->seq == fork.adopted.seq.next() && op->prev == fork.adopted.hash;
    if (!follows) {
      // The host held a branch of its own up to here, and the cloud another: compare with the cloud's.
      out.info("the host and the cloud hold different branches of this till's history: comparing anew");
      if (fork.adopted == fork.in_cloud) fork.in_cloud = {};  // it went back in time, and has not even that any more
      fork.agreed = fork.adopted = fork.in_cloud;
      fork.split = fork.next_to_reissue = reissue_cursor_ = {};
      fetch_again_ = now.mono + seconds(5);
      return;
    }
    adopted_.vault_adopt(op->chain, op->seq, op->key, bytes, !log_.find(op->key).has_value());
    add_branch_stock(*op);
    fork.adopted = {op->seq, blake2b(bytes)};
  }
  if (!m.ops.empty()) return;
  const bool rebuilt = fork.old_incarnation == log_.chain().incarnation;  // no fork: engine/till/rebuilt_state.hpp
  if (!rebuilt && !drop_left_behind(fork)) return void(fetch_again_ = now.mono + milliseconds(100));
  if (!rebuilt && fork.adopted.seq > Seq{}) {
    state_.old_chains.push_back({fork.old_incarnation, fork.adopted, {}});
  } else if (!rebuilt && std::ranges::find(state_.lost, fork.old_incarnation) == state_.lost.end()) {
    state_.lost.push_back(fork.old_incarnation);  // nobody has any of it, and it stays known
  }
  out.info(rebuilt ? "this till has the older part of its history back from the cloud"
                   : "the fork is settled: this till has both branches of its history again");
  settle_fork();
}

void TillCore::settle_fork() {
  state_.forks.pop_back();
  reissue_cursor_ = {};
}

}  // namespace tillsync
