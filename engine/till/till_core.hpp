// A till's engine: one object that records, relays, follows rows and takes part in the election. It does no I/O: it is
// told what happened (on_*), answers with Actions, and says when it wants to be woken. One thread owns it.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tillsync/availability.hpp>
#include <tillsync/status.hpp>
#include <vector>

#include "conflicts/policy.hpp"
#include "conflicts/record.hpp"
#include "engine/actions.hpp"
#include "engine/till/chain_sender.hpp"
#include "engine/till/cloud_generation.hpp"
#include "engine/till/host_history.hpp"
#include "engine/till/local_log.hpp"
#include "engine/till/peer_health.hpp"
#include "engine/till/pending_overlay.hpp"
#include "engine/till/replica_buffer.hpp"
#include "engine/till/row_reader.hpp"
#include "engine/till/stock_view.hpp"
#include "lease/election.hpp"
#include "storage/journal/journal.hpp"

namespace tillsync {

struct TillCoreConfig {
  BranchId branch;
  TillId till;
  SecretKey key;
  std::optional<Roster> roster;                        // nothing: a till on its own, not paired yet
  bool use_cloud = true;                               // false: this till has no way to the cloud of its own
  Policies policies = {};                              // what it sells without having it
  Duration keep_ops = std::chrono::hours(24 * 90);     // in the vault, once the cloud holds them: for enquiries
  Duration keep_journal = std::chrono::hours(24 * 7);  // likewise: the black box
};

// What the journal held after the last checkpoint, in order.
struct Recovered {
  std::vector<Bytes> tail;
  JournalReport report;
};

// How far a roster has got, as one till knows it.
struct RosterSpread {
  std::uint64_t version = 0;
  std::vector<TillId> holders;            // durably
  std::optional<Duration> most_hold_for;  // how long those with more than half of the votes have, at least
};

class TillCore {
 public:
  TillCore(TillCoreConfig config, TillStore& store, Recovered recovered, Random random, Now now);

  Actions on_start(Now now);
  Actions on_record(Now now, ReplyTo to, const OpDraft& draft);
  // Of several callers, who share a flush.
  using Drafts = std::vector<std::pair<ReplyTo, ValidDraft>>;
  Actions on_record(Now now, Drafts drafts);
  Actions on_wait(Now now, ReplyTo to, const std::string& key, Level level, Duration limit);
  // `early` gets the receipts as soon as they may be handed out: before the books are written, which may take longer
  // than a cashier's program to come back.
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

  bool wants_cloud(Now now) const;
  // The last journal segment that nobody needs any more, given each segment's first op; 0 for none.
  std::uint32_t retirable(const std::vector<JournalSegment>& segments, Now now) const;
  // Whether the one being written is worth ending, so that it can go in its turn though few sales come.
  bool should_rotate(const JournalSegment& newest, Now now) const;

  Status status(Now now) const;
  LeaseView lease(Now now) const;
  const std::vector<HostChange>& host_history() const { return host_history_.all(); }
  // How long ago something was heard of another member; nothing when it never was since this till started.
  std::optional<Duration> silence_of(const TillId& name, Now now) const;
  bool connected_to(const TillId& name) const;
  const std::optional<Roster>& roster() const { return config_.roster; }
  RosterSpread roster_spread(Now now) const;
  std::optional<Vitals> vitals_of(const TillId& name) const { return health_.vitals_of(name); }
  Vitals vitals() const;
  const PeerHealth& book() const { return health_; }
  const std::optional<Certificate>& certificate() const;  // of the exclusive lease that holds, if one does
  Result<Level> where(const std::string& key) const;
  std::optional<std::int64_t> stock(const std::string& sku) const;
  std::map<std::string, std::int64_t> all_stock() const;
  Availability available(const std::string& sku, Quantity wanted, Now now) const;
  std::optional<Row> row(const FeedKind& feed, const std::string& id) const;
  // As the cloud has told, and with what was said here since: of the branch, then about rows that branches share.
  std::vector<Conflict> conflicts() const;
  std::optional<Conflict> conflict(const std::string& id) const;
  // A change of a row's fields (MessagePack values; empty: gone), as one who sees the row as it is here makes it.
  OpDraft draft_edit(const std::string& kind, const std::string& id, const std::map<std::string, Bytes>& changes,
                     bool deletes) const;
  std::vector<Row> settings() const;  // of the branch
  const LocalLog& own() const { return log_; }
  std::uint64_t unsure() const { return replicas_.unsure(); }
  const TillState& state() const { return state_; }
  std::vector<PendingOp> unsent(std::size_t limit) const;

