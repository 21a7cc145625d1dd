// Who is connected to a cloud, and what each may send: the peers, the newest roster of each branch, how much a till may
// send, whether what it sends is signed by whom it says; and what was refused, counted.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <tillsync/time.hpp>

#include "engine/cloud/cloud_actions.hpp"
#include "engine/cloud/limits.hpp"
#include "engine/cloud/refusals.hpp"

namespace tillsync {

class Admission {
 public:
  static constexpr std::size_t kMaxReported = 10'000;  // refusals that a notice names; the others are only counted

  struct Peer {
    BranchKey branch;
    TillId name;
    std::uint32_t protocol = 0;  // the version that both speak
    Meter messages{};
    bool heard_of_reset = false;
  };

  explicit Admission(RateLimits limits = {}) : limits_(limits) {}

  // The newest of a branch counts: its members get it, and who is none any more is let go. False: it is not newer.
  bool take(const Roster& roster, CloudActions& out);
  const std::map<BranchKey, Roster>& rosters() const { return rosters_; }
  const Roster* roster_of(const BranchKey& branch) const;

  void add(PeerId id, Peer peer, CloudActions& out);
  void remove(PeerId id) { peers_.erase(id); }
  const Peer* find(PeerId id) const;
  // That the record went back in time is said once a connection, before anything else that it knows: true, once.
  bool must_hear_of_reset(PeerId id);

  // Counts a message of a peer. False: it is let go, since it sends too many, or this process can't keep up.
  bool admit_message(Now now, PeerId from, bool overloaded, CloudActions& out);
  // A push by whom it says, who may push, and not too fast. `read_now`: it is to be read before its job runs.
  std::optional<VerifiedPush> admit_push(Now now, PeerId from, Push push, bool read_now, CloudActions& out);
  bool admit_progress(PeerId from, const Progress& progress);

  void let_go(const CloudAnswers::Refusal& refused, CloudActions& out);
  // Ignores a message of a peer that stays. A notice says so once for each member and reason.
  void ignore(PeerId from, const std::string& why, Refused reason, CloudActions& out);
  Refusals& refusals() { return refusals_; }
  struct Totals {
    std::size_t connections = 0;
    std::uint64_t refused = 0;
  };
  Totals totals() const { return {peers_.size(), refusals_.total()}; }

 private:
  const Member* member(const BranchKey& branch, const TillId& name) const;
  bool too_fast(Now now, PeerId from, const Push& push, CloudActions& out);

  Limits limits_;
  std::map<BranchKey, Roster> rosters_;
  std::map<PeerId, Peer> peers_;
  std::set<std::pair<BranchKey, std::string>> reported_;  // whose refusals, and why, a notice has named
  std::uint64_t to_read_ = 0;                             // pushes that were to be read so far
  Refusals refusals_;
};

}  // namespace tillsync
