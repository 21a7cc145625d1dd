// A till's part in the election, and what tills tell each other about themselves and the roster.
#include "engine/till/till_core.hpp"

namespace tillsync {

void TillCore::on_lease_message(Now now, PeerId from, const LeaseMessage& m, Actions& out) {
  const TillId name = peer_of(from)->name;
  if (!election_) return void(++refused_);
  LeaseActions lease = election_->on_message(now.mono, name, m);
  if (!lease.ignored.empty()) complain(name, lease.ignored, out);
  take(now, std::move(lease), out);
}

void TillCore::complain(const TillId& about, const std::string& what, Actions& out) {
  ++refused_;
  if (health_.complain(about, what))
    out.warn("ignored a message of " + about.text + ": " + what + " (more of them are only counted)");
}

Actions TillCore::on_unreadable(Now, PeerId from) {
  Actions out;
  if (peer_of(from) == nullptr) return out;
  complain(peer_of(from)->name, "it can't be read: cut short, or changed", out);
  out.hang_up.push_back(from);
  return out;
}

void TillCore::take(Now now, LeaseActions lease, Actions& out) {
  for (LeaseActions::Send& send : lease.sends) {
    for (const auto& [id, peer] : peers_) {
      if (peer.name == send.to) {
        std::visit([&, to = id](const auto& m) { out.send(to, m); }, send.message);  // to its clone as well, if any
      }
    }
  }
  if (lease.promise) promise_ = lease.promise;
  if (lease.evidence) keep_evidence(*lease.evidence, out);
  if (!lease.host_changed) return;
  ++host_changes_;
  host_held_ = copy_held_ = {};
  const LeaseView view = election_->view(now.mono);
  if (view.kind == LeaseKind::none) hostless_since_ = now.mono;
  out.info("host: " + lease.reason);
  host_history_.add({corrected(now), view.host.text, view.kind == LeaseKind::exclusive, view.term, lease.reason});
  if (!checkpoint_due_) checkpoint_due_ = now.mono + kCheckpointAfter;
}

// Told to everybody, who check it themselves and tell it on; the cloud makes a conflict of it.
void TillCore::keep_evidence(const TwoGrants& evidence, Actions& out) {
  if (!health_.keep(evidence)) return;
  if (!checkpoint_due_) checkpoint_due_ = Instant{};
  out.alarm(evidence.grantor.text + " granted the lease to both " + evidence.first.candidate.text + " and " +
            evidence.second.candidate.text + " in term " + std::to_string(evidence.first.term.value) +
            ": it was copied, restored from a backup, or lies; take it out of the roster and pair it anew");
  for (const auto& [id, peer] : peers_) out.send(id, evidence);
}

void TillCore::handle(Now, PeerId from, TwoGrants& m, Actions& out) {
  if (!config_.roster || !m.proves(*config_.roster))
    return complain(peer_of(from)->name, "a proof of two grants that proves nothing", out);
  keep_evidence(m, out);
}

Actions TillCore::on_fitness(Now now, std::uint32_t fitness) {
  Actions out;
  fitness_ = fitness;
  if (election_) election_->on_fitness(config_.till, fitness);
  pump(now, out);
  return out;
}

Vitals TillCore::vitals() const { return {fitness_, unsent_count(), roster_durable_}; }

void TillCore::handle(Now, PeerId from, Vitals& m, Actions&) {
  const Peer& peer = *peer_of(from);
  if (peer.role != Role::till) return;
  health_.on_vitals(peer.name, m);
  if (election_) election_->on_fitness(peer.name, m.fitness);
}

void TillCore::pump_vitals(Now now, Actions& out) {
  const Vitals mine = vitals();
  vitals_due_.reset();
  for (auto& [id, peer] : peers_) {
    if (peer.role != Role::till || peer.told == mine) continue;
    const bool only_unsent =
        peer.told && peer.told->fitness == mine.fitness && peer.told->roster_version == mine.roster_version;
    if (only_unsent && now.mono < peer.next_vitals) {
      vitals_due_ = std::min(vitals_due_.value_or(peer.next_vitals), peer.next_vitals);
      continue;
    }
    peer.told = mine;
    peer.next_vitals = now.mono + kVitalsEvery;
    out.send(id, mine);
  }
  if (config_.roster) health_.look_for_majority(*config_.roster, config_.till, roster_durable_, now.mono);
}

// How far the roster has got, for whoever wants to issue the next one: a majority must have held it for a while.
RosterSpread TillCore::roster_spread(Now now) const {
  RosterSpread spread;
  if (!config_.roster) return spread;
  spread.version = config_.roster->version;
  spread.holders = health_.holders(*config_.roster, config_.till, roster_durable_);
  if (const auto since = health_.most_hold_since()) spread.most_hold_for = now.mono - *since;
  return spread;
}

Actions TillCore::on_roster(Now now, const Roster& roster) {
  Actions out;
  adopt_roster(now, roster, out);
  pump(now, out);
  return out;
}

void TillCore::adopt_roster(Now now, const Roster& roster, Actions& out) {
  const bool first = !config_.roster;
  if (roster.branch != config_.branch || !(first ? config_.roster = roster, true : config_.roster->take(roster)))
    return;
  const Roster& mine = *config_.roster;
  roster_dirty_ = true;
  out.roster_changed = true;
  out.info("roster version " + std::to_string(mine.version) + " with " + std::to_string(mine.members.size()) +
           " members");
  if (first) {
    election_.emplace(config_.till, config_.key, mine, stored_promise(), Random(random_.next()), now.mono);
    election_->on_fitness(config_.till, fitness_);
  } else {
    take(now, election_->on_roster(now.mono, mine), out);
  }
  for (const auto& [id, peer] : peers_) {
    if (mine.find(peer.name) == nullptr) {
      out.hang_up.push_back(id);
    } else if (!first) {
      out.send(id, NewRoster{Binary(mine.encoded())});
    }
  }
}

Actions TillCore::on_step_down(Now now, std::optional<TillId> successor) {
  Actions out;
  if (election_) take(now, election_->on_step_down(now.mono, std::move(successor), "handed over on request"), out);
  pump(now, out);
  return out;
}

// Exclusive: nothing is sent without a certificate, and the cloud looks at its term once more.
Actions TillCore::on_command(Now now, ReplyTo to, const std::string& name, Bytes value) {
  Actions out;
  const LeaseView view = lease(now);
  const PeerId* cloud = nullptr;
  for (const auto& [id, peer] : peers_) cloud = peer.role == Role::cloud ? &id : cloud;
  auto refuse = [&](const std::string& why) { out.done_replies.push_back({to, fail(ErrorKind::refused, why)}); };
  if (!election_) {
    refuse("this till is not paired: it has no branch to change");
  } else if (!election_->hosts(now.mono)) {
    refuse("only the host can do that, and that is " + (view.host.text.empty() ? "nobody" : view.host.text) +
           ": ask there");
  } else if (view.kind != LeaseKind::exclusive) {
    refuse("this till hosts provisionally: that waits until tills with most of the votes are back");
  } else if (cloud == nullptr) {
    refuse("the cloud can't be reached, and the change is made there: try again when it is");
  } else {
    const std::uint64_t nonce = random_.next();
    commands_[nonce] = {to, now.mono + kCommandTime};
    out.send(*cloud, Command{nonce, name, Binary(std::move(value)), *election_->certificate()});
  }
  return out;
}

void TillCore::handle(Now, PeerId from, Commanded& m, Actions& out) {
  const auto it = commands_.find(m.nonce);
  if (it == commands_.end() || peer_of(from)->role != Role::cloud) return;
  out.done_replies.push_back(
      {it->second.first, m.refusal.empty() ? Result<void>() : fail(ErrorKind::refused, m.refusal)});
  commands_.erase(it);
}

void TillCore::expire_commands(Now now, Actions& out) {
  std::erase_if(commands_, [&](const auto& command) {
    const auto& [to, deadline] = command.second;
    if (now.mono < deadline) return false;
    out.done_replies.push_back(
        {to, fail(ErrorKind::timed_out, "the cloud has not answered: look whether it was done, and try again")});
    return true;
  });
}

}  // namespace tillsync
