#include "engine/till/till_core.hpp"

#include <algorithm>
#include <utility>

namespace tillsync {

TillCore::TillCore(TillCoreConfig config, TillStore& store, Recovered recovered, Random random, Now now)
    : config_(std::move(config)),
      roster_(config_, store),
      context_{config_, roster_.roster(), store},
      random_(random),
      checkpoints_(store, random_, timer_),
      peers_(config_.till),
      health_(context_, peers_, timer_),
      log_(context_, timer_, checkpoints_.state()),
      forks_(checkpoints_.state()),
      claims_(context_, log_, forks_),
      acks_(context_, log_, forks_, claims_, copies_, timer_, checkpoints_.state()),
      reissue_(log_, acks_, forks_),
      stock_(config_.branch),
      repair_(context_, log_, forks_, acks_, reissue_, stock_, random_),
      retention_(context_, log_, acks_, forks_),
      waiters_(acks_),
      clock_(context_, log_, checkpoints_.state()),
      progress_(context_, peers_, log_),
      replicas_(store),
      generation_(store.view()),
      uplink_(context_, peers_, log_, acks_, replicas_),
      holders_(peers_, uplink_),
      relay_(context_, peers_, replicas_, holders_, generation_, health_, stock_),
      divergent_(store, peers_, replicas_),
      resets_(context_, peers_, generation_, acks_, replicas_, uplink_, health_),
      rows_(store, config_.branch),
      sweep_(context_, stock_, rows_, acks_),
      follower_(context_, rows_, stock_, sweep_, log_, generation_, health_, timer_),
      server_(context_, peers_, log_, acks_, replicas_, health_),
      overlay_(context_, acks_),
      leadership_(context_, peers_, health_, copies_, timer_, random_, now.mono),
      vitals_(peers_),
      commands_(leadership_, peers_, random_),
      queries_({context_, log_, acks_, forks_, copies_, replicas_, rows_, stock_, overlay_, peers_, health_,
                leadership_, clock_, checkpoints_}) {
  // Rows come before the sweep, which looks at what they settle; a promise that is durable may be granted on last, when
  // all else of the checkpoint is known to be; what all of them did to the own histories comes at the end.
  checkpoints_.store_in_order({&repair_, &log_, &follower_, &resets_, &relay_, &sweep_, &health_, &overlay_, &progress_,
                               &roster_, &leadership_, &retention_, &acks_, &forks_, &clock_});
  Actions found;
  JournalReplay(context_, log_, forks_, acks_, repair_)
      .run(
          std::move(recovered), [this](const Op& op) { on_own_durable(op); }, found);
  follower_.restore_events(checkpoints_.state());
  for (const Notice& notice : found.notices) start_warnings_.push_back(notice.text);
}

Moment TillCore::moment(Now now) const {
  return {now, clock_.corrected(now), leadership_.view(now.mono), leadership_.hosts(now.mono)};
}

// Does what the event has made possible. A repair of the own history goes first, since it decides which history the
// next ops belong to; the checkpoint goes last, and takes what all of them left.
void TillCore::advance(Now now, Actions& out) {
  claims_.begin_if_possible(repair_, out);
  const Moment at = moment(now);
  const Peer* up = peers_.upstream(at.lease);
  repair_.advance(at, up, checkpoints_, out);
  divergent_.advance(at.mono(), out);
  if (!out.append) log_.flush(at.wall_ms, out);
  uplink_.send(at, out);
  follower_.follow(up);
  for (const auto& [id, peer] : peers_.all()) {
    if (&peer == up) follower_.pull(peer, out);
    peers_.ping_if_silent(at.mono(), peer, random_, out);
  }
  server_.answer(checkpoints_.in_flight(), out);
  vitals_.tell(at.mono(), vitals(), out);
  if (context_.roster) health_.look_for_majority(*context_.roster, config_.till, roster_.durable_version(), at.mono());
  progress_.advance(at);
  checkpoints_.start_if_due(at, out);
}

Instant TillCore::next_wake(Now now) const {
  const bool has_upstream = peers_.upstream(leadership_.view(now.mono)) != nullptr;
  Instant at = now.mono + seconds(60);
  at = leadership_.next_wake(now.mono, at);
  at = checkpoints_.next_wake(now.mono, at);
  at = waiters_.next_wake(at);
  at = log_.next_wake(at);
  at = vitals_.next_wake(at);
  at = commands_.next_wake(at);
  at = progress_.next_wake(has_upstream, at);
  at = divergent_.next_wake(at);
  at = peers_.next_ping(at);
  at = uplink_.next_wake(at);
  at = repair_.next_wake(now.mono, at);
  return std::max(at, now.mono + milliseconds(1));
}

Actions TillCore::on_start(Now now) {
  Actions out;
  for (const std::string& text : start_warnings_) out.alarm(text);
  start_warnings_.clear();
  advance(now, out);
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
    TillView view = context_.store.view();
    for (auto& [to, draft] : drafts) {
      const auto fits = draft.op().kind == OpKind::resolution ? queries_.check_resolution(draft.op()) : Result<void>();
      fits ? log_.record(view, to, std::move(draft), out) : out.replies.push_back({to, tl::unexpected(fits.error())});
    }
  }
  advance(now, out);
  return out;
}

