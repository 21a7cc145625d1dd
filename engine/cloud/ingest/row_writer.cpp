#include "engine/cloud/ingest/row_writer.hpp"

#include <algorithm>

#include "conflicts/kinds.hpp"
#include "engine/cloud/ingest/meta_names.hpp"
#include "storage/base/pack.hpp"
#include "storage/model/row_groups.hpp"

namespace tillsync {

namespace {

constexpr char kProduct[] = "product", kPrice[] = "price";

using Authors = std::map<std::string, RowAuthor>;

Bytes value_of(const RowFields& fields, const std::string& field) {
  const auto it = fields.find(field);
  return it == fields.end() ? Bytes() : it->second;
}

}  // namespace

FeedKind RowWriter::feed_of(const std::string& kind, const std::string& id) {
  if (!groups_) {
    groups_.emplace();
    txn_.rows_after(branch_, groups_feed(), {}, [&](const Row& group) {
      if (in_group(group, branch_.branch)) groups_->push_back(group.id);
      return true;
    });
    std::ranges::sort(*groups_);
  }
  for (const std::string& group : *groups_) {
    const auto row = txn_.row(branch_, {group_feed(group), kind}, id);
    if (row && !row->deleted) return {group_feed(group), kind};
  }
  return {"tenant", kind};
}

std::optional<CurrentRow> RowWriter::current(const FeedKind& feed, const std::string& id) {
  const auto row = txn_.row(branch_, feed, id);
  if (!row) return std::nullopt;
  return CurrentRow{row->version, row->deleted, split_fields(row->fields).value_or(RowFields{})};
}

bool RowWriter::put(const CloudRow& row, const RowAuthor& author) {
  const auto old = txn_.row(branch_, row.feed, row.id);
  if (old && old->deleted == row.deleted && old->fields == row.fields) return false;
  const RowFields before = old ? split_fields(old->fields).value_or(RowFields{}) : RowFields{};
  const RowFields after = split_fields(row.fields).value_or(RowFields{});
  const std::string authors_name = authors_meta(branch_, row.feed, row.id);
  const auto stored = txn_.meta(authors_name);
  if (stored || !author.place.till.empty()) {
    Authors authors = stored ? unpack<Authors>(*stored).value_or(Authors{}) : Authors{};
    for (const auto& [field, value] : after) {
      if (value_of(before, field) == value) continue;
      authors[field] = author;
      authors[field].was = Binary(value_of(before, field));
    }
    if (!old || old->deleted != row.deleted) authors[""] = author;
    txn_.put_meta(authors_name, pack(authors));
  }
  if (row.feed.kind == kProduct && old) remember_price(row.feed, row.id, before, after);
  txn_.put_row(branch_, row);
  groups_.reset();
  return true;
}

void RowWriter::remember_price(const FeedKind& feed, const std::string& id, const RowFields& before,
                               const RowFields& after) {
  const auto was = number_in(value_of(before, kPrice)), is = number_in(value_of(after, kPrice));
  if (!was || !is || *was == *is) return;
  const std::string name = prices_meta(branch_, feed, id);
  const auto stored = txn_.meta(name);
  auto prices = stored ? unpack<Packed<OldPrice>>(*stored).value_or(Packed<OldPrice>{}) : Packed<OldPrice>{};
  prices.all.push_back({*was, now_ms_});
  if (prices.all.size() > kPricesKept) prices.all.erase(prices.all.begin());
  txn_.put_meta(name, pack(prices));
  prices_.erase(id);
}

std::optional<RowWriter::Replaced> RowWriter::replaced(const std::string& sku, std::int64_t price, std::int64_t at_ms) {
  const auto [it, fresh] = prices_.try_emplace(sku);
  if (fresh) {
    const FeedKind feed = feed_of(kProduct, sku);
    const auto stored = txn_.meta(prices_meta(branch_, feed, sku));
    if (stored) it->second.old = unpack<Packed<OldPrice>>(*stored).value_or(Packed<OldPrice>{}).all;
    const auto row = it->second.old.empty() ? std::nullopt : current(feed, sku);
    it->second.now = row ? number_in(value_of(row->fields, kPrice)).value_or(0) : 0;
  }
  const Prices& known = it->second;
  if (price == known.now) return std::nullopt;
  for (auto old = known.old.rbegin(); old != known.old.rend(); ++old) {
    if (old->price == price && old->until_ms + kClockErrorMs < at_ms) return Replaced{known.now, old->until_ms};
  }
  return std::nullopt;
}

ConflictSide RowWriter::side_there(const RowField& where) {
  const auto stored = txn_.meta(authors_meta(branch_, {where.feed, where.kind}, where.id));
  Authors authors = stored ? unpack<Authors>(*stored).value_or(Authors{}) : Authors{};
  const auto row = current({where.feed, where.kind}, where.id);
  const auto author = authors.find(where.field);
  ConflictSide side;
  if (author != authors.end()) {
    side.place = author->second.place;
    side.key = author->second.key, side.cashier = author->second.cashier, side.was = author->second.was;
  }
  if (where.field.empty()) {
    side.what = !row || row->deleted ? "deleted" : "changed";
  } else {
    side.value = Binary(row ? value_of(row->fields, where.field) : Bytes());
    side.what = where.field + " " + field_words(where, side.value);
  }
  return side;
}

bool RowWriter::set(const RowField& where, const Binary& value, const RowAuthor& author) {
  auto row = current({where.feed, where.kind}, where.id).value_or(CurrentRow{});
  if (value.empty()) {
    row.fields.erase(where.field);
  } else {
    row.fields[where.field] = value;
  }
  return put({{where.feed, where.kind}, where.id, false, join_fields(row.fields)}, author);
}

}  // namespace tillsync