 private:
  static constexpr Duration kCheckpointAfter = seconds(1);
  static constexpr std::size_t kCheckpointBytes = 2 << 20;  // some 3,000 sales
  static constexpr Duration kRetryCommit = seconds(1);
  static constexpr Duration kDivergentEvery = seconds(10);
  static constexpr Duration kSweepEvery = seconds(10);
  static constexpr Duration kPingEvery = seconds(2);  // of silence
  static constexpr Duration kPingLast = milliseconds(500);
  static constexpr Duration kTimeEvery = seconds(30);
  static constexpr Duration kVitalsEvery = seconds(10);
  static constexpr Duration kProgressEvery = seconds(60);
  static constexpr Duration kCommandTime = seconds(10);
  static constexpr Duration kLongestBusy = seconds(60);  // that a cloud's word keeps a till from asking again
  static constexpr Duration kShortestPrune = seconds(1), kLongestPrune = std::chrono::minutes(10);
  static constexpr std::size_t kPruneOps = 1000;  // in one commit
  static constexpr unsigned kForksOnWord = 3;     // of one till, in a run; a real fork needs one
  static constexpr std::size_t kMaxPositions = 2000;
  static constexpr std::size_t kMaxProxied = 256;
  static constexpr std::int64_t kClockToleranceMs = 2000;
  static constexpr std::int64_t kClockWrongMs = 60'000;  // beyond this, recorded ops are re-dated

  struct Peer {
    TillId name;
    Role role = Role::till;
    std::map<ChainId, ChainSender> senders;
    std::map<ChainId, Seq> offered;          // by it, so it has them and wants to hear what the cloud holds
    std::map<ChainId, ChainPoint> compares;  // copies of its own history, which it was asked to compare
    std::optional<Pull> parked_pull;
    std::optional<PullEvents> parked_events;
    bool pulling = false;  // our pull waits there
    bool pulling_events = false;
    bool busy_told = false;
    bool is_up = false;  // this till's way to the cloud
    std::optional<std::pair<std::uint64_t, Instant>> ping;
    Instant next_ping;
    Instant heard;
    Instant next_time;  // when its clock is worth asking for again
    std::optional<Vitals> told;
    Instant next_vitals;
  };
  struct Waiter {
    ReplyTo to;
    std::string key;
    Level level;
    Instant deadline;
  };

  // node.cpp: recording and the two disks
  void restore(Recovered recovered, Actions& out);
  void restore_events();
  bool follows(Now now) const;  // another till hosts
  void pump(Now now, Actions& out);
  void pump_commit(Now now, Actions& out);
  std::shared_ptr<StoreBatch> empty_batch();
  void form_checkpoint(Now now, StoreBatch& batch, Actions& out);
  void on_own_durable(const Op& op);
  void add_branch_stock(const Op& op);
  void settle_waiters(Now now, Actions& out);
  Result<void> check_resolution(const Op& op) const;
  std::uint64_t unsent_count() const;
  std::optional<Row> stored_row(const FeedKind& feed, const std::string& id) const;
  bool in_cloud(Incarnation incarnation, Seq seq) const;
  std::int64_t corrected(Now now) const { return now.wall_ms + state_.clock_offset_ms; }

