// The cloud tier's engine: authenticated peers ask, asks are grouped into jobs, a job is one transaction, answers go
// out when it is committed. Several jobs may run at once, never two of one branch. No I/O of its own: whoever drives it
// runs the job (run_job) where the database lives.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tillsync/time.hpp>
#include <variant>
#include <vector>

#include "engine/actions.hpp"
#include "engine/cloud/ingest.hpp"
#include "engine/cloud/limits.hpp"
#include "engine/cloud/push_reading.hpp"
#include "engine/cloud/refusals.hpp"
#include "engine/cloud/witness.hpp"
#include "engine/wire/messages.hpp"
#include "engine/wire/open_push.hpp"

namespace tillsync {

struct VerifiedPush {
  std::shared_ptr<const PushReading> reading;
  bool settles_only = false;  // by a key that may bring resolutions, and nothing else
  std::uint64_t read_as = 0;  // its number among those that were to be read; 0: it is not
};

struct CloudAsk {
  PeerId from;
  BranchKey shop;
  std::variant<HistoryOffer, VerifiedPush, Fetch, Pull, LeaseAsk, TwoGrants, Progress> what;
};

struct CloudJob {
  std::vector<CloudAsk> asks;
  Now now;                  // when it was formed
  std::uint64_t reads = 0;  // it runs when as many of `to_read` have been read, of all there were
  std::map<BranchKey, std::vector<TillId>> tills;  // by the rosters, of the branches that ask
  std::shared_ptr<const Policies> policies = std::make_shared<const Policies>();
};

struct CloudAnswers {
  struct Answer {
    PeerId to;
    Message message;
  };
  struct Refusal {
    PeerId from;
    BranchKey shop;
    Refused why;
    std::string sentence;
  };
  std::vector<Answer> answers;
  std::vector<Refusal> refused;   // pushes
  std::vector<CloudAsk> waiting;  // pulls with nothing new yet
  IngestCounts counts;
  std::set<CloudNews> changed;           // feeds: who waits for them is answered
  std::optional<CloudReset> began_anew;  // unsigned: who offers something hears it first
  void add(CloudAnswers more);
};

// `clock` is that of this machine, and read while the job runs: how old the job is by then, nobody knows before. The
// witness remembers what the jobs of this process have seen and promised. Errors: those of the store that pass.
// Then the job is to be run again; some of it may be done, and is not done twice.
Result<CloudAnswers> run_job(CloudStore& store, Witness& witness, const CloudJob& job, const LeaseClock& clock);

struct CloudActions {
  struct Job {
    std::size_t lane;  // which on_done() answers for
    std::shared_ptr<const CloudJob> job;
  };
  std::vector<Job> jobs;
  std::vector<std::shared_ptr<const PushReading>> to_read;  // one after the other, on another thread if there is one
  std::vector<Actions::Send> sends;
  std::vector<PeerId> hang_up;
  std::vector<Notice> notices;
  std::optional<std::pair<BranchKey, Roster>> new_roster;  // to be kept
};

struct CloudCounters {
  std::uint64_t ops = 0, duplicates = 0, conflicts = 0, jobs = 0;
};

// Feeds with something new; nothing: it may be any of them.
using ChangedFeeds = std::optional<std::set<CloudNews>>;

class CloudCore {
 public:
  static constexpr std::size_t kMaxJobBytes = 8 << 20;  // asks grouped into one transaction
  // Of one branch: less than a till has under way, so that it sends the next while these are written.
  static constexpr std::size_t kMaxShopBytes = 2 << 20;
  static constexpr std::size_t kReadAhead = 32;  // pushes: read, they take more room
  static constexpr std::size_t kMaxQueuedAsks =
      4096;  // beyond this a peer is let go; windows keep honest ones far below
  static constexpr char kMayNotPush[] = "that key may settle conflicts at most, and only with the role support";
  static constexpr Duration kFirstPause = milliseconds(250), kLongestPause = seconds(8);  // while the database is away

