#include "tools/client/roster_file.hpp"

#include <sys/stat.h>

#include <filesystem>
#include <iostream>

#include "storage/disk/data_folder.hpp"
#include "tools/client/spread.hpp"
#include "transport/base/clock.hpp"

namespace tillsync::client {

std::int64_t wall_ms() { return read_clock().wall_ms; }

void write_secret(const std::string& path, const SecretKey& key) {
  if (std::filesystem::exists(path)) throw Failure{path + " exists: choose another name"};
  const mode_t before = ::umask(0077);
  auto written = replace_file(path, key.seed_hex() + "\n");
  ::umask(before);
  require(std::move(written));
}

SecretKey tenant_of(const Roster& roster, const std::string& path) {
  SecretKey tenant = read_secret(path);
  if (tenant.public_key() != roster.keys.signing())
    throw Failure{path + " does not sign this tenant's rosters: use the tenant's newest key"};
  return tenant;
}

Roster current_roster(const std::string& path, const Whom& whom) {
  Roster roster = read_roster(path);
  if (!whom.named()) {
    if (!roster.pairing_key.empty() && was_handed_out(path))
      throw Failure{
          "the cloud may have let tills join since this roster was made: name a till that runs, with --data "
          "FOLDER or --at NAME@HOST:PORT, so that they stay"};
    return roster;
  }
  Whom asked = whom;
  if (asked.roster.empty()) asked.roster = path;
  const api::RosterHeld held = ask(asked, api::RosterHeldRequest{});
  const auto newer = Roster::decode(held.roster.bytes);
  if (!newer || !roster.take(*newer)) return roster;
  for (const Member& m : roster.members) {
    if (!m.joined.empty())
      std::cout << m.name.text << " joined by the cloud and stays, without a vote: give it one with 'tillsync roster "
                << "vote --on --name " << m.name.text << "'\n";
  }
  return roster;
}

void issue(const std::string& path, Roster& next, const SecretKey& tenant) {
  next.issued_ms = wall_ms();
  next.sign(tenant);
  if (!Roster::decode(next.encoded()))
    throw Failure{"that roster would break a rule: at most 200 members and one cloud, each name and key once"};
  require(replace_file(path, next.encoded()));
  std::cout << path << " is at version " << next.version
            << "; hand it to one till or the cloud with 'tillsync roster import'\n";
  const Member* cloud = next.cloud();
  if (next.frozen || cloud == nullptr || next.total_votes() == 0 || next.total_votes() % 2 != 0) return;
  std::cout << (cloud->votes == 0
                    ? "It has an even number of votes: let the cloud break a tie with 'tillsync roster witness --on'.\n"
                    : "It has an even number of votes with the cloud's: take that back with 'tillsync roster witness "
                      "--off'.\n");
}

}  // namespace tillsync::client
