// A till's engine: records, relays, follows rows and takes part in the election. It does no I/O: it is told what
// happened (on_*), answers with Actions, and says when it wants to be woken. One thread owns it. The work is done by
// parts that do not know each other's owner; here is who is told what, and in which order.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/till/branch_commands.hpp"
#include "engine/till/checkpointer.hpp"
#include "engine/till/clock_sync.hpp"
#include "engine/till/cloud_resets.hpp"
#include "engine/till/divergent_copies.hpp"
#include "engine/till/feed_follower.hpp"
#include "engine/till/feed_server.hpp"
#include "engine/till/journal_replay.hpp"
#include "engine/till/leadership.hpp"
#include "engine/till/level_waiters.hpp"
#include "engine/till/progress_reporter.hpp"
#include "engine/till/relay_service.hpp"
#include "engine/till/retention.hpp"
#include "engine/till/roster_keeper.hpp"
#include "engine/till/till_queries.hpp"
#include "engine/till/uplink.hpp"
#include "engine/till/vitals_exchange.hpp"

namespace tillsync {

class TillCore {
 public:
  TillCore(TillCoreConfig config, TillStore& store, Recovered recovered, Random random, Now now);
  TillCore(const TillCore&) = delete;
  TillCore& operator=(const TillCore&) = delete;

  Actions on_start(Now now);
  Actions on_record(Now now, ReplyTo to, const OpDraft& draft);
  // Of several callers, who share a flush.
  using Drafts = std::vector<std::pair<ReplyTo, ValidDraft>>;
  Actions on_record(Now now, Drafts drafts);
  Actions on_wait(Now now, ReplyTo to, const std::string& key, Level level, Duration limit);
  // `early` gets the receipts as soon as they may be handed out: what follows may take longer than a cashier's program
  // to come back.
  Actions on_appended(Now now, Result<JournalPosition> outcome, const std::function<void(Actions&)>& early = {});
  Actions on_committed(Now now, Result<void> outcome);
  Actions on_peer_up(Now now, PeerId peer, const TillId& name, Role role);
  Actions on_peer_down(Now now, PeerId peer);
  Actions on_message(Now now, PeerId from, Message message);
  Actions on_unreadable(Now now, PeerId from);  // what came was no message
  Actions on_roster(Now now, const Roster& roster);
  Actions on_wake(Now now);
  Actions on_step_down(Now now, std::optional<TillId> successor);
  Actions on_fitness(Now now, std::uint32_t fitness);
  // Changes a setting of the branch (MessagePack), as the exclusive holder only; answered by a done_reply.
  Actions on_command(Now now, ReplyTo to, const std::string& name, Bytes value);
  Instant next_wake(Now now) const;

  // What the shell around it asks in order to act.
  bool wants_cloud(Now now) const { return leadership_.wants_cloud(now.mono); }
  std::uint32_t retirable(const std::vector<JournalSegment>& segments, Now now) const {
    return retention_.retirable(segments, checkpoints_.state(), clock_.corrected(now));
  }
  bool should_rotate(const JournalSegment& newest, Now now) const {
    return retention_.should_rotate(newest, clock_.corrected(now));
  }

  // What people and programs ask.
  const TillQueries& queries() const { return queries_; }
  Status status(Now now) const { return queries_.status(now); }
  Result<Level> where(const std::string& key) const { return queries_.where(key); }
  std::optional<Row> row(const FeedKind& feed, const std::string& id) const { return queries_.row(feed, id); }
  std::vector<Row> settings() const { return queries_.settings(); }
  OpDraft draft_edit(const std::string& kind, const std::string& id, const std::map<std::string, Bytes>& changes,
                     bool deletes) const {
    return queries_.draft_edit(kind, id, changes, deletes);
  }
  std::optional<std::int64_t> stock(const std::string& sku) const { return queries_.stock(sku); }
  std::map<std::string, std::int64_t> all_stock() const { return queries_.all_stock(); }
  Availability available(const std::string& sku, Quantity wanted, Now now) const {
    return queries_.available(sku, wanted, now);
  }
  std::vector<Conflict> conflicts() const { return queries_.conflicts(); }
  std::optional<Conflict> conflict(const std::string& id) const { return queries_.conflict(id); }
  const LocalLog& own() const { return log_; }
  std::vector<PendingOp> unsent(std::size_t limit) const { return acks_.first_unsent(limit); }
  std::uint64_t unsure() const { return replicas_.unsure(); }