Actions TillCore::on_wait(Now now, ReplyTo to, const std::string& key, Level level, Duration limit) {
  Actions out;
  if (const auto known = acks_.durability(key); !known && !log_.writing(key)) {
    out.level_replies.push_back({to, tl::unexpected(known.error())});
    return out;
  }
  waiters_.add(to, key, level, now.mono + limit);
  waiters_.settle(now.mono, out);
  return out;
}

Actions TillCore::on_appended(Now now, Result<JournalPosition> outcome, const std::function<void(Actions&)>& early) {
  Actions out;
  const auto& pending = log_.history().pending();
  const std::size_t before = pending.size();
  log_.on_appended(now.mono, std::move(outcome), out);
  if (early) early(out);
  for (std::size_t i = before; i < pending.size(); ++i) {
    on_own_durable(pending[i].op);
    clock_.on_recorded(pending[i].op.seq);
  }
  server_.on_changed();
  advance(now, out);
  return out;
}

void TillCore::on_own_durable(const Op& op) {
  stock_.add_op(op);
  overlay_.add(op);
  reissue_.on_durable(op);
  repair_.on_durable(op);
}

Actions TillCore::on_committed(Now now, Result<void> outcome) {
  Actions out;
  if (checkpoints_.on_committed(moment(now), outcome, out)) server_.on_changed();
  advance(now, out);
  return out;
}

Actions TillCore::on_peer_up(Now now, PeerId id, const TillId& name, Role role) {
  Actions out;
  if (name == config_.till) {
    out.alarm(
        "another machine uses this till's key: if you did not copy its disk, it is stolen; pair this till anew and "
        "take the old key out of the roster");
    out.hang_up.push_back(id);
    return out;
  }
  const Moment at = moment(now);
  const Peer& peer = peers_.on_up(now.mono, id, name, role);
  out.info("connected to " + name.text);
  roster_.tell(peer, out);
  follower_.tell_seen(peer, out);
  leadership_.on_peer_up(at, peer, out);
  for (const TwoGrants& evidence : health_.evidence()) out.send(id, evidence);
  resets_.tell(peer, out);
  advance(now, out);
  return out;
}

Actions TillCore::on_peer_down(Now now, PeerId id) {
  Actions out;
  const auto gone = peers_.on_down(id);
  if (!gone) return out;
  uplink_.on_peer_down(id);
  holders_.on_peer_down(id);
  relay_.on_peer_down(id);
  divergent_.on_peer_down(id);
  server_.on_peer_down(id);
  vitals_.on_peer_down(id);
  repair_.on_peer_down(now.mono);
  out.info("lost the connection to " + gone->name.text);
  leadership_.on_peer_down(moment(now), *gone, out);
  advance(now, out);
  return out;
}

Actions TillCore::on_message(Now now, PeerId from, Message message) {
  Actions out;
  const Peer* peer = peers_.on_heard(now.mono, from);
  if (peer == nullptr) return out;
  std::visit([&, at = moment(now)](auto& m) { handle(at, *peer, m, out); }, message);
  advance(now, out);
  return out;
}

Actions TillCore::on_unreadable(Now, PeerId from) {
  Actions out;
  const Peer* peer = peers_.find(from);
  if (peer == nullptr) return out;
  health_.complain(peer->name, "it can't be read: cut short, or changed", out);
  out.hang_up.push_back(from);
  return out;
}

Actions TillCore::on_roster(Now now, const Roster& roster) {
  Actions out;
  adopt_roster(moment(now), roster, out);
  advance(now, out);
  return out;
}

void TillCore::adopt_roster(const Moment& at, const Roster& roster, Actions& out) {
  const bool first = !context_.roster;
  if (!roster_.take(roster, out)) return;
  leadership_.on_roster(at, out);
  roster_.tell(peers_, first, out);
}

Actions TillCore::on_wake(Now now) {
  Actions out;
  leadership_.on_wake(moment(now), out);
  log_.on_wake(now.mono);
  waiters_.settle(now.mono, out);
  const bool by_host = moment(now).hosted_by_another(config_.till);  // what it needs of the cloud comes by the host
  for (const auto& [id, peer] : peers_.all()) {
    if (by_host && peer.is_cloud() && !wants_cloud(now)) out.hang_up.push_back(id);
  }
  commands_.on_wake(now.mono, out);
  advance(now, out);
  return out;
}

Actions TillCore::on_step_down(Now now, std::optional<TillId> successor) {
  Actions out;
  leadership_.on_step_down(moment(now), std::move(successor), out);
  advance(now, out);
  return out;
}

Actions TillCore::on_fitness(Now now, std::uint32_t fitness) {
  Actions out;
  leadership_.on_fitness(config_.till, fitness);
  advance(now, out);
  return out;
}

Actions TillCore::on_command(Now now, ReplyTo to, const std::string& name, Bytes value) {
  Actions out;
  commands_.on_command(moment(now), to, name, std::move(value), out);
  return out;
}

}  // namespace tillsync
