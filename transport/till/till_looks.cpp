#include "transport/till/till_looks.hpp"

#include "storage/base/pack.hpp"
#include "storage/model/op_codec.hpp"
#include "transport/api/views.hpp"
#include "transport/base/clock.hpp"

namespace tillsync {

namespace {

constexpr std::size_t kOpsOfPage = 500;

// A page of everything in the vault and the pending set, in (incarnation, seq) order of each.
api::OpsPage ops_page(TillCore& core, TillStore& store, const api::OpsRequest& q) {
  api::OpsPage page;
  std::set<std::pair<Incarnation, Seq>> seen;
  store.view().all_ops(q.incarnation, q.from, [&](Incarnation incarnation, Seq seq, ByteView bytes) {
    page.more = page.ops.size() >= kOpsOfPage;
    if (page.more) return false;
    page.ops.push_back(api::view_of(ChainId{core.own().chain().till, incarnation}, seq, bytes));
    seen.insert({incarnation, seq});
    return true;
  });
  for (const PendingOp& p : core.own().history().pending()) {
    const auto place = std::pair(p.op.chain.incarnation, p.op.seq);
    if (!page.more && place >= std::pair(q.incarnation, q.from) && !seen.contains(place))
      page.ops.push_back(api::view_of(p.op, p.hash));
  }
  return page;
}

api::QueuePage queue_page(TillCore& core, const api::QueueRequest& q) {
  api::QueuePage page;
  page.unsent = core.status(read_clock()).unsent;
  for (const PendingOp& p : core.unsent(q.limit)) {
    page.ops.push_back(api::view_of(p.op, p.hash));
    if (auto level = core.where(p.op.key)) page.ops.back().level = *level;
  }
  return page;
}

std::vector<api::ConflictView> conflicts_of(TillCore& core) {
  std::vector<api::ConflictView> all;
  const StockNow stock = [&](const std::string& sku) { return core.stock(sku); };
  for (const Conflict& c : core.conflicts()) all.push_back(api::view_of(c, stock));
  return all;
}

api::LeaseTill lease_till(const TillCore& core, const Member& member, Now now) {
  api::LeaseTill till{member.name.text, member.votes, member.name == core.own().chain().till, false, {}, {}, {}, {}};
  till.connected = till.self || core.connected_to(member.name);
  const auto silence = core.silence_of(member.name, now);
  if (till.self || silence) till.heard_ms_ago = till.self ? 0 : to_ms(*silence);
  if (const auto vitals = till.self ? std::optional(core.vitals()) : core.vitals_of(member.name)) {
    till.unsent = vitals->unsent;
    till.roster_version = vitals->roster_version;
    till.fitness = vitals->fitness;
  }
  return till;
}

void say_roster(const TillCore& core, const Roster& roster, Now now, api::LeaseAnswer& out) {
  out.branch = roster.branch.text;
  out.votes = roster.total_votes(), out.majority = roster.majority();
  out.roster_version = roster.version, out.epoch = roster.epoch, out.frozen = roster.frozen;
  out.witness = roster.cloud() != nullptr && roster.cloud()->votes > 0;
  for (const Member& member : roster.members) {
    if (member.role == Role::till) out.tills.push_back(lease_till(core, member, now));
  }
}

api::LeaseAnswer lease_of(const TillCore& core, Now now) {
  constexpr std::array kKinds{"none", "provisional", "exclusive"};
  const LeaseView lease = core.lease(now);
  const bool held = lease.kind != LeaseKind::none;
  api::LeaseAnswer out;
  out.kind = kKinds[static_cast<std::size_t>(lease.kind)], out.host = lease.host.text, out.term = lease.term;
  if (held) out.since_ms = to_ms(now.mono - lease.since), out.remaining_ms = to_ms(lease.until - now.mono);
  out.unsent = core.status(now).unsent;
  if (core.roster()) say_roster(core, *core.roster(), now, out);
  for (const TwoGrants& e : core.health().evidence())
    out.evidence.push_back({e.grantor.text, e.first.term, {e.first.candidate.text, e.second.candidate.text}});
  for (const Complaint& c : core.health().complaints()) out.ignored.push_back({c.from.text, c.what, c.count});
  for (const HostChange& change : core.host_history()) {
    const char* kind = change.host.empty() ? "none" : change.exclusive ? "exclusive" : "provisional";
    out.history.push_back({change.wall_ms, change.host, kind, change.term, change.reason});
  }
  return out;
}

api::RosterHeld held_of(const TillCore& core, Now now) {
  const RosterSpread spread = core.roster_spread(now);
  api::RosterHeld out;
  out.version = spread.version;
  if (core.roster()) out.roster.bytes = core.roster()->encoded();
  for (const TillId& holder : spread.holders) out.holders.push_back(holder.text);
  if (spread.most_hold_for) out.most_hold_ms = to_ms(*spread.most_hold_for);
  return out;
}

Result<api::CertificateAnswer> certificate_of(const TillCore& core) {
  const auto& certificate = core.certificate();
  if (!certificate || !core.roster())
    return fail(ErrorKind::not_found, "no exclusive lease is known here just now: ask again when there is one");
  return api::CertificateAnswer{{pack(LeaseProof{*core.roster(), *certificate})}};
}

Result<api::RowView> row_of(const TillCore& core, const api::RowRequest& q) {
  const auto row = core.row({"tenant", q.kind}, q.row);
  if (!row || row->deleted) return fail(ErrorKind::not_found, "this till has no such row");
  return api::RowView{row->id, row->version, fields_json(row->fields)};
}

}  // namespace

void answer_looks(api::Answering& answers, TillCore& core, TillStore& store, bool running) {
  answers.on<api::StatusRequest>([&core, running](const auto&) -> Result<api::StatusAnswer> {
    return api::StatusAnswer{{core.status(read_clock())}, running};
  });
  answers.on<api::QueueRequest>([&core](const auto& q) { return Result<api::QueuePage>(queue_page(core, q)); });
  answers.on<api::OpsRequest>(
      [&core, &store](const auto& q) { return Result<api::OpsPage>(ops_page(core, store, q)); });
  answers.on<api::WhereRequest>([&core](const auto& q) -> Result<api::Reached> {
    const auto level = core.where(q.key);
    return level ? Result<api::Reached>(api::Reached{*level}) : tl::unexpected(level.error());
  });
  answers.on<api::StockRequest>([&core](const auto&) { return Result<api::Stock>(core.all_stock()); });
  answers.on<api::AvailableRequest>([&core](const auto& q) -> Result<api::AvailabilityView> {
    return api::view_of(core.available(q.sku, Quantity{q.milli}, read_clock()));
  });
  answers.on<api::RowRequest>([&core](const auto& q) { return row_of(core, q); });
  answers.on<api::SettingsRequest>([&core](const auto&) -> Result<api::Values> {
    api::Values all;
    for (const Row& row : core.settings()) all[row.id] = fields_json(row.fields);
    return all;
  });
  answers.on<api::ConflictsRequest>(
      [&core](const auto&) { return Result<std::vector<api::ConflictView>>(conflicts_of(core)); });
  answers.on<api::ConflictsPageRequest>(
      [&core](const auto& q) { return Result<api::ConflictsPage>(api::page_of(conflicts_of(core), q.from)); });
  answers.on<api::LeaseRequest>([&core, running](const auto&) -> Result<api::LeaseAnswer> {
    auto lease = lease_of(core, read_clock());
    lease.running = running;
    return lease;
  });
  answers.on<api::RosterHeldRequest>(
      [&core](const auto&) { return Result<api::RosterHeld>(held_of(core, read_clock())); });
  answers.on<api::RosterRequest>([&core](const auto&) -> Result<api::OrNull<api::RosterView>> {
    api::OrNull<api::RosterView> out;
    if (core.roster()) out = api::view_of(*core.roster());
    return out;
  });
  answers.on<api::CertificateRequest>([&core](const auto&) { return certificate_of(core); });
}

}  // namespace tillsync
