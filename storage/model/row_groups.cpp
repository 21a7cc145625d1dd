#include "storage/model/row_groups.hpp"

#include "storage/base/pack.hpp"
#include "storage/model/row_edit.hpp"

namespace tillsync {

bool in_group(const Row& group, const BranchId& branch) {
  const auto fields = group.deleted ? std::nullopt : split_fields(group.fields);
  const auto branches = fields ? fields->find("branches") : RowFields::const_iterator{};
  if (!fields || branches == fields->end()) return false;
  Reader reader(branches->second);
  std::size_t n = 0;
  if (!reader.array(n)) return false;
  for (std::size_t i = 0; i < n; ++i) {
    std::string_view name;
    if (!reader.text(name)) return false;
    if (name == branch.text) return true;
  }
  return false;
}

}  // namespace tillsync
