// Who may vote and host: the roster as this till has it, which members are connected to it, and what is wrong with a
// message under this roster.
#pragma once

#include <set>
#include <tillsync/ids.hpp>
#include <vector>

#include "lease/messages.hpp"

namespace tillsync {

class Electorate {
 public:
  Electorate(TillId self, Roster roster) : self_(std::move(self)), roster_(std::move(roster)) {}

  const Roster& roster() const { return roster_; }
  bool take(const Roster& roster);  // true when it is of a newer version: votes may have changed

  void connect(const TillId& peer) { connected_.insert(peer); }
  void disconnect(const TillId& peer) { connected_.erase(peer); }
  const std::set<TillId>& connected() const { return connected_; }  // tills, and the cloud while it is
  std::vector<TillId> rivals() const;                               // connected, and may host
  std::vector<TillId> voters() const;                               // connected, and have a vote
  bool majority_connected() const;
  // The other grantors of the certificate, if they are all connected and still make a majority with this till; else
  // nobody.
  std::vector<TillId> grantors_again(const Certificate& certificate) const;

  bool has_vote(const TillId& till) const { return roster_.votes_of(till) > 0; }
  bool may_host(const TillId& till) const;

  // What is wrong in itself; null when nothing is.
  const char* fault_in(const Ballot& ballot, const TillId& from) const;
  const char* fault_in(const Certificate& certificate, Term term, const TillId& from) const;
  bool signed_by(const TillId& grantor, const Ballot& ballot, const Binary& signature) const;

 private:
  TillId self_;
  Roster roster_;
  std::set<TillId> connected_;
};

}  // namespace tillsync
