#include "engine/till/till_queries.hpp"

#include <algorithm>

#include "engine/ledger/moves.hpp"
#include "storage/base/pack.hpp"
#include "storage/model/op_codec.hpp"
#include "storage/model/row_edit.hpp"
#include "storage/model/row_groups.hpp"

namespace tillsync {

Status TillQueries::status(Now now) const {
  Status s;
  s.branch = of_.context.config.branch.text;
  s.till = of_.context.self().text;
  if (const auto& roster = of_.context.roster) {
    s.tenant = roster->tenant;
    s.roster_version = roster->version;
  }
  add_record(s, now);
  add_branch(s, now);
  s.rows = of_.context.store.view().row_count();
  s.rows_diverged = of_.rows.diverged();
  s.clock_offset_ms = of_.clock.offset_ms();
  s.refused_messages = of_.health.refused() + of_.leadership.ignored();
  return s;
}

void TillQueries::add_record(Status& s, Now now) const {
  const Seq last = of_.log.last().seq;
  s.incarnation = of_.log.chain().incarnation.value;
  s.recorded = last.value;
  s.unsent = of_.acks.unsent();
  s.kept = of_.context.store.view().op_count();
  const Seq second_disk = std::max({of_.acks.cloud().seq, of_.copies.host.seq, of_.copies.keeper.seq});
  s.one_disk_only = last.value - std::min(second_disk, last).value;
  const std::int64_t wall_ms = of_.clock.corrected(now);
  const auto oldest = of_.acks.first_unsent(1);
  if (!oldest.empty()) s.oldest_unsent_ms = std::max<std::int64_t>(1, wall_ms - oldest.front().op.hlc.millis());
  const auto& pending = of_.log.history().pending();
  if (!pending.empty()) s.checkpoint_age_ms = std::max<std::int64_t>(0, wall_ms - pending.front().op.hlc.millis());
  s.duplicates_closed = of_.log.repeated();
  s.accepting = !of_.log.stopped();
  s.database_ok = !of_.context.store.damaged() && of_.checkpoints.succeeds();
  s.forks = of_.forks.seen();
  s.fork_open = !of_.forks.empty();
}

void TillQueries::add_branch(Status& s, Now now) const {
  const LeaseView lease = of_.leadership.view(now.mono);
  s.relaying = of_.replicas.unsent();
  s.host = lease.host.text;
  s.lease = lease.kind == LeaseKind::exclusive     ? "exclusive"
            : lease.kind == LeaseKind::provisional ? "provisional"
                                                   : "none";
  s.lease_term = lease.term.value;
  s.is_host = lease.kind != LeaseKind::none && lease.host == of_.context.self();
  s.host_changes = of_.leadership.changes();
  for (const auto& [id, peer] : of_.peers.all()) {
    s.cloud_connected = s.cloud_connected || peer.is_cloud();
    s.peers.push_back({peer.name.text, peer.is_cloud() ? "cloud" : peer.name == lease.host ? "host" : "till", 0});
  }
}

std::optional<Row> TillQueries::row(const FeedKind& feed, const std::string& id) const {
  auto row = stored_row(feed, id);
  return feed.feed == "tenant" ? of_.overlay.over(std::move(row), feed.kind, id) : row;
}

// That of one of the branch's groups stands over the tenant's.
std::optional<Row> TillQueries::stored_row(const FeedKind& feed, const std::string& id) const {
  TillView view = of_.context.store.view();
  if (feed.feed == "tenant") {
    for (const std::string& group : of_.rows.groups()) {
      auto stored = view.row({group_feed(group), feed.kind}, id);
      if (stored && !stored->row.deleted) return std::move(stored->row);
    }
  }
  auto stored = view.row(feed, id);
  return stored ? std::optional(std::move(stored->row)) : std::nullopt;
}

std::vector<Row> TillQueries::settings() const {
  std::vector<Row> out;
  of_.context.store.view().rows_after(setting_feed(of_.context.config.branch), {},
                                      [&](const TillView::StoredRow& stored) {
                                        if (!stored.row.deleted) out.push_back(stored.row);
                                        return true;
                                      });
  return out;
}

OpDraft TillQueries::draft_edit(const std::string& kind, const std::string& id,
                                const std::map<std::string, Bytes>& changes, bool deletes) const {
  const FeedKind feed{"tenant", kind};
  const auto stored = stored_row(feed, id);
  const auto seen = row(feed, id);
  const RowFields fields = seen ? split_fields(seen->fields).value_or(RowFields{}) : RowFields{};
  RowEdit edit{kind, id, stored ? stored->version : RowVersion{}, deletes, {}};
  for (const auto& [field, becomes] : changes) {
    const auto was = fields.find(field);
    edit.changes[field] = {Binary(was == fields.end() ? Bytes() : was->second), Binary(becomes)};
  }
  OpDraft draft;
  draft.kind = OpKind::edit;
  draft.custom_body = pack(edit);
  return draft;
}

std::optional<std::int64_t> TillQueries::stock(const std::string& sku) const {
  TillView view = of_.context.store.view();
  return of_.stock.quantity(view, sku);
}

std::map<std::string, std::int64_t> TillQueries::all_stock() const {
  std::map<std::string, std::int64_t> all;
  of_.context.store.view().stocks([&](const std::string& sku, const StockProjection& p) { all[sku] = p.milli; });
  for (const PendingOp& p : of_.log.history().pending()) {
    if (!moves_stock(p.op.kind)) continue;
    const auto document = decode_document(p.op.body);
    if (!document) continue;
    for (const Line& line : document->lines) all[line.sku] = stock(line.sku).value_or(0);
  }
  return all;
}

Availability TillQueries::available(const std::string& sku, Quantity wanted, Now now) const {
  using Answer = Availability::Answer;
  TillView view = of_.context.store.view();
  Availability out;
  if (const auto silence = of_.peers.shortest_silence(now.mono))
    out.age = std::chrono::duration_cast<std::chrono::milliseconds>(*silence);
  if (const auto milli = of_.stock.quantity(view, sku); milli && of_.stock.kept(view, sku)) {
    out.believed = Quantity{*milli};
    out.answer = *milli >= wanted.milli ? Answer::yes : Answer::no;
  }
  if (out.answer == Answer::yes) return out;
  const auto product = row({"tenant", "product"}, sku);
  const RowFields fields = product ? split_fields(product->fields).value_or(RowFields{}) : RowFields{};
  const auto group = fields.find("group");
  const std::string name = group == fields.end() ? std::string() : value_words(group->second);
  const Policies& policies = of_.context.config.policies;
  const auto decided = out.answer == Answer::no ? policies.out_of_stock(name) : policies.unknown_stock(name);
  out.rule = decided.rule;
  out.why = decided.why;
  return out;
}

std::vector<Conflict> TillQueries::conflicts() const {
  std::vector<Conflict> out;
  for (const FeedKind& feed : {conflict_feed(of_.context.config.branch), FeedKind{"tenant", kConflictKind}}) {
    of_.context.store.view().rows_after(feed, {}, [&](const TillView::StoredRow& stored) {
      auto conflict = stored.row.deleted ? std::nullopt : unpack<Conflict>(stored.row.fields);
      if (!conflict) return true;
      of_.overlay.over(*conflict);
      out.push_back(std::move(*conflict));
      return true;
    });
  }
  return out;
}

std::optional<Conflict> TillQueries::conflict(const std::string& id) const {
  const auto stored = of_.context.store.view().row(conflict_feed(of_.context.config.branch, id), id);
  auto found = stored && !stored->row.deleted ? unpack<Conflict>(stored->row.fields) : std::nullopt;
  if (found) of_.overlay.over(*found);
  return found;
}

Result<void> TillQueries::check_resolution(const Op& op) const {
  if (of_.log.history().find(op.key) || of_.log.writing(op.key)) return {};
  const auto resolution = read_resolution(decode_document(op.body).value(), op.cashier);
  const auto about = conflict(resolution->conflict);
  if (!about) {
    return fail(ErrorKind::not_found,
                "there is no conflict '" + resolution->conflict + "': 'tillsync conflicts list' shows them");
  }
  return check(*resolution, *about);
}

}  // namespace tillsync
