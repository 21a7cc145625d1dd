// Edits and resolutions made at this till that the cloud has not taken yet. Reads show them at once, whatever the
// network does; what comes of them in the end is the cloud's row.
#pragma once

#include <string>
#include <vector>

#include "conflicts/choices.hpp"
#include "engine/till/history_acks.hpp"
#include "storage/model/row_edit.hpp"

namespace tillsync {

class PendingOverlay final : public StoredPart {
 public:
  PendingOverlay(const TillContext& context, const HistoryAcks& acks);

  void add(const Op& op);  // durable; other kinds are ignored, and what is known already
  std::optional<Row> over(std::optional<Row> row, const std::string& kind, const std::string& id) const;
  void over(Conflict& conflict) const;

  // Drops entries that the cloud holds.
  std::optional<Instant> due() const override { return std::nullopt; }
  void write(const Moment& at, Checkpoint& into) override;

 private:
  struct Entry {
    StockPlace place;
    std::string cashier;
    std::optional<RowEdit> edit;
    std::optional<Resolution> resolution;
    template <class A>
    void fields(A& a) {
      a(place, cashier, edit, resolution);
    }
  };
  const HistoryAcks& acks_;
  std::vector<Entry> entries_;  // in the order in which they were recorded
  bool dirty_ = false;
};

}  // namespace tillsync
