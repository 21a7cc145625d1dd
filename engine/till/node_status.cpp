// What a till can be asked, and its part in the election.
#include <algorithm>

#include "engine/till/node.hpp"
#include "storage/mutants.hpp"
#include "storage/op_codec.hpp"

namespace tillsync {

namespace {
constexpr std::int64_t kRetentionMs = 7LL * 24 * 3600 * 1000;  // the black box is kept a week
}

void Node::take(Now now, LeaseActions lease, Actions& out) {
  for (LeaseActions::Send& send : lease.sends) {
    for (const auto& [id, peer] : peers_) {
      if (peer.role == Role::till && peer.name == send.to) {
        std::visit([&, to = id](const auto& m) { out.send(to, m); }, send.message);  // to its clone as well, if any
      }
    }
  }
  if (lease.promise) promise_ = lease.promise;
  if (!lease.host_changed) return;
  ++host_changes_;
  host_held_ = copy_held_ = {};
  const LeaseView view = election_->view(now.mono);
  if (view.kind == LeaseKind::none) hostless_since_ = now.mono;
  out.info("host: " + lease.reason);
  host_history_.add({corrected(now), view.host.text, view.kind == LeaseKind::exclusive, view.term, lease.reason});
  if (!checkpoint_due_) checkpoint_due_ = now.mono + kCheckpointAfter;
}

std::optional<Duration> Node::silence_of(const TillId& name, Now now) const {
  std::optional<Instant> heard;
  if (const auto it = last_heard_.find(name); it != last_heard_.end()) heard = it->second;
  for (const auto& [id, peer] : peers_) {
    if (peer.name == name) heard = std::max(heard.value_or(peer.heard), peer.heard);
  }
  return heard ? std::optional(now.mono - *heard) : std::nullopt;
}

bool Node::connected_to(const TillId& name) const {
  return std::any_of(peers_.begin(), peers_.end(), [&](const auto& p) { return p.second.name == name; });
}

Actions Node::on_roster(Now now, const Roster& roster) {
  Actions out;
  adopt_roster(now, roster, out);
  pump(now, out);
  return out;
}

void Node::adopt_roster(Now now, const Roster& roster, Actions& out) {
  const bool ours = roster.branch == config_.branch &&
                    (!config_.roster ||
                     (roster.tenant_key == config_.roster->tenant_key && roster.version > config_.roster->version));
  if (!ours) return;
  const bool first = !config_.roster;
  config_.roster = roster;
  roster_dirty_ = true;
  out.roster_changed = true;
  out.info("roster version " + std::to_string(roster.version) + " with " + std::to_string(roster.members.size()) +
           " members");
  if (first) {
    election_.emplace(config_.till, config_.key, roster, std::nullopt, Random(random_.next()), now.mono);
  } else {
    take(now, election_->on_roster(now.mono, roster), out);
  }
  for (const auto& [id, peer] : peers_) {
    if (roster.find(peer.name) == nullptr) {
      out.hang_up.push_back(id);
    } else if (!first) {
      out.send(id, NewRoster{Binary(roster.encoded())});
    }
  }
}

Actions Node::on_step_down(Now now, std::optional<TillId> successor) {
  Actions out;
  if (election_) take(now, election_->on_step_down(now.mono, std::move(successor), "handed over on request"), out);
  pump(now, out);
  return out;
}

LeaseView Node::lease(Now now) const { return election_ ? election_->view(now.mono) : LeaseView{}; }

Result<Level> Node::where(const std::string& key) const {
  const auto op = own_.find(key);
  if (!op) return fail(ErrorKind::not_found, "this till has no op with the key '" + key + "'");
  const auto [till, incarnation] = op->op.chain;
  for (const OldChain& own : own_chains()) {
    if (own.incarnation != incarnation) continue;
    if (op->op.seq <= own.cloud.seq) return Level::cloud;
    if (incarnation != own_.chain().incarnation) return Level::own_disk;
    if (op->op.seq <= host_held_.seq) return Level::host;
    return op->op.seq <= copy_held_.seq || mutated(Mutant::claim_two_disks) ? Level::two_disks : Level::own_disk;
  }
  const bool disputed = std::any_of(
      state_.forks.begin(), state_.forks.end(),
      [&, in = incarnation](const ForkState& f) { return f.old_incarnation == in && op->op.seq > f.in_cloud.seq; });
  return disputed ? Level::own_disk : Level::cloud;
}

std::optional<std::int64_t> Node::stock(const std::string& sku) const {
  TillView view = store_.view();
  return stock_.quantity(view, sku);
}

std::map<std::string, std::int64_t> Node::all_stock() const {
  std::map<std::string, std::int64_t> all;
  store_.view().stocks([&](const std::string& sku, const StockProjection& p) { all[sku] = p.milli; });
  for (const PendingOp& p : own_.pending()) {
    if (!moves_stock(p.op.kind)) continue;
    const auto document = decode_document(p.op.body);
    if (!document) continue;
    for (const Line& line : document->lines) all[line.sku] = stock(line.sku).value_or(0);
  }
  return all;
}

std::optional<Row> Node::row(const FeedKind& feed, const std::string& id) const {
  auto stored = store_.view().row(feed, id);
  return stored ? std::optional(std::move(stored->row)) : std::nullopt;
}

std::vector<PendingOp> Node::unsent(std::size_t limit) const {
  std::vector<PendingOp> out;
  own_.ops(own_.chain().incarnation, state_.cloud.seq.next(), [&](Seq, ByteView bytes) {
    if (out.size() >= limit) return false;
    if (auto op = decode_op(bytes)) out.push_back({std::move(*op), blake2b(bytes), Bytes(bytes)});
    return true;
  });
  return out;
}

std::uint32_t Node::retirable(const std::vector<JournalSegment>& segments, Now now) const {
  std::uint32_t last = 0;
  for (std::size_t i = 0; i + 1 < segments.size(); ++i) {
    // All of a segment is older than the first op of the next one.
    const auto next = decode_op(segments[i + 1].first_op);
    if (!next || segments[i + 1].number > state_.checkpoint.segment) break;
    const bool in_cloud = next->chain == own_.chain() ? next->seq <= state_.cloud.seq.next()
                                                      : state_.forks.empty() && state_.old_chains.empty();
    if (!in_cloud || next->hlc.millis() > corrected(now) - kRetentionMs) break;
    last = segments[i].number;
  }
  return last;
}

Status Node::status(Now now) const {
  Status s;
  s.branch = config_.branch.text;
  s.till = config_.till.text;
  if (config_.roster) {
    s.tenant = config_.roster->tenant;
    s.roster_version = config_.roster->version;
  }
  s.incarnation = own_.chain().incarnation.value;
  s.recorded = own_.last().seq.value;
  for (const OldChain& own : own_chains()) s.unsent += own.last.seq.value - std::min(own.cloud.seq, own.last.seq).value;
  for (const ForkState& fork : state_.forks) {
    const std::uint64_t done =
        std::max(fork.agreed.seq.value, std::max<std::uint64_t>(fork.next_to_reissue.value, 1) - 1);
    s.unsent += fork.old_end.seq.value - std::min(fork.old_end.seq.value, done);
  }
  const Seq second_disk = std::max({state_.cloud.seq, host_held_.seq, copy_held_.seq});
  s.one_disk_only = own_.last().seq.value - std::min(second_disk, own_.last().seq).value;
  const auto oldest = unsent(1);
  if (!oldest.empty()) s.oldest_unsent_ms = std::max<std::int64_t>(1, corrected(now) - oldest.front().op.hlc.millis());
  s.relaying = relay_.unsent();
  const LeaseView view = lease(now);
  s.host = view.host.text;
  s.lease = view.kind == LeaseKind::exclusive     ? "exclusive"
            : view.kind == LeaseKind::provisional ? "provisional"
                                                  : "none";
  s.is_host = view.kind != LeaseKind::none && view.host == config_.till;
  s.accepting = !own_.stopped();
  s.database_ok = !store_.damaged() && commit_ok_;
  s.clock_offset_ms = state_.clock_offset_ms;
  s.rows = store_.view().row_count();
  s.rows_diverged = rows_.diverged();
  s.forks = state_.forks_seen;
  s.fork_open = !state_.forks.empty();
  s.refused_messages = refused_ + (election_ ? election_->ignored() : 0);
  s.host_changes = host_changes_;
  for (const auto& [id, peer] : peers_) {
    const bool is_cloud = peer.role == Role::cloud;
    s.cloud_connected = s.cloud_connected || is_cloud;
    s.peers.push_back({peer.name.text, is_cloud ? "cloud" : peer.name == view.host ? "host" : "till", 0});
  }
  return s;
}

}  // namespace tillsync
