// What a till knows about itself: for `tillsync status`, for till programs that show a light, for support.
#pragma once

#include <cstdint>
#include <string>
#include <tillsync/op.hpp>
#include <vector>

namespace tillsync {

struct PeerStatus {
  std::string name;
  std::string role;  // till, host, cloud
  std::uint64_t unsent = 0;
};

struct Status {
  std::string branch;
  std::string till;
  std::string tenant;
  std::uint64_t roster_version = 0;
  std::uint64_t incarnation = 0;
  std::uint64_t recorded = 0;         // ops of this incarnation
  std::uint64_t unsent = 0;           // not yet held by the cloud
  std::uint64_t kept = 0;             // in the database, those that the cloud holds as well
  std::uint64_t one_disk_only = 0;    // not yet on a second disk
  std::int64_t oldest_unsent_ms = 0;  // age; 0 when nothing is unsent
  std::uint64_t relaying = 0;         // other tills' ops held here for the cloud
  std::string host;                   // empty when there is none
  std::string lease;                  // none, provisional, exclusive
  bool is_host = false;
  bool cloud_connected = false;
  bool accepting = true;  // false: the journal's disk failed
  bool database_ok = true;
  std::int64_t clock_offset_ms = 0;
  std::uint64_t rows = 0;
  std::uint64_t rows_diverged = 0;
  std::uint64_t forks = 0;
  bool fork_open = false;
  std::uint64_t refused_messages = 0;
  std::uint64_t host_changes = 0;
  std::uint64_t lease_term = 0;
  std::uint64_t duplicates_closed = 0;  // keys that were recorded again, with the same content
  std::int64_t checkpoint_age_ms = 0;   // of the oldest op that is in the journal and not in the database yet
  std::vector<PeerStatus> peers;
};

}  // namespace tillsync
