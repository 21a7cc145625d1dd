#include "conflicts/merge.hpp"

#include <algorithm>

#include "storage/base/pack.hpp"

namespace tillsync {

namespace {

Bytes value_of(const RowFields& fields, const std::string& field) {
  const auto it = fields.find(field);
  return it == fields.end() ? Bytes() : it->second;
}

Bytes packed(std::int64_t n) {
  Bytes out;
  Packer(out).sint(n);
  return out;
}

// What a field becomes; nothing when people must decide.
std::optional<Bytes> settle(FieldRule rule, const RowEdit::Change& change, const Bytes& now, bool current) {
  const auto was = number_in(change.was), mine = number_in(change.becomes), theirs = number_in(now);
  if (now == change.becomes) return now;
  switch (rule) {
    case FieldRule::ask:
      return std::nullopt;
    case FieldRule::newest_if_current:
      return current ? std::optional(Bytes(change.becomes)) : std::nullopt;
    case FieldRule::sum:
      if (was && mine && theirs)
        return packed(static_cast<std::int64_t>(static_cast<std::uint64_t>(*theirs) +
                                                static_cast<std::uint64_t>(*mine) - static_cast<std::uint64_t>(*was)));
      break;
    case FieldRule::max:
      if (mine && theirs) return packed(std::max(*mine, *theirs));
      break;
    default:
      break;
  }
  return now == change.was ? std::optional(Bytes(change.becomes)) : std::nullopt;
}

}  // namespace

Merged merge(const RowEdit& edit, const std::optional<CurrentRow>& current, const Policies& policies) {
  Merged out;
  if (current) out.fields = current->fields, out.deleted = current->deleted;
  const bool is_current = !current || current->version == edit.seen;
  if (edit.deletes) {
    if (!current || current->deleted) return out;
    if (is_current) {
      out.deleted = out.changed = true;
    } else {
      out.conflicts.push_back({{}, {}, {}, {}, "deleted by one who had not seen the row as it is"});
    }
    return out;
  }
  if (current && current->deleted && edit.seen != RowVersion{} && !is_current) {
    out.conflicts.push_back({{}, {}, {}, {}, "edited by one who had not seen that it was deleted"});
    return out;
  }
  for (const auto& [field, change] : edit.changes) {
    if (change.was == change.becomes) continue;  // a form that was sent back as it was
    const auto decided = policies.field(edit.kind, field);
    const Bytes now = value_of(out.fields, field);
    const auto settled = settle(decided.rule, change, now, is_current);
    if (!settled) {
      out.conflicts.push_back({field, change.was, now, change.becomes, decided.why});
    } else if (*settled != now) {
      out.fields[field] = *settled;
      out.changed = true;
    }
  }
  if (out.changed) out.deleted = false;
  return out;
}

}  // namespace tillsync