  // `lanes`: jobs that may run at once, each about other branches. Leases are the first lane's.
  explicit CloudCore(SecretKey key, std::size_t lanes = 1, RateLimits limits = {})
      : key_(key), limits_(limits), lanes_(lanes) {}
  std::shared_ptr<const Policies> policies() const { return policies_; }
  void use(Policies policies) { policies_ = std::make_shared<const Policies>(std::move(policies)); }

  // The newest of each branch counts; its members are told, and who is none any more is let go.
  CloudActions on_roster(const Roster& roster);
  const std::map<BranchKey, Roster>& rosters() const { return rosters_; }

  // `protocol`: the version that both speak.
  CloudActions on_peer_up(Now now, PeerId peer, const BranchKey& shop, const TillId& name,
                          std::uint32_t protocol = kBusySince);
  void on_peer_down(PeerId peer);
  CloudActions on_message(Now now, PeerId from, Message message);
  CloudActions on_unreadable(PeerId from);  // what came was no message
  CloudActions on_done(Now now, std::size_t lane, Result<CloudAnswers> outcome);
  CloudActions on_rows_changed(Now now, const ChangedFeeds& feeds);  // by an import, or by another process
  CloudActions on_wake(Now now);
  std::optional<Instant> next_wake() const;
  std::optional<Error> trouble() const;  // why jobs wait that can't be stored
  const CloudCounters& counters() const { return counters_; }
  const Refusals& refusals() const { return refusals_; }
  Refusals& refusals() { return refusals_; }  // whoever drives it counts those that it lets no further
  // Who hosts a branch, as far as the cloud has been told: the certificate of the highest term.
  const Certificate* leader(const BranchKey& shop) const;
  std::size_t connections() const { return peers_.size(); }

 private:
  struct Peer {
    BranchKey shop;
    TillId name;
    std::uint32_t protocol;
    Meter messages;
    bool told_of_restore = false;
  };
  struct Lane {
    std::shared_ptr<const CloudJob> job;  // running, or to be tried again
    bool running = false;
    std::optional<Instant> retry_at;
    std::optional<Error> failed;  // why it is to be tried again
    Duration pause = kFirstPause;
    ChangedFeeds missed = std::set<CloudNews>{};  // changed while the job ran, which may not have seen it
  };
  void pump(Now now, CloudActions& out);
  std::shared_ptr<const CloudJob> next_job(Now now, const Lane& lane);
  void wake_readers(const ChangedFeeds& feeds);
  void park(CloudAsk ask);
  std::optional<CloudAsk> unpark(PeerId peer);
  void name_tills(const BranchKey& shop, CloudJob& job) const;
  void take_push(Now now, const Peer& peer, PeerId from, Push push, CloudActions& out);
  bool too_fast(Now now, const Peer& peer, PeerId from, const Push& push, CloudActions& out);
  void take_progress(const Peer& peer, PeerId from, const Progress& m);
  void take_roster(const Peer& peer, const NewRoster& m, CloudActions& out);
  void take_lease(const Peer& peer, PeerId from, Message& message, CloudActions& out);
  const char* fault_in(const Peer& peer, const Roster& roster, const Message& message) const;
  void let_go(const CloudAnswers::Refusal& refused, CloudActions& out);
  void refuse(const Peer& peer, const std::string& why, CloudActions& out, Refused reason = Refused::bad_signature);
  void tell_of_restore(const CloudAnswers& answers, CloudActions& out);
  void send_answer(PeerId to, Message message, CloudActions& out);

  SecretKey key_;
  Limits limits_;
  std::shared_ptr<const Policies> policies_ = std::make_shared<const Policies>();
  std::map<BranchKey, Roster> rosters_;
  std::map<BranchKey, Certificate> leaders_;
  std::set<std::pair<BranchKey, std::string>>
      told_;  // of whose lease messages it was said already that they are refused
  std::map<PeerId, Peer> peers_;
  std::deque<CloudAsk> queue_;
  std::map<PeerId, CloudAsk> parked_;  // pulls that wait for something new
  std::map<CloudNews, std::set<PeerId>> parked_by_feed_;
  std::vector<Lane> lanes_;
  std::uint64_t to_read_ = 0;  // pushes that were to be read so far
  CloudCounters counters_;
  Refusals refusals_;
};

}  // namespace tillsync
