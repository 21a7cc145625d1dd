#include "transport/cloud/roster_desk.hpp"

#include "engine/cloud/roster_record.hpp"
#include "transport/base/clock.hpp"

namespace tillsync {

TillId RosterDesk::name_in(const Roster& roster) const {
  const Member* me = roster.find_key(key_.view());
  return me == nullptr ? name_ : me->name;
}

Result<void> RosterDesk::check(const Roster& roster) const {
  const Member* me = roster.cloud();
  if (me == nullptr || PublicKey::from_bytes(me->key) != key_)
    return fail(ErrorKind::refused, "the roster of branch " + roster.branch.text +
                                        " does not name this cloud's key: add it with "
                                        "'tillsync roster add --role cloud --key " +
                                        key_.hex() + "'");
  return {};
}

void RosterDesk::take(const Roster& roster, std::function<void(Result<void>)> done) {
  if (auto named = check(roster); !named) return done(named);
  shell_.request(BranchKey{roster.keys.id(), roster.branch}, roster,
                 [done = std::move(done)](const Result<std::uint64_t>& kept) {
                   done(kept ? Result<void>() : tl::unexpected(kept.error()));
                 });
}

void RosterDesk::take_from_peer(const Roster& roster) {
  const BranchKey branch{roster.keys.id(), roster.branch};
  shell_.carry_out(shell_.core().on_request(read_clock(), {}, branch, roster));
}

void RosterDesk::reload(const std::string& tenant) {
  auto found = std::make_shared<std::vector<Roster>>();
  shell_.on_database(
      [found, tenant](CloudStore& store) -> Result<void> {
        auto rosters = stored_rosters(store, tenant);
        if (!rosters) return tl::unexpected(rosters.error());
        *found = std::move(*rosters);
        return {};
      },
      [this, found](const Result<void>&) {
        for (const Roster& roster : *found) shell_.carry_out(shell_.core().on_roster(roster));
      });
}

}  // namespace tillsync
