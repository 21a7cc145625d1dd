// The rosters of a cloud: which of them name it, and by what name; those that its operator and its peers bring, and
// those that other processes of the same cloud have stored.
#pragma once

#include <functional>

#include "transport/cloud/cloud_shell.hpp"

namespace tillsync {

// On the core's thread only.
class RosterDesk {
 public:
  // `name`: its operator's, where a roster has none for `key`.
  RosterDesk(CloudShell& shell, TillId name, const PublicKey& key) : shell_(shell), name_(std::move(name)), key_(key) {}

  const TillId& name() const { return name_; }
  // What that branch calls this cloud: each tenant names it in its own rosters, and by no other's.
  TillId name_in(const Roster& roster) const;
  // Errors: refused, when the roster names another key as its cloud.
  Result<void> check(const Roster& roster) const;

  // From its operator: also of a tenant that is new here. `done` once it is stored.
  void take(const Roster& roster, std::function<void(Result<void>)> done);
  void take_from_peer(const Roster& roster);
  // Another process stored rosters of a tenant; without one, of any.
  void reload(const std::string& tenant);

 private:
  CloudShell& shell_;
  TillId name_;
  PublicKey key_;
};

}  // namespace tillsync
