// The lease and the roster's spread as JSON: `tillsync lease status --json`, and what a manager's key is told.
#include <array>

#include "engine/till/till_core.hpp"
#include "transport/api/json.hpp"

namespace tillsync {

namespace {

Json till_json(const TillCore& node, const Member& member, Now now) {
  const bool self = member.name == node.own().chain().till;
  Json till = {{"name", member.name.text}, {"votes", member.votes}, {"self", self}};
  const auto silence = node.silence_of(member.name, now);
  till["connected"] = self || node.connected_to(member.name);
  till["heard_ms_ago"] = self ? Json(0) : silence ? Json(to_ms(*silence)) : Json();
  const auto vitals = self ? std::optional(node.vitals()) : node.vitals_of(member.name);
  till["unsent"] = vitals ? Json(vitals->unsent) : Json();
  till["roster_version"] = vitals ? Json(vitals->roster_version) : Json();
  till["fitness"] = vitals ? Json(vitals->fitness) : Json();
  return till;
}

}  // namespace

Json lease_json(const TillCore& node, Now now) {
  constexpr std::array<const char*, 3> kNames = {"none", "provisional", "exclusive"};
  const LeaseView lease = node.lease(now);
  const Roster* roster = node.roster() ? &*node.roster() : nullptr;
  const bool held = lease.kind != LeaseKind::none;
  Json tills = Json::array(), history = Json::array();
  for (std::size_t i = 0; roster != nullptr && i < roster->members.size(); ++i) {
    if (roster->members[i].role == Role::till) tills.push_back(till_json(node, roster->members[i], now));
  }
  for (const HostChange& change : node.host_history()) {
    const char* kind = change.host.empty() ? "none" : change.exclusive ? "exclusive" : "provisional";
    history.push_back({{"at_ms", change.wall_ms},
                       {"host", change.host},
                       {"kind", kind},
                       {"term", change.term.value},
                       {"reason", change.reason}});
  }
  Json evidence = Json::array(), ignored = Json::array();
  for (const TwoGrants& e : node.health().evidence()) {
    evidence.push_back({{"till", e.grantor.text},
                        {"term", e.first.term.value},
                        {"granted", {e.first.candidate.text, e.second.candidate.text}}});
  }
  for (const Complaint& c : node.health().complaints())
    ignored.push_back({{"from", c.from.text}, {"what", c.what}, {"count", c.count}});
  const Member* cloud = roster != nullptr ? roster->cloud() : nullptr;
  const bool witness = cloud != nullptr && cloud->votes > 0;
  return {{"branch", roster != nullptr ? roster->branch.text : ""},
          {"kind", kNames[static_cast<std::size_t>(lease.kind)]},
          {"host", lease.host.text},
          {"term", lease.term.value},
          {"since_ms", held ? to_ms(now.mono - lease.since) : 0},
          {"remaining_ms", held ? to_ms(lease.until - now.mono) : 0},
          {"votes", roster != nullptr ? roster->total_votes() : 0},
          {"majority", roster != nullptr ? roster->majority() : 0},
          {"roster_version", roster != nullptr ? roster->version : 0},
          {"unsent", node.status(now).unsent},
          {"tills", tills},
          {"epoch", roster != nullptr ? roster->epoch : 0},
          {"frozen", roster != nullptr && roster->frozen},
          {"witness", witness},
          {"evidence", evidence},
          {"ignored", ignored},
          {"history", history}};
}

Json spread_json(const TillCore& node, Now now) {
  const RosterSpread spread = node.roster_spread(now);
  Json holders = Json::array();
  for (const TillId& holder : spread.holders) holders.push_back(holder.text);
  return {{"version", spread.version},
          {"roster", node.roster() ? bytes_json(node.roster()->encoded()) : Json::array()},
          {"holders", holders},
          {"most_hold_ms", spread.most_hold_for ? Json(to_ms(*spread.most_hold_for)) : Json()}};
}

}  // namespace tillsync
