#include "engine/till/roster_keeper.hpp"

#include <algorithm>

namespace tillsync {

namespace {
constexpr char kRosterMeta[] = "roster";
}  // namespace

RosterKeeper::RosterKeeper(const TillCoreConfig& config, TillStore& store) : config_(config), roster_(config.roster) {
  const auto meta = store.view().meta(kRosterMeta);
  auto stored = meta ? Roster::decode(*meta) : std::nullopt;
  if (stored && roster_) {
    (void)roster_->take(*stored);
  } else if (stored) {
    roster_ = std::move(stored);
  }
  if (roster_) durable_ = roster_->version;
}

bool RosterKeeper::take(const Roster& roster, Actions& out) {
  if (roster.branch != config_.branch) return false;
  if (roster_ && !roster_->take(roster)) return false;
  if (!roster_) roster_ = roster;
  dirty_ = true;
  out.roster_changed = true;
  out.info("roster version " + std::to_string(roster_->version) + " with " + std::to_string(roster_->members.size()) +
           " members");
  return true;
}

void RosterKeeper::tell(const PeerTable& peers, bool first, Actions& out) const {
  for (const auto& [id, peer] : peers.all()) {
    if (roster_->find(peer.name) == nullptr) {
      out.hang_up.push_back(id);
    } else if (!first) {
      tell(peer, out);
    }
  }
}

void RosterKeeper::tell(const Peer& peer, Actions& out) const {
  if (roster_) out.send(peer.id, NewRoster{Binary(roster_->encoded())});
}

RosterSpread RosterKeeper::spread(const PeerHealth& health, Instant now) const {
  RosterSpread spread;
  if (!roster_) return spread;
  spread.version = roster_->version;
  spread.holders = health.holders(*roster_, config_.till, durable_);
  if (const auto since = health.most_hold_since()) spread.most_hold_for = now - *since;
  return spread;
}

void RosterKeeper::write(const Moment&, Checkpoint& into) {
  storing_ = roster_ ? roster_->version : 0;
  if (dirty_ && roster_) into.batch.meta(kRosterMeta, roster_->encoded());
  dirty_ = false;
}

void RosterKeeper::on_stored(const Moment&, Actions&) { durable_ = std::max(durable_, storing_); }

}  // namespace tillsync
