#include "tools/client/spread.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <thread>

#include "lease/grantor.hpp"
#include "storage/disk/data_folder.hpp"

namespace tillsync::client {

namespace {

std::string marker(const std::string& roster_path) { return roster_path + ".given"; }

std::string missing(const Roster& roster, const std::vector<std::string>& holders) {
  std::string names;
  for (const Member& m : roster.members) {
    if (m.role != Role::till || m.votes == 0) continue;
    if (std::ranges::find(holders, m.name.text) == holders.end()) names += (names.empty() ? "" : ", ") + m.name.text;
  }
  return names;
}

}  // namespace

void mark_handed_out(const std::string& roster_path, const Roster& roster) {
  require(replace_file(marker(roster_path), std::to_string(roster.version) + "\n"));
}

bool was_handed_out(const std::string& roster_path) { return std::filesystem::exists(marker(roster_path)); }

void await_spread(const std::string& roster_path, const Roster& roster, const Whom& whom) {
  if (!was_handed_out(roster_path) || roster.total_votes() == 0) return;
  const std::string version = std::to_string(roster.version);
  if (!whom.named())
    throw Failure{"first most tills must have version " + version +
                  " of the roster: name one that runs, with --data FOLDER or --at NAME@HOST:PORT, to see that they do "
                  "(for tills that are gone: 'tillsync roster emergency')"};
  Whom asked = whom;
  if (asked.roster.empty()) asked.roster = roster_path;
  const api::RosterHeld held = ask(asked, api::RosterHeldRequest{});
  if (held.version < roster.version)
    throw Failure{"the till has version " + std::to_string(held.version) + " of the roster, not " + version +
                  ": hand that out first with 'tillsync roster import'"};
  if (!held.most_hold_ms)
    throw Failure{"too few tills have version " + version + " of the roster yet (missing: " +
                  missing(roster, held.holders) + "): start them, or use 'tillsync roster emergency' if they are gone"};
  const std::int64_t wait = to_ms(promise_time(roster.lease_ms)) - *held.most_hold_ms;
  if (wait > 0) std::this_thread::sleep_for(std::chrono::milliseconds(wait));
}

}  // namespace tillsync::client
