// Who may do what at a cloud. A connection proves who it is by its branch's roster, or by an operator's key
// (engine/cloud/operators.hpp); what it may do follows from its role alone, and is no more than that role needs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "lease/roster.hpp"

namespace tillsync {

enum class Party : std::uint8_t { till, support, manager, headquarters, metrics };

enum class Right : std::uint8_t {
  sync,              // push ops, follow rows, vote: all that a till does
  read_conflicts,    // the conflicts of its branches
  settle_conflicts,  // say how one ends
  import_rows,       // rows of the tenant in, and where the last import stands
  read_fleet,        // how each branch is
  read_webhook,      // what is still to be delivered, and what was set aside
  replay_webhook,    // deliver again what was set aside
  read_metrics,
  read_lease,  // at a till: who hosts its branch, and who holds which roster
};
constexpr Right kAllRights[] = {Right::sync,           Right::read_conflicts, Right::settle_conflicts,
                                Right::import_rows,    Right::read_fleet,     Right::read_webhook,
                                Right::replay_webhook, Right::read_metrics,   Right::read_lease};

constexpr bool may(Party party, Right right) {
  switch (right) {
    case Right::sync:
      return party == Party::till;
    case Right::read_conflicts:
    case Right::read_lease:
      return party == Party::support || party == Party::manager;
    case Right::settle_conflicts:
      return party == Party::support;
    case Right::import_rows:
      return party == Party::headquarters;
    case Right::read_fleet:
      return party == Party::support || party == Party::manager || party == Party::headquarters;
    case Right::read_webhook:
    case Right::replay_webhook:
      return party == Party::support || party == Party::headquarters;
    case Right::read_metrics:
      return party == Party::metrics;
  }
  return false;
}

const char* name_of(Party party);
const char* name_of(Right right);
std::optional<Party> party_named(const std::string& name);
Party party_of(Role person);  // a manager's or a supporter's
// Of a member of a roster; a cloud may nothing.
bool may(Role role, Right right);

}  // namespace tillsync
