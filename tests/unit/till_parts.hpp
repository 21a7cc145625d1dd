// What a test of one part of a till needs around it: a database in a scratch folder, a roster of three tills and a
// cloud, and a log that flushes at once.
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "engine/till/checkpointer.hpp"
#include "engine/till/fork_repair.hpp"
#include "engine/till/leadership.hpp"
#include "engine/till/replica_buffer.hpp"
#include "storage/model/op_codec.hpp"
#include "tests/scratch.hpp"
#include "tests/unit/keys.hpp"

namespace tillsync::test {

inline Roster roster_of_three() {
  Roster roster;
  roster.keys = TenantKeys::founded(key_number(200).public_key(), key_number(201).public_key());
  roster.branch = BranchId{"corner"};
  roster.lease_ms = 1000;
  for (std::uint8_t n : {1, 2, 3})
    roster.add({TillId{"till-" + std::to_string(n)}, Binary(key_number(n).public_key().view()), Role::till, 1});
  roster.add({TillId{"cloud"}, Binary(key_number(9).public_key().view()), Role::cloud, 0});
  roster.sign(key_number(200));
  return roster;
}

template <class M>
std::vector<M> sent(const Actions& actions, PeerId to) {
  std::vector<M> found;
  for (const auto& send : actions.sends) {
    if (const auto* m = std::get_if<M>(&send.message); m != nullptr && send.to == to) found.push_back(*m);
  }
  return found;
}

// Till 1 of the branch; its neighbours are tills 2 and 3 and the cloud, once they are connected.
struct TillParts {
  Folder folder;
  std::unique_ptr<TillStore> store = TillStore::open(folder.path).value();
  TillCoreConfig config{BranchId{"corner"}, TillId{"till-1"}, key_number(1), std::nullopt};
  std::optional<Roster> roster = roster_of_three();
  TillContext context{config, roster, *store};
  CheckpointTimer timer;
  Random random{7};
  Checkpointer checkpoints{*store, random, timer};
  PeerTable peers{config.till};
  PeerHealth health{context, peers, timer};
  LocalLog log{context, timer, checkpoints.state()};
  ForkList forks{checkpoints.state()};
  ForkClaims claims{context, log, forks};
  SecondCopies copies;
  HistoryAcks acks{context, log, forks, claims, copies, timer, checkpoints.state()};
  DivergentReissue reissue{log, acks, forks};
  StockView stock{config.branch};
  ForkRepair repair{context, log, forks, acks, reissue, stock, random};
  ReplicaBuffer replicas{*store};
  CloudGeneration generation{store->view()};
  std::int64_t ms = 1'000'000;  // since boot, and of the wall clock

  static constexpr PeerId kCloud{100};
  static PeerId id_of(int till) { return PeerId{static_cast<std::uint64_t>(till)}; }

  TillParts() { checkpoints.store_in_order({&repair, &log, &acks, &forks}); }

  Moment at() const { return {{Instant{milliseconds(ms)}, ms}, ms, {}, false}; }
  Moment hosting() const {
    Moment moment = at();
    moment.lease = {LeaseKind::exclusive, config.till, Term{1}, {}, Instant{milliseconds(ms + 1000)}};
    moment.hosts = true;
    return moment;
  }
  const Peer& connect(int till) {
    return peers.on_up(at().mono(), id_of(till), TillId{"till-" + std::to_string(till)}, Role::till);
  }
  const Peer& connect_cloud() { return peers.on_up(at().mono(), kCloud, TillId{"cloud"}, Role::cloud); }

  // Flushes what waits in the log. Nothing if there was nothing.
  void flush() {
    Actions out;
    log.flush(ms, out);
    if (!out.append) return;
    const std::size_t before = log.history().pending().size();
    log.on_appended(at().mono(), JournalPosition{}, out);
    for (std::size_t i = before; i < log.history().pending().size(); ++i) {
      reissue.on_durable(log.history().pending()[i].op);
      repair.on_durable(log.history().pending()[i].op);
    }
  }
  static ValidDraft draft(const std::string& key) {
    OpDraft draft;
    draft.kind = OpKind::custom;
    draft.key = key;
    draft.custom_body = "body of " + key;
    return ValidDraft::of(draft).value();
  }
  void record(const std::string& key) {
    Actions out;
    TillView view = store->view();
    log.record(view, ReplyTo{1}, draft(key), out);
    REQUIRE(out.replies.empty());
  }
  void sell(const std::string& key) { record(key), flush(); }
  // Stores all that the parts have, as one checkpoint.
  void checkpoint() {
    Actions out;
    timer.start(StoredPart::kAtOnce);
    checkpoints.start_if_due(at(), out);
    REQUIRE(out.commit);
    REQUIRE(store->commit(*out.commit));
    checkpoints.on_committed(at(), {}, out);
  }

  ChainPoint point(Seq seq) const { return {seq, log.history().read(log.chain().incarnation, seq)->hash}; }
  Ack ack(Level level, const ChainPoint& point) const { return {WireChain::of(log.chain()), level, point}; }
  HistoryAcks::Heard hear(const Peer& from, const Ack& ack, bool is_up = true, bool is_fed = false) {
    Actions out;
    return acks.on_ack({from, is_up, is_fed}, ack, at().mono(), out);
  }
};

// Ops as another machine with a till's key would have recorded them.
inline Bytes continued(const ChainId& chain, const ChainPoint& after, const std::string& key) {
  Op op;
  op.branch = BranchId{"corner"};
  op.chain = chain;
  op.seq = after.seq.next();
  op.prev = after.hash;
  op.hlc = Hlc::at(2'000'000 + static_cast<std::int64_t>(op.seq.value));
  op.kind = OpKind::custom;
  op.key = key;
  op.body = "body of " + key;
  return encode(op);
}

// A signed push of `count` ops of another till.
inline Push push_of(int till, Incarnation incarnation, const ChainPoint& after, int count,
                    const std::string& prefix = "op/") {
  const ChainId chain{TillId{"till-" + std::to_string(till)}, incarnation};
  Push push{WireChain::of(chain), after.seq.next(), {}, {}};
  ChainPoint end = after;
  for (int i = 0; i < count; ++i) {
    push.ops.emplace_back(continued(chain, end, prefix + std::to_string(end.seq.value + 1)));
    end = {end.seq.next(), blake2b(push.ops.back())};
  }
  push.signature = Binary(key_number(static_cast<std::uint8_t>(till)).sign(push_bytes(BranchId{"corner"}, chain, end)));
  return push;
}

}  // namespace tillsync::test