  // node_sync.cpp: chains up; node_held.cpp: what others hold of them
  const Peer* upstream(Now now, PeerId* id = nullptr) const;
  Peer* peer_of(PeerId id);
  void pump_senders(Now now, Actions& out);
  void pump_chain(Now now, PeerId to, Peer& peer, const ChainId& chain, const ChainPoint& last, const ChainPoint& cloud,
                  bool ask_again, Actions& out);
  std::optional<Push> own_push(const ChainId& chain, Seq from, Seq last);
  std::vector<OldChain> own_chains() const;
  Level level_here(Now now) const;
  Level level_of(Now now, const ReplicaBuffer::Chain& chain) const;
  void handle(Now now, PeerId from, HistoryOffer& m, Actions& out);
  void handle(Now now, PeerId from, Ack& m, Actions& out);
  void handle(Now now, PeerId from, CloudReset& m, Actions& out);
  bool its_twin_knows(PeerId id, const ChainId& chain) const;
  bool knows_of_cloud(Now now, PeerId from, const ChainId& chain) const;
  void handle(Now now, PeerId from, Busy& m, Actions& out);
  ChainPoint rebuilt_base() const;
  ChainPoint cloud_point(Incarnation incarnation, const ChainPoint& last) const;
  void on_own_held(Now now, const Peer& peer, const Ack& m, Actions& out);
  Ack cloud_holds(const WireChain& chain, const ChainPoint& point) const;
  void tell_keepers(const Ack& m, Actions& out);
  void doubt_cloud(TillView& view, Actions& out);
  std::map<Incarnation, ChainPoint> left_histories(TillView& view) const;
  void on_relay_held(Now now, const Peer& peer, const Ack& m, Actions& out);
  void handle(Now now, PeerId from, Push& m, Actions& out);

  // node_vault.cpp: what the vault keeps, and how long
  bool prunes(Now now) const { return now.mono >= next_prune_ && state_.forks.empty(); }
  void prune_vault(Now now, TillView& view, StoreBatch& batch);
  bool drop_left_behind(const ForkState& fork);
  void on_below_vault(const Peer& peer, const Ack& m, Actions& out);

  // node_fork.cpp: a history that split
  void begin_fork(Now now, const ChainId& chain, const std::string& why, Actions& out);
  bool believes_in_fork(const Peer& peer, Actions& out);
  void follow_lost(const ChainId& lost, Actions& out);
  bool knows(Incarnation history) const;
  void leave_lost(Now now, const ChainId& lost, Actions& out);
  void record_incarnation();
  ForkState* fork_of(Incarnation old);
  void settle_fork();
  void pump_fork(Now now, Actions& out);
  void handle(Now now, PeerId from, Fetch& m, Actions& out);
  void handle(Now now, PeerId from, Fetched& m, Actions& out);
  void pump_divergent(Now now, Actions& out);
  void ask_to_compare(Actions& out);
  void show_divergent(Actions& out);
  void take_divergent(PeerId from, const OpenedPush& batch, Actions& out);
  void handle(Now now, PeerId from, DivergentBatchAck& m, Actions& out);
  void compare_branches(const Fetched& m, Actions& out);
  void adopt(Now now, const Fetched& m, Actions& out);

  // node_rows.cpp: rows and events down, time
  void pump_pulls(Now now, Actions& out);
  void answer_parked(Now now, Actions& out);
  void sweep_stock(Now now, TillView& view);
  Events events_since(const TillId& reader, const PullEvents& pull);
  void handle(Now now, PeerId from, Pull& m, Actions& out);
  void handle(Now now, PeerId from, Pages& m, Actions& out);
  void handle(Now now, PeerId from, PullEvents& m, Actions& out);
  void tell_seen(PeerId to, const TillId& name, Actions& out);
  void handle(Now now, PeerId from, Seen& m, Actions& out);
  bool knows_nothing() const;
  void handle(Now now, PeerId from, Events& m, Actions& out);
  void handle(Now now, PeerId from, Ping& m, Actions& out);
  void handle(Now now, PeerId from, Pong& m, Actions& out);
  void handle(Now now, PeerId from, NewRoster& m, Actions& out);
  void handle(Now now, PeerId from, Unknown& m, Actions& out);
  void correct_clock(Now now, std::int64_t offset_ms, Actions& out);

