// How far others hold this till's own histories, above all the cloud, and so what a caller may be told of an op: own
// disk, two disks, host or cloud. Also how much of the current history the vault has let go.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/till/cloud_generation.hpp"
#include "engine/till/fork_claims.hpp"
#include "engine/till/local_log.hpp"
#include "engine/till/second_copies.hpp"

namespace tillsync {

class HistoryAcks final : public StoredPart {
 public:
  HistoryAcks(const TillContext& context, const LocalLog& log, ForkList& forks, ForkClaims& claims,
              SecondCopies& copies, CheckpointTimer& timer, const TillState& stored);

  // Who acknowledges, and what it is to this till.
  struct From {
    const Peer& peer;
    bool is_up = false;   // this till's way to the cloud
    bool is_fed = false;  // this till sends it the current history
  };
  struct Heard {
    bool cloud_moved = false;  // others who hold ops of it may let them go
    bool ask_again = false;    // what was said looks old: the sender of the current history begins anew
  };
  Heard on_ack(const From& from, const Ack& ack, Instant now, Actions& out);
  // What to say to somebody who offers this till one of its own histories.
  std::vector<Ack> compared(const Moment& at, const HistoryOffer& offer, const CloudGeneration& generation) const;

  // What the cloud was known to hold counts no more: it was put back to a backup. True if anything was known.
  bool doubt_cloud(TillView& view);
  void on_new_incarnation();  // nobody holds anything of it
  void add_old(const OldChain& chain) { old_.push_back(chain); }
  void on_let_go(const ChainPoint& point) { let_go_ = point; }

  Result<Level> durability(const std::string& key) const;
  bool in_cloud(Incarnation incarnation, Seq seq) const;  // or it never will be: then it was recorded anew
  const ChainPoint& cloud() const { return cloud_; }      // of the current history
  const ChainPoint& let_go() const { return let_go_; }    // of the current history: the vault begins behind it
  const std::vector<OldChain>& old() const { return old_; }
  std::vector<OldChain> all() const;  // with the current one, which is last
  std::uint64_t unsent() const;
  std::vector<PendingOp> first_unsent(std::size_t limit) const;

  std::optional<Instant> due() const override { return dirty_ ? std::optional(kAtOnce) : std::nullopt; }
  void write(const Moment& at, Checkpoint& into) override;

 private:
  bool on_old_ack(const Ack& ack);
  Heard on_below_vault(const Peer& peer, const Ack& ack, Actions& out);
  bool contradicts(const ChainPoint& point) const;
  ChainPoint cloud_point(Incarnation incarnation, const ChainPoint& last) const;
  ChainPoint rebuilt_base() const;
  std::map<Incarnation, ChainPoint> left_histories(TillView& view) const;

  const TillContext& context_;
  const LocalLog& log_;
  ForkList& forks_;
  ForkClaims& claims_;
  SecondCopies& copies_;
  CheckpointTimer& timer_;
  ChainPoint cloud_;
  ChainPoint let_go_;
  std::vector<OldChain> old_;  // earlier histories that the cloud does not hold whole yet
  bool below_vault_ = false;   // the cloud said once that it lacks what the vault has let go
  bool dirty_ = false;
};

}  // namespace tillsync
