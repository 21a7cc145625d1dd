// The engine's things as they are answered (answers.hpp).
#pragma once

#include <functional>
#include <vector>

#include "conflicts/choices.hpp"
#include "engine/cloud/fleet.hpp"
#include "lease/roster.hpp"
#include "transport/api/answers.hpp"

namespace tillsync::api {

OpView view_of(const Op& op, const Hash& hash);
OpView view_of(const ChainId& chain, Seq seq, ByteView bytes);  // whatever is kept in that place
OpView view_of(const CloudOp& op);
RosterView view_of(const Roster& roster);
AvailabilityView view_of(const Availability& availability);
std::vector<FleetBranch> view_of(const std::vector<BranchReport>& fleet, std::int64_t now_ms);  // worst first

ConflictView view_of(const Conflict& conflict, const StockNow& stock);
// The conflict that a shown one was made of, and the stock that was known then.
struct ShownConflict {
  Conflict conflict;
  std::map<std::string, std::int64_t> stock;
  StockNow stock_now() const;
};
std::optional<ShownConflict> conflict_of(const ConflictView& view);  // nothing when somebody sent anything else
// What fits a message of the conflicts from number `from` on: those that wait before those that are settled.
ConflictsPage page_of(std::vector<ConflictView> all, std::uint64_t from);

template <Named T>
const char* name_of(T value) {
  const auto number = static_cast<std::size_t>(value);
  return number < Names<T>::kAll.size() && *Names<T>::kAll[number] != '\0' ? Names<T>::kAll[number] : "unknown";
}

}  // namespace tillsync::api