  // node_lease.cpp
  template <class M>
  requires std::is_constructible_v<LeaseMessage, M>
  void handle(Now now, PeerId from, M& m, Actions& out) { on_lease_message(now, from, m, out); }
  void on_lease_message(Now now, PeerId from, const LeaseMessage& m, Actions& out);
  void complain(const TillId& about, const std::string& what, Actions& out);
  std::optional<Promise> stored_promise() const;
  void take(Now now, LeaseActions lease, Actions& out);
  void keep_evidence(const TwoGrants& evidence, Actions& out);
  void handle(Now now, PeerId from, TwoGrants& m, Actions& out);
  void pump_vitals(Now now, Actions& out);
  void handle(Now now, PeerId from, Vitals& m, Actions& out);
  void handle(Now now, PeerId from, Progress& m, Actions& out);
  void pump_progress(Now now);
  void handle(Now now, PeerId from, Commanded& m, Actions& out);
  void expire_commands(Now now, Actions& out);
  // What only a cloud, or the shell around this till, is asked.
  void handle(Now, PeerId, Command&, Actions&) { ++refused_; }
  void handle(Now, PeerId, Question&, Actions&) { ++refused_; }
  void handle(Now, PeerId, Answer&, Actions&) { ++refused_; }
  void adopt_roster(Now now, const Roster& roster, Actions& out);

  TillCoreConfig config_;
  TillStore& store_;
  TillState state_;
  Random random_;
  LocalLog log_;
  ReplicaBuffer replicas_;
  RowReader rows_;
  CloudGeneration generation_;
  StockView stock_;
  std::optional<Election> election_;
  std::map<PeerId, Peer> peers_;
  std::map<TillId, Instant> last_heard_;  // of those whose connection ended
  HostHistory host_history_;
  PeerHealth health_;
  PendingOverlay overlay_;
  std::uint32_t fitness_ = 0;
  std::optional<Instant> vitals_due_;
  std::map<std::uint64_t, std::pair<ReplyTo, Instant>> commands_;  // waiting for the cloud's word

  std::shared_ptr<StoreBatch> batch_;    // being committed, or to be tried again
  std::shared_ptr<StoreBatch> written_;  // the one before, whose memory the next one takes
  bool committing_ = false;
  bool news_ = false;  // rows or ops may have changed since parked pulls were last looked at
  bool commit_ok_ = true;
  std::size_t committing_ops_ = 0;
  bool state_dirty_ = false;
  std::optional<Promise> promise_;  // to be stored
  bool promise_committing_ = false;
  std::optional<Progress> progress_;  // to be said once its stamp is stored
  bool progress_committing_ = false;
  Instant next_progress_;
  bool roster_dirty_ = false;
  std::uint64_t roster_durable_ = 0, roster_committing_ = 0;  // versions
  StoreBatch adopted_;                                        // forgotten ops fetched back
  std::optional<Instant> checkpoint_due_;
  Instant retry_commit_;

  ChainPoint host_held_;  // of the current incarnation, by the host
  ChainPoint copy_held_;  // by the keeper of a second copy
  std::vector<Waiter> waiters_;
  std::map<ChainId, Seq> events_seen_;
  std::set<ChainId> ask_again_;  // how far the cloud is
  bool left_lost_ = false;
  std::optional<ChainId> lost_;             // to be left, when no flush is in flight
  std::optional<std::string> fork_wanted_;  // why; begun when no flush is in flight
  std::map<TillId, unsigned> believed_;     // forks of this run on a till's bare word
  Seq reissue_cursor_;                      // how far re-issuing has got; what is durable of it is in state_.fork
  Instant retry_own_;
  Instant next_divergent_;
  Instant next_sweep_;
  Instant next_prune_;
  bool told_below_vault_ = false;  // the cloud says that it lacks what the vault has not any more
  bool sweep_wanted_ = true;
  std::map<Origin, Seq> reissued_divergent_;  // of this run: their number here, 0 until they are on disk
  Instant fetch_again_;
  std::map<ChainId, PeerId> proxied_fetches_;
  std::optional<Seq> first_unsynced_;  // first op recorded since the time was last known
  bool time_known_ = false;
  Instant hostless_since_;
  std::uint64_t refused_ = 0;
  std::uint64_t host_changes_ = 0;
  std::vector<std::string> start_warnings_;
};

}  // namespace tillsync
