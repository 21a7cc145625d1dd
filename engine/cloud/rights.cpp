#include "engine/cloud/rights.hpp"

namespace tillsync {

const char* name_of(Party party) {
  constexpr const char* kNames[] = {"till", "support", "manager", "headquarters", "metrics"};
  return kNames[static_cast<std::size_t>(party)];
}

const char* name_of(Right right) {
  constexpr const char* kNames[] = {"sync",         "read_conflicts", "settle_conflicts", "import_rows", "read_fleet",
                                    "read_webhook", "replay_webhook", "read_metrics",     "read_lease"};
  return kNames[static_cast<std::size_t>(right)];
}

Party party_of(Role person) { return person == Role::support ? Party::support : Party::manager; }

std::optional<Party> party_named(const std::string& name) {
  for (Party each : {Party::till, Party::support, Party::manager, Party::headquarters, Party::metrics}) {
    if (name == name_of(each)) return each;
  }
  return std::nullopt;
}

bool may(Role role, Right right) {
  switch (role) {
    case Role::till:
      return may(Party::till, right);
    case Role::manager:
      return may(Party::manager, right);
    case Role::support:
      return may(Party::support, right);
    case Role::cloud:
      break;
  }
  return false;
}

}  // namespace tillsync
