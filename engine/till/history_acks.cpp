#include "engine/till/history_acks.hpp"

#include <algorithm>
#include <utility>

#include "storage/base/mutants.hpp"
#include "storage/model/op_codec.hpp"

namespace tillsync {

HistoryAcks::HistoryAcks(const TillContext& context, const LocalLog& log, ForkList& forks, ForkClaims& claims,
                         SecondCopies& copies, CheckpointTimer& timer, const TillState& stored)
    : context_(context),
      log_(log),
      forks_(forks),
      claims_(claims),
      copies_(copies),
      timer_(timer),
      cloud_(stored.cloud),
      let_go_(stored.let_go.value),
      old_(stored.old_chains) {}

HistoryAcks::Heard HistoryAcks::on_ack(const From& from, const Ack& ack, Instant now, Actions& out) {
  if (ack.chain.incarnation != log_.chain().incarnation) return {on_old_ack(ack), false};
  const bool by_cloud = ack.level == Level::cloud;
  if (ack.point.seq < let_go_.seq) return on_below_vault(from.peer, ack, out);
  below_vault_ = below_vault_ && !by_cloud;
  if (ack.point.seq > Seq{} && ack.point != rebuilt_base() && ack.point != let_go_) {
    if (ack.point.seq < rebuilt_base().seq) return {};  // can't be checked before the vault has it back
    if (contradicts(ack.point)) {
      // If the op is there but can't be read, this till's own disk is damaged: that is no fork.
      if (ack.point.seq <= log_.last().seq && context_.store.damaged()) return {};
      claims_.claim(from.peer, from.peer.name.text + " holds a different history of this till (was a backup restored?)",
                    out);
      return {};
    }
  }
  if (by_cloud || (mutated(Mutant::trust_host) && ack.level == Level::host)) {
    const bool lost_some = from.peer.is_cloud() && ack.point.seq < cloud_.seq;  // or it is old, and was overtaken
    if (ack.point.seq <= cloud_.seq && !lost_some) return {};
    cloud_ = ack.point;
    timer_.start_soon(now);
    return {true, lost_some};
  }
  if (ack.level == Level::host && from.is_up) {
    copies_.host = ack.point;
  } else if (ack.level == Level::two_disks && from.is_fed) {
    copies_.keeper = ack.point;
  }
  return {};
}

bool HistoryAcks::contradicts(const ChainPoint& point) const {
  const auto mine =
      point.seq <= log_.last().seq ? log_.history().read(log_.chain().incarnation, point.seq) : std::nullopt;
  return !mine || mine->hash != point.hash;
}

// True if the cloud holds more of it than was known.
bool HistoryAcks::on_old_ack(const Ack& ack) {
  const Incarnation incarnation = ack.chain.incarnation;
  bool moved = false;
  for (OldChain& old : old_) {
    if (old.incarnation != incarnation || ack.level != Level::cloud) continue;
    const auto mine = log_.history().read(incarnation, ack.point.seq);
    const bool ours = ack.point.seq == Seq{} || (ack.point.seq <= old.last.seq && mine && mine->hash == ack.point.hash);
    dirty_ = true;
    if (ours) {
      old.cloud = ack.point;
      moved = true;
    } else {  // not what the fork was settled with: compare again, with the cloud's
      forks_.reopen(ForkState{incarnation, old.last, old.cloud, {}, {}, old.cloud, old.cloud});
      old.last = {};
    }
  }
  std::erase_if(old_, [](const OldChain& old) { return old.cloud.seq >= old.last.seq; });
  return moved;
}

// What the vault has let go can't be compared, and an old acknowledgement is no news. But a cloud that was put back, or
// says it twice, went back to before what tills keep: this till goes on in a new history, with what it has.
HistoryAcks::Heard HistoryAcks::on_below_vault(const Peer& peer, const Ack& ack, Actions& out) {
  if (ack.level != Level::cloud) return {};
  const bool doubted = cloud_.seq < let_go_.seq;
  if (!doubted && !peer.is_cloud()) return {};
  if (!doubted && !std::exchange(below_vault_, true)) return {false, true};
  if (!claims_.claim(peer, "the cloud lacks sales that this till has let go (was a very old backup restored?)", out))
    return {};
  below_vault_ = false;
  cloud_ = ack.point;
  return {};
}

std::vector<Ack> HistoryAcks::compared(const Moment& at, const HistoryOffer& offer,
                                       const CloudGeneration& generation) const {
  const Incarnation incarnation = offer.chain.incarnation;
  const auto mine = log_.history().read(incarnation, offer.last.seq);
  const bool same = mine && mine->hash == offer.last.hash;
  const bool forgotten = incarnation != log_.chain().incarnation && !same;
  if (forgotten && !forks_.empty()) return {};  // it may come back with the fork; it will be offered again
  if (forgotten) return {Ack{offer.chain, Level::own_disk, {}}};
  std::vector<Ack> answers{Ack{offer.chain, at.hosts ? Level::host : Level::two_disks, offer.last}};
  const ChainPoint in_cloud = cloud_point(incarnation, offer.last);
  // Who asks may have nothing at in_cloud.
  if (same && offer.last.seq <= in_cloud.seq) answers.push_back(generation.cloud_holds(offer.chain, offer.last));
  if (in_cloud.seq > Seq{}) answers.push_back(generation.cloud_holds(offer.chain, in_cloud));
  return answers;
}

// How far the cloud holds a history of this till; one that is no longer listed is held whole.
ChainPoint HistoryAcks::cloud_point(Incarnation incarnation, const ChainPoint& last) const {
  for (const OldChain& own : all()) {
    if (own.incarnation == incarnation) return own.cloud;
  }
  const auto mine = log_.history().read(incarnation, last.seq);
  return mine && mine->hash == last.hash && forks_.find(incarnation) == nullptr ? last : ChainPoint{};
}

// Where the history that this database was rebuilt with begins; nothing when it has all of it.
ChainPoint HistoryAcks::rebuilt_base() const {
  const ForkState* fork = forks_.find(log_.chain().incarnation);
  return fork == nullptr ? ChainPoint{} : fork->old_end;
}

bool HistoryAcks::doubt_cloud(TillView& view) {
  const bool known = cloud_.seq > Seq{} || !old_.empty();
  cloud_ = {};
  for (OldChain& old : old_) old.cloud = {};
  forks_.doubt_cloud();
  for (const auto& [incarnation, last] : left_histories(view)) {
    const bool listed = std::ranges::find(old_, incarnation, &OldChain::incarnation) != old_.end();
    if (!listed && forks_.find(incarnation) == nullptr) old_.push_back({incarnation, last, {}});
  }
  copies_.clear();
  return known;
}

// Those before the present one, each up to where it may have split: what lies behind was re-issued.
std::map<Incarnation, ChainPoint> HistoryAcks::left_histories(TillView& view) const {
  std::map<Incarnation, ChainPoint> left;
  std::optional<Incarnation> at = Incarnation{0};
  while (at) {
    std::optional<Incarnation> found;
    view.all_ops(*at, Seq{0}, [&](Incarnation each, Seq, ByteView) { return found = each, false; });
    at = found ? std::optional(Incarnation{found->value + 1}) : std::nullopt;
    if (!found || *found == log_.chain().incarnation) continue;
    ChainPoint last;
    view.ops(*found, Seq{1}, [&](Seq seq, ByteView bytes) {
      const bool first = last.seq == Seq{};  // older ones may have been let go
      const auto op = first || seq == last.seq.next() ? decode_op(bytes) : std::nullopt;
      if (!op || (!first && op->prev != last.hash)) return false;
      last = {seq, blake2b(bytes)};
      return true;
    });
    if (last.seq > Seq{}) left[*found] = last;
  }
  return left;
}

void HistoryAcks::on_new_incarnation() {
  cloud_ = {};
  let_go_ = {};
  copies_.clear();
  dirty_ = true;
}

Result<Level> HistoryAcks::durability(const std::string& key) const {
  const auto op = log_.history().find(key);
  if (!op) return fail(ErrorKind::not_found, "this till has no op with the key '" + key + "'");
  const auto [till, incarnation] = op->op.chain;
  for (const OldChain& own : all()) {
    if (own.incarnation != incarnation) continue;
    if (op->op.seq <= own.cloud.seq) return Level::cloud;
    if (incarnation != log_.chain().incarnation) return Level::own_disk;
    if (op->op.seq <= copies_.host.seq) return Level::host;
    return op->op.seq <= copies_.keeper.seq || mutated(Mutant::claim_two_disks) ? Level::two_disks : Level::own_disk;
  }
  const bool disputed = std::ranges::any_of(forks_.all(), [&, in = incarnation](const ForkState& fork) {
    return fork.old_incarnation == in && op->op.seq > fork.in_cloud.seq;
  });
  return disputed ? Level::own_disk : Level::cloud;
}

bool HistoryAcks::in_cloud(Incarnation incarnation, Seq seq) const {
  const auto histories = all();
  const auto it = std::ranges::find(histories, incarnation, &OldChain::incarnation);
  return it == histories.end() || seq <= it->cloud.seq;
}

std::vector<OldChain> HistoryAcks::all() const {
  std::vector<OldChain> chains = old_;
  chains.push_back({log_.chain().incarnation, log_.last(), cloud_});
  return chains;
}

std::uint64_t HistoryAcks::unsent() const {
  std::uint64_t sum = 0;
  for (const OldChain& own : all()) sum += own.last.seq.value - std::min(own.cloud.seq, own.last.seq).value;
  for (const ForkState& fork : forks_.all()) {
    const std::uint64_t done =
        std::max(fork.agreed.seq.value, std::max<std::uint64_t>(fork.next_to_reissue.value, 1) - 1);
    sum += fork.old_end.seq.value - std::min(fork.old_end.seq.value, done);
  }
  return sum;
}

std::vector<PendingOp> HistoryAcks::first_unsent(std::size_t limit) const {
  std::vector<PendingOp> ops;
  log_.history().visit(log_.chain().incarnation, cloud_.seq.next(), [&](Seq, ByteView bytes) {
    if (ops.size() >= limit) return false;
    if (auto op = decode_op(bytes)) ops.push_back({std::move(*op), blake2b(bytes), Bytes(bytes)});
    return true;
  });
  return ops;
}

void HistoryAcks::write(const Moment&, Checkpoint& into) {
  into.state.cloud = cloud_;
  into.state.old_chains = old_;
  into.state.let_go.value = let_go_;
  dirty_ = false;
}

}  // namespace tillsync
