// Three-way merge of a row by field: what it was when an edit was made, what the edit makes of it, what it is now. The
// edit carries what its author saw of the fields it changes, so no history of rows is needed.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "conflicts/policy.hpp"
#include "storage/model/row_edit.hpp"

namespace tillsync {

struct FieldConflict {
  std::string field;  // empty: the row as a whole
  Bytes was, theirs, mine;
  std::string why;  // the rule that could not settle it
};

struct Merged {
  RowFields fields;
  bool deleted = false;
  bool changed = false;
  std::vector<FieldConflict> conflicts;
};

// `current` is nothing when there is no such row (or it was deleted: then `was_deleted`).
struct CurrentRow {
  RowVersion version;
  bool deleted = false;
  RowFields fields;
};
Merged merge(const RowEdit& edit, const std::optional<CurrentRow>& current, const Policies& policies);

}  // namespace tillsync