  LeaseView lease(Now now) const { return leadership_.view(now.mono); }
  const std::optional<Certificate>& certificate() const { return leadership_.certificate(); }
  const std::vector<HostChange>& host_history() const { return leadership_.history(); }
  const std::optional<Roster>& roster() const { return roster_.roster(); }
  RosterSpread roster_spread(Now now) const { return roster_.spread(health_, now.mono); }
  // How long ago something was heard of another member; nothing when it never was since this till started.
  std::optional<Duration> silence_of(const TillId& name, Now now) const { return peers_.silence_of(name, now.mono); }
  bool connected_to(const TillId& name) const { return peers_.connected(name); }
  std::optional<Vitals> vitals_of(const TillId& name) const { return health_.vitals_of(name); }
  Vitals vitals() const { return {leadership_.fitness(), acks_.unsent(), roster_.durable_version()}; }
  const PeerHealth& health() const { return health_; }

 private:
  Moment moment(Now now) const;
  void advance(Now now, Actions& out);
  void on_own_durable(const Op& op);
  void on_own_ack(const Moment& at, const Peer& from, const Ack& ack, Actions& out);
  void adopt_roster(const Moment& at, const Roster& roster, Actions& out);

  void handle(const Moment& at, const Peer& from, HistoryOffer& m, Actions& out);
  void handle(const Moment& at, const Peer& from, Push& m, Actions& out);
  void handle(const Moment& at, const Peer& from, Ack& m, Actions& out);
  void handle(const Moment& at, const Peer& from, Busy& m, Actions& out);
  void handle(const Moment& at, const Peer& from, Fetch& m, Actions& out);
  void handle(const Moment& at, const Peer& from, Fetched& m, Actions& out);
  void handle(const Moment& at, const Peer& from, DivergentBatchAck& m, Actions& out);
  void handle(const Moment& at, const Peer& from, CloudReset& m, Actions& out);
  void handle(const Moment& at, const Peer& from, Pull& m, Actions& out);
  void handle(const Moment& at, const Peer& from, Pages& m, Actions& out);
  void handle(const Moment& at, const Peer& from, PullEvents& m, Actions& out);
  void handle(const Moment& at, const Peer& from, Events& m, Actions& out);
  void handle(const Moment& at, const Peer& from, Seen& m, Actions& out);
  void handle(const Moment& at, const Peer& from, Progress& m, Actions& out);
  void handle(const Moment& at, const Peer& from, Ping& m, Actions& out);
  void handle(const Moment& at, const Peer& from, Pong& m, Actions& out);
  void handle(const Moment& at, const Peer& from, Vitals& m, Actions& out);
  void handle(const Moment& at, const Peer& from, NewRoster& m, Actions& out);
  void handle(const Moment& at, const Peer& from, TwoGrants& m, Actions& out);
  void handle(const Moment& at, const Peer& from, Commanded& m, Actions& out);
  void handle(const Moment& at, const Peer& from, Unknown& m, Actions& out);
  template <class M>
  requires std::is_constructible_v<LeaseMessage, M>
  void handle(const Moment& at, const Peer& from, M& m, Actions& out) { leadership_.on_message(at, from, m, out); }
  // What only a cloud, or the shell around this till, is asked.
  void handle(const Moment&, const Peer&, Command&, Actions&) { health_.refuse(); }
  void handle(const Moment&, const Peer&, Question&, Actions&) { health_.refuse(); }
  void handle(const Moment&, const Peer&, Answer&, Actions&) { health_.refuse(); }

  // Who this till is, and who is there.
  TillCoreConfig config_;
  RosterKeeper roster_;
  TillContext context_;
  Random random_;
  CheckpointTimer timer_;
  Checkpointer checkpoints_;
  PeerTable peers_;
  PeerHealth health_;
  // Its own histories.
  LocalLog log_;
  ForkList forks_;
  ForkClaims claims_;
  SecondCopies copies_;
  HistoryAcks acks_;
  DivergentReissue reissue_;
  StockView stock_;
  ForkRepair repair_;
  Retention retention_;
  LevelWaiters waiters_;
  ClockSync clock_;
  ProgressReporter progress_;
  // The branch's ops, up.
  ReplicaBuffer replicas_;
  CloudGeneration generation_;
  Uplink uplink_;
  HistoryHolders holders_;
  RelayService relay_;
  DivergentCopies divergent_;
  CloudResets resets_;
  // Rows and stock events, down.
  RowReader rows_;
  StockSweep sweep_;
  FeedFollower follower_;
  FeedServer server_;
  PendingOverlay overlay_;
  // The branch's host.
  Leadership leadership_;
  VitalsExchange vitals_;
  BranchCommands commands_;

  TillQueries queries_;
  std::vector<std::string> start_warnings_;
};

}  // namespace tillsync
