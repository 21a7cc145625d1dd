// The cloud tier's engine: authenticated peers ask, asks are grouped into jobs, a job is one transaction, answers go
// out when it is committed. Several jobs may run at once, never two of one branch. No I/O of its own: whoever drives it
// runs the job (run_job) where the database lives.
//
// What people and programs at the cloud want (imports, settlements, rosters) takes the same way: it is a request, and
// is answered by a reply.
//
// It only passes on what comes to its parts, which do not know each other: Admission (who may send what), LeaseDesk,
// ReaderPark (pulls that wait) and JobScheduler (what the database does next).
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <tillsync/op.hpp>
#include <tillsync/time.hpp>
#include <variant>

#include "engine/cloud/admission.hpp"
#include "engine/cloud/cloud_actions.hpp"
#include "engine/cloud/cloud_job.hpp"
#include "engine/cloud/job_scheduler.hpp"
#include "engine/cloud/lease_desk.hpp"
#include "engine/cloud/reader_park.hpp"

namespace tillsync {

struct CloudCounters {
  std::uint64_t ops = 0, duplicates = 0, conflicts = 0, jobs = 0;
};

struct CloudStatus {
  CloudCounters counters;
  std::uint64_t refused = 0;  // for whatever reason
  std::size_t connections = 0;
  std::optional<Error> trouble;  // why jobs wait that can't be stored
};

// A resolution by somebody at the cloud; `name`: of this cloud, as the branch calls it.
struct SettlementDraft {
  OpDraft draft;
  TillId name;
};
// Rows of a tenant, a settlement of one of the branch's conflicts, or a roster of the branch that is to be kept.
using CloudRequest = std::variant<ImportBatch, SettlementDraft, Roster>;

class CloudCore {
 public:
  static constexpr std::size_t kReadAhead =
      32;  // pushes that are read before their job runs: read, they take more room

  // `lanes`: jobs that may run at once, each about other branches.
  explicit CloudCore(SecretKey key, std::size_t lanes = 1, RateLimits limits = {}, Policies policies = {});

  // A roster that the record has: the newest of each branch counts; its members get it, and who is none any more is let
  // go. One that the record may not have is a request.
  CloudActions on_roster(const Roster& roster);
  const std::map<BranchKey, Roster>& rosters() const { return admission_.rosters(); }

  // `protocol`: the version that both speak.
  CloudActions on_peer_up(Now now, PeerId peer, const BranchKey& branch, const TillId& name,
                          std::uint32_t protocol = kBusySince);
  void on_peer_down(PeerId peer);
  CloudActions on_message(Now now, PeerId from, Message message);
  CloudActions on_unreadable(PeerId from);  // what came was no message
  // `to` gets one reply, once it is done: what a database that is away holds up is tried until it works. Nobody: of a
  // roster that a peer brought, which is only kept if it is news. Errors: busy, not_found, refused, invalid.
  CloudActions on_request(Now now, ReplyTo to, const BranchKey& branch, CloudRequest request);
  CloudActions on_done(Now now, std::size_t lane, Result<CloudAnswers> outcome);
  CloudActions on_rows_changed(Now now, const ChangedFeeds& feeds);  // by another process
  CloudActions on_wake(Now now);
  std::optional<Instant> next_wake() const { return scheduler_.next_wake(); }

  CloudStatus status() const;
  Refusals& refusals() { return admission_.refusals(); }  // whoever drives it counts those that it lets no further
  // Who hosts a branch, as far as the cloud knows: the certificate of the highest term.
  const Certificate* leader(const BranchKey& branch) const { return leases_.leader(branch); }

 private:
  void dispatch(Now now, PeerId from, Message& message, CloudActions& out);
  void take_push(Now now, PeerId from, Push push, CloudActions& out);
  void take_pull(PeerId from, const BranchKey& branch, Pull pull);
  void take_roster(const BranchKey& branch, const NewRoster& brought, CloudActions& out);
  void keep_roster(ReplyTo to, const BranchKey& branch, const Roster& roster, CloudActions& out);
  void take_settlement(ReplyTo to, const BranchKey& branch, SettlementDraft settlement, CloudActions& out);
  void take_evidence(PeerId from, const BranchKey& branch, TwoGrants evidence, CloudActions& out);
  void take_lease(PeerId from, const Admission::Peer& peer, Message& message, CloudActions& out);
  CloudActions job_failed(Now now, std::size_t lane, const Error& why);
  void reply(CloudReply reply, CloudActions& out);
  void announce_reset(const CloudAnswers& answers, CloudActions& out);
  void wake_readers(const ChangedFeeds& feeds);
  void start_jobs(Now now, CloudActions& out);

  SecretKey key_;
  std::shared_ptr<const Policies> policies_;
  Admission admission_;
  LeaseDesk leases_;
  ReaderPark readers_;
  JobScheduler scheduler_;
  CloudCounters counters_;
};

}  // namespace tillsync
