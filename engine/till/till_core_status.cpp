// What a till can be asked.
#include <algorithm>

#include "engine/till/till_core.hpp"
#include "storage/base/mutants.hpp"
#include "storage/base/pack.hpp"
#include "storage/model/op_codec.hpp"
#include "storage/model/row_edit.hpp"
#include "storage/model/row_groups.hpp"

namespace tillsync {

namespace {}

std::optional<Duration> TillCore::silence_of(const TillId& name, Now now) const {
  std::optional<Instant> heard;
  if (const auto it = last_heard_.find(name); it != last_heard_.end()) heard = it->second;
  for (const auto& [id, peer] : peers_) {
    if (peer.name == name) heard = std::max(heard.value_or(peer.heard), peer.heard);
  }
  return heard ? std::optional(now.mono - *heard) : std::nullopt;
}

bool TillCore::connected_to(const TillId& name) const {
  return std::any_of(peers_.begin(), peers_.end(), [&](const auto& p) { return p.second.name == name; });
}

LeaseView TillCore::lease(Now now) const { return election_ ? election_->view(now.mono) : LeaseView{}; }

const std::optional<Certificate>& TillCore::certificate() const {
  static const std::optional<Certificate> kNone;
  return election_ ? election_->certificate() : kNone;
}

Result<Level> TillCore::where(const std::string& key) const {
  const auto op = log_.find(key);
  if (!op) return fail(ErrorKind::not_found, "this till has no op with the key '" + key + "'");
  const auto [till, incarnation] = op->op.chain;
  for (const OldChain& own : own_chains()) {
    if (own.incarnation != incarnation) continue;
    if (op->op.seq <= own.cloud.seq) return Level::cloud;
    if (incarnation != log_.chain().incarnation) return Level::own_disk;
    if (op->op.seq <= host_held_.seq) return Level::host;
    return op->op.seq <= copy_held_.seq || mutated(Mutant::claim_two_disks) ? Level::two_disks : Level::own_disk;
  }
  const bool disputed = std::any_of(
      state_.forks.begin(), state_.forks.end(),
      [&, in = incarnation](const ForkState& f) { return f.old_incarnation == in && op->op.seq > f.in_cloud.seq; });
  return disputed ? Level::own_disk : Level::cloud;
}

std::optional<std::int64_t> TillCore::stock(const std::string& sku) const {
  TillView view = store_.view();
  return stock_.quantity(view, sku);
}

std::map<std::string, std::int64_t> TillCore::all_stock() const {
  std::map<std::string, std::int64_t> all;
  store_.view().stocks([&](const std::string& sku, const StockProjection& p) { all[sku] = p.milli; });
  for (const PendingOp& p : log_.pending()) {
    if (!moves_stock(p.op.kind)) continue;
    const auto document = decode_document(p.op.body);
    if (!document) continue;
    for (const Line& line : document->lines) all[line.sku] = stock(line.sku).value_or(0);
  }
  return all;
}

std::optional<Row> TillCore::row(const FeedKind& feed, const std::string& id) const {
  auto row = stored_row(feed, id);
  return feed.feed == "tenant" ? overlay_.over(std::move(row), feed.kind, id) : row;
}

// That of one of the branch's groups stands over the tenant's.
std::optional<Row> TillCore::stored_row(const FeedKind& feed, const std::string& id) const {
  TillView view = store_.view();
  if (feed.feed == "tenant") {
    for (const std::string& group : rows_.groups()) {
      auto stored = view.row({group_feed(group), feed.kind}, id);
      if (stored && !stored->row.deleted) return std::move(stored->row);
    }
  }
  auto stored = view.row(feed, id);
  return stored ? std::optional(std::move(stored->row)) : std::nullopt;
}

OpDraft TillCore::draft_edit(const std::string& kind, const std::string& id,
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

std::vector<Conflict> TillCore::conflicts() const {
  std::vector<Conflict> out;
  for (const FeedKind& feed : {conflict_feed(config_.branch), FeedKind{"tenant", kConflictKind}}) {
    store_.view().rows_after(feed, {}, [&](const TillView::StoredRow& stored) {
      auto conflict = stored.row.deleted ? std::nullopt : unpack<Conflict>(stored.row.fields);
      if (!conflict) return true;
      overlay_.over(*conflict);
      out.push_back(std::move(*conflict));
      return true;
    });
  }
  return out;
}

std::optional<Conflict> TillCore::conflict(const std::string& id) const {
  const auto stored = store_.view().row(conflict_feed(config_.branch, id), id);
  auto found = stored && !stored->row.deleted ? unpack<Conflict>(stored->row.fields) : std::nullopt;
  if (found) overlay_.over(*found);
  return found;
}

Availability TillCore::available(const std::string& sku, Quantity wanted, Now now) const {
  TillView view = store_.view();
  Availability out;
  for (const auto& [id, peer] : peers_) {
    const auto silence = std::chrono::duration_cast<std::chrono::milliseconds>(now.mono - peer.heard);
    out.age = std::min(out.age.value_or(silence), silence);
  }
  for (const auto& [name, heard] : last_heard_) {
    const auto silence = std::chrono::duration_cast<std::chrono::milliseconds>(now.mono - heard);
    out.age = std::min(out.age.value_or(silence), silence);
  }
  const auto product = row({"tenant", "product"}, sku);
  const RowFields fields = product ? split_fields(product->fields).value_or(RowFields{}) : RowFields{};
  const auto group = fields.find("group");
  const std::string name = group == fields.end() ? std::string() : value_words(group->second);
  using Answer = Availability::Answer;
  if (const auto milli = stock_.quantity(view, sku); milli && stock_.kept(view, sku)) {
    out.believed = Quantity{*milli};
    out.answer = *milli >= wanted.milli ? Answer::yes : Answer::no;
  }
  if (out.answer == Answer::yes) return out;
  const auto decided =
      out.answer == Answer::no ? config_.policies.out_of_stock(name) : config_.policies.unknown_stock(name);
  out.rule = decided.rule;
  out.why = decided.why;
  return out;
}

// Or will never be: then it was recorded anew.
bool TillCore::in_cloud(Incarnation incarnation, Seq seq) const {
  const auto all = own_chains();
  const auto it = std::ranges::find(all, incarnation, &OldChain::incarnation);
  return it == all.end() || seq <= it->cloud.seq;
}

std::vector<Row> TillCore::settings() const {
  std::vector<Row> out;
  store_.view().rows_after(setting_feed(config_.branch), {}, [&](const TillView::StoredRow& stored) {
    if (!stored.row.deleted) out.push_back(stored.row);
    return true;
  });
  return out;
}

std::vector<PendingOp> TillCore::unsent(std::size_t limit) const {
  std::vector<PendingOp> out;
  log_.ops(log_.chain().incarnation, state_.cloud.seq.next(), [&](Seq, ByteView bytes) {
    if (out.size() >= limit) return false;
    if (auto op = decode_op(bytes)) out.push_back({std::move(*op), blake2b(bytes), Bytes(bytes)});
    return true;
  });
  return out;
}

std::uint64_t TillCore::unsent_count() const {
  std::uint64_t sum = 0;
  for (const OldChain& own : own_chains()) sum += own.last.seq.value - std::min(own.cloud.seq, own.last.seq).value;
  for (const ForkState& fork : state_.forks) {
    const std::uint64_t done =
        std::max(fork.agreed.seq.value, std::max<std::uint64_t>(fork.next_to_reissue.value, 1) - 1);
    sum += fork.old_end.seq.value - std::min(fork.old_end.seq.value, done);
  }
  return sum;
}

Status TillCore::status(Now now) const {
  Status s;
  s.branch = config_.branch.text;
  s.till = config_.till.text;
  if (config_.roster) {
    s.tenant = config_.roster->tenant;
    s.roster_version = config_.roster->version;
  }
  s.incarnation = log_.chain().incarnation.value;
  s.recorded = log_.last().seq.value;
  s.unsent = unsent_count();
  s.kept = store_.view().op_count();
  const Seq second_disk = std::max({state_.cloud.seq, host_held_.seq, copy_held_.seq});
  s.one_disk_only = log_.last().seq.value - std::min(second_disk, log_.last().seq).value;
  const auto oldest = unsent(1);
  if (!oldest.empty()) s.oldest_unsent_ms = std::max<std::int64_t>(1, corrected(now) - oldest.front().op.hlc.millis());
  s.relaying = replicas_.unsent();
  const LeaseView view = lease(now);
  s.host = view.host.text;
  s.lease = view.kind == LeaseKind::exclusive     ? "exclusive"
            : view.kind == LeaseKind::provisional ? "provisional"
                                                  : "none";
  s.lease_term = view.term.value;
  s.duplicates_closed = log_.repeated();
  if (!log_.pending().empty())
    s.checkpoint_age_ms = std::max<std::int64_t>(0, corrected(now) - log_.pending().front().op.hlc.millis());
  s.is_host = view.kind != LeaseKind::none && view.host == config_.till;
  s.accepting = !log_.stopped();
  s.database_ok = !store_.damaged() && commit_ok_;
  s.clock_offset_ms = state_.clock_offset_ms;
  s.rows = store_.view().row_count();
  s.rows_diverged = rows_.diverged();
  s.forks = state_.forks_seen;
  s.fork_open = !state_.forks.empty();
  s.refused_messages = refused_ + (election_ ? election_->ignored() : 0);
  s.host_changes = host_changes_;
  for (const auto& [id, peer] : peers_) {
    const bool is_cloud = peer.role == Role::cloud;
    s.cloud_connected = s.cloud_connected || is_cloud;
    s.peers.push_back({peer.name.text, is_cloud ? "cloud" : peer.name == view.host ? "host" : "till", 0});
  }
  return s;
}

}  // namespace tillsync
