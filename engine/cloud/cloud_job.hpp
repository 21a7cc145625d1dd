// What the cloud's core wants done in its database, and what came of it. A job is a group of asks that are carried out
// together; nobody is answered before it is committed.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tillsync/time.hpp>
#include <variant>
#include <vector>

#include "conflicts/choices.hpp"
#include "engine/actions.hpp"
#include "engine/cloud/import.hpp"
#include "engine/cloud/ingest/ingest.hpp"
#include "engine/cloud/ingest/push_reading.hpp"
#include "engine/cloud/refusals.hpp"
#include "engine/cloud/witness.hpp"
#include "engine/wire/messages.hpp"
#include "lease/roster.hpp"

namespace tillsync {

inline constexpr char kMayNotPush[] = "that key may settle conflicts at most, and only with the role support";

struct VerifiedPush {
  std::shared_ptr<const PushReading> reading;
  bool settles_only = false;  // by a key that may bring resolutions, and nothing else
  std::uint64_t read_as = 0;  // its number among those that were to be read; 0: it is not
};

// What people and programs at the cloud itself want, beside what comes over connections.
struct ImportRows {
  ImportBatch batch;
};
struct SettleConflict {  // signed with the cloud's key, by the name that its branch gives it
  OpDraft draft;
  Resolution said;
  TillId name;
  SecretKey key;
};
struct KeepRoster {
  Roster roster;
};

struct CloudAsk {
  PeerId from;
  BranchKey branch;  // whose jobs never run at once; of a tenant's shared rows: no branch
  std::variant<HistoryOffer, VerifiedPush, Fetch, Pull, LeaseAsk, TwoGrants, Progress, ImportRows, SettleConflict,
               KeepRoster>
      what;
  ReplyTo reply{};  // of what does not come over a connection; none: nobody waits
};

struct CloudReply {
  ReplyTo to;
  Result<std::uint64_t> outcome;  // how many rows an import changed
};

struct CloudJob {
  std::vector<CloudAsk> asks;
  Now now;                  // when it was formed
  std::uint64_t reads = 0;  // it runs when as many of `to_read` have been read, counted since the start
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
    BranchKey branch;
    Refused why;
    std::string sentence;
  };
  std::vector<Answer> answers;
  std::vector<CloudReply> replies;
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

}  // namespace tillsync
