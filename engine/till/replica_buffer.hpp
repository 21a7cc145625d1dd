// Other tills' histories as this till holds them: as the branch's host, as the keeper of the host's second copy, or as
// a former host. Ops are kept until the cloud holds them.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "engine/wire/open_push.hpp"
#include "storage/lmdb/till_store.hpp"

namespace tillsync {

class ReplicaBuffer {
 public:
  static constexpr std::ptrdiff_t kMaxEmptyChains = 16;  // of one till
  explicit ReplicaBuffer(TillStore& store);

  struct Chain {
    ChainRecord record;    // durable
    ChainPoint received;   // durable or on its way there
    bool settled = false;  // in LMDB at all; before that the base is only claimed
    Seq claimed;           // what somebody says that the cloud holds
    bool doubted = false;  // the cloud began anew: what it said before may hold no more
    bool asked = false;    // in this run, and it has answered
    // What it begins with was said to be in the cloud, too.
    const ChainPoint& said_of_cloud() const { return record.cloud.seq < record.base.seq ? record.base : record.cloud; }
    // What the cloud holds: it has answered something else than was claimed since, or nothing yet.
    bool in_doubt() const { return doubted || claimed > record.cloud.seq; }
    bool worth_asking() const { return in_doubt() || !settled; }
  };
  const std::map<ChainId, Chain>& chains() const { return chains_; }
  const Chain* find(const ChainId& chain) const;

  // Somebody has this chain: makes a place for it when it is new, starting at what the cloud is said to hold. What its
  // own till says of that goes before what others say. Nothing when that till has too many of which nothing is held.
  const Chain* on_offer(const ChainId& chain, const ChainPoint& cloud, bool by_its_till);
  Verdict on_push(OpenedPush push);
  const OpenedPush& newest() const { return queued_.back(); }  // what on_push() has just appended

  // The cloud's word on a chain. True when tills should hear of it: it moved, or contradicts what is held here.
  bool on_cloud(const ChainId& chain, const ChainPoint& point);

  void doubt_cloud();  // it began anew; durable with the next form()

  // The cloud has gone beyond these copies, and there is nothing here to compare its word with: their till can.
  std::vector<std::pair<ChainId, ChainPoint>> to_compare() const;
  void on_contained(const ChainId& chain, const ChainPoint& end);  // it did: the cloud's history goes on from there

  void on_forgotten(const ChainId& chain);  // its till does not know it any more: what the cloud lacks diverges
  bool dirty() const { return !queued_.empty() || !touched_.empty() || !acked_divergent_.empty(); }
  void form(TillView& view, StoreBatch& batch);
  // The chains whose durable end moved: their senders get an acknowledgement.
  std::vector<ChainId> on_committed();

  // Ops to pass on, from `from` up to a signed end; empty when there are none.
  struct Slice {
    std::vector<Binary> ops;
    Binary signature;
    ChainPoint end;
  };
  Slice read(const ChainId& chain, Seq from) const;
  // Ops that the cloud's history of their till may not contain as they are: only their till can tell. Kept until it
  // says that all of a batch is in the cloud.
  const std::set<std::pair<ChainId, ChainPoint>>& divergent() const { return divergent_; }
  void on_tick();  // every some seconds while waits(): a copy that stays behind the cloud diverges
  bool waits() const { return !divergent_.empty() || !ahead_.empty(); }
  void on_divergent_acked(const ChainId& chain, const ChainPoint& end);

  std::uint64_t unsent() const;  // ops held here that the cloud does not hold
  std::uint64_t unsure() const;  // that it says it has gone beyond; not compared yet

 private:
  void compare(const ChainId& id, const Chain& chain);
  std::optional<Hash> hash_at(const ChainId& id, Seq seq) const;
  enum class Copies { keep_as_divergent, let_go };
  void form_pushes(StoreBatch& batch);
  void form_record(const ChainId& id, const ChainPoint& in_cloud, TillView& view, StoreBatch& batch);
  void reset_cloud(const ChainId& id, Copies copies, TillView& view, StoreBatch& batch);

  TillStore& store_;
  std::map<ChainId, Chain> chains_;
  std::vector<OpenedPush> queued_;            // judged, to be written
  std::vector<OpenedPush> in_commit_;         // being written
  std::map<ChainId, ChainPoint> touched_;     // records to write; ops up to the point are in the cloud
  std::map<ChainId, ChainPoint> committing_;  // durable ends after the commit in flight
  std::map<ChainId, bool> ahead_;             // the cloud has more than is held here; whether a tick has passed since
  std::map<ChainId, Copies> anew_;            // to be begun anew at the cloud's watermark
  std::set<std::pair<ChainId, ChainPoint>> divergent_, acked_divergent_;
  std::map<ChainId, Seq> pruned_;  // ops up to here are gone from LMDB
};

}  // namespace tillsync
