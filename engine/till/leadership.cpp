#include "engine/till/leadership.hpp"

#include <algorithm>
#include <utility>

#include "storage/base/mutants.hpp"
#include "storage/base/pack.hpp"

namespace tillsync {

namespace {
constexpr char kPromiseMeta[] = "promise";
}  // namespace

Leadership::Leadership(const TillContext& context, const PeerTable& peers, PeerHealth& health, SecondCopies& copies,
                       CheckpointTimer& timer, Random& random, Instant now)
    : context_(context),
      peers_(peers),
      health_(health),
      copies_(copies),
      timer_(timer),
      random_(random),
      history_(context.store.view()),
      hostless_since_(now) {
  if (context_.roster) start_election(now);
}

void Leadership::start_election(Instant now) {
  election_.emplace(context_.self(), context_.config.key, *context_.roster, stored_promise(), Random(random_.next()),
                    now);
}

// A database that has run before and holds no promise was put back to before its first one, perhaps: nobody is promised
// anything for as long as that may bind.
std::optional<Promise> Leadership::stored_promise() const {
  if (mutated(Mutant::forget_promise)) return std::nullopt;
  TillView view = context_.store.view();
  const auto meta = view.meta(kPromiseMeta);
  if (const auto promise = meta ? unpack<Promise>(*meta) : std::nullopt) return promise;
  return meta || view.state() ? std::optional(Promise{{}, context_.self(), context_.roster->lease_ms}) : std::nullopt;
}

void Leadership::on_peer_up(const Moment& at, const Peer& peer, Actions& out) {
  if (election_ && !is_person(peer.role)) carry_out(at, election_->on_connected(at.mono(), peer.name), out);
}

void Leadership::on_peer_down(const Moment& at, const Peer& gone, Actions& out) {
  if (election_ && !is_person(gone.role) && !peers_.connected(gone.name))
    carry_out(at, election_->on_disconnected(at.mono(), gone.name), out);
}

void Leadership::on_message(const Moment& at, const Peer& from, const LeaseMessage& message, Actions& out) {
  if (!election_) return health_.refuse();
  LeaseActions lease = election_->on_message(at.mono(), from.name, message);
  if (!lease.ignored.empty()) health_.complain(from.name, lease.ignored, out);
  carry_out(at, std::move(lease), out);
}

void Leadership::on_roster(const Moment& at, Actions& out) {
  if (election_) return carry_out(at, election_->on_roster(at.mono(), *context_.roster), out);
  start_election(at.mono());
  election_->on_fitness(context_.self(), fitness_);
}

void Leadership::on_step_down(const Moment& at, std::optional<TillId> successor, Actions& out) {
  if (election_) carry_out(at, election_->on_step_down(at.mono(), std::move(successor), "handed over on request"), out);
}

void Leadership::on_fitness(const TillId& who, std::uint32_t fitness) {
  if (who == context_.self()) fitness_ = fitness;
  if (election_) election_->on_fitness(who, fitness);
}

void Leadership::on_wake(const Moment& at, Actions& out) {
  if (election_) carry_out(at, election_->on_wake(at.mono()), out);
}

void Leadership::carry_out(const Moment& at, LeaseActions lease, Actions& out) {
  for (LeaseActions::Send& send : lease.sends) {
    for (const auto& [id, peer] : peers_.all()) {
      if (peer.name == send.to)  // to its clone as well, if any
        std::visit([&, to = id](const auto& m) { out.send(to, m); }, send.message);
    }
  }
  if (lease.promise) promise_ = lease.promise;
  if (lease.evidence) health_.keep(*lease.evidence, out);
  if (!lease.host_changed) return;
  ++changes_;
  copies_.clear();
  const LeaseView now = view(at.mono());
  if (now.kind == LeaseKind::none) hostless_since_ = at.mono();
  out.info("host: " + lease.reason);
  history_.add({at.wall_ms, now.host.text, now.kind == LeaseKind::exclusive, now.term, lease.reason});
  timer_.start_soon(at.mono());
}

bool Leadership::wants_cloud(Instant now) const {
  if (!context_.config.use_cloud || !election_) return false;
  const LeaseView lease = view(now);
  const Member* cloud = context_.roster->cloud();
  const bool witness = cloud != nullptr && cloud->votes > 0;
  if (witness && lease.kind != LeaseKind::exclusive) return true;  // its vote may be the one that is missing
  if (lease.kind == LeaseKind::none) return now - hostless_since_ >= milliseconds(context_.roster->lease_ms) * 2;
  return lease.host == context_.self();
}

const std::optional<Certificate>& Leadership::certificate() const {
  static const std::optional<Certificate> kNone;
  return election_ ? election_->certificate() : kNone;
}

Instant Leadership::next_wake(Instant now, Instant latest) const {
  if (!election_) return latest;
  latest = std::min(latest, election_->next_wake());
  const bool hostless = view(now).kind == LeaseKind::none;
  if (hostless && context_.config.use_cloud && !wants_cloud(now))
    latest = std::min(latest, hostless_since_ + milliseconds(context_.roster->lease_ms) * 2);
  return latest;
}

void Leadership::write(const Moment&, Checkpoint& into) {
  history_.form(into.batch);
  if (promise_) into.batch.meta(kPromiseMeta, pack(*promise_));
  storing_promise_ = promise_.has_value();
  promise_.reset();
}

void Leadership::on_stored(const Moment& at, Actions& out) {
  if (std::exchange(storing_promise_, false)) carry_out(at, election_->on_promise_durable(at.mono()), out);
}

}  // namespace tillsync
