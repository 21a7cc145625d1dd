// Stores the stock view, and drops events that no stock row will ever contain: those of a history that is closed (a
// backup was restored, and its till could not re-issue them), or with the number of an op that the cloud holds
// otherwise.
#pragma once

#include "engine/till/history_acks.hpp"
#include "engine/till/row_reader.hpp"
#include "engine/till/stock_view.hpp"

namespace tillsync {

class StockSweep final : public StoredPart {
 public:
  static constexpr Duration kEvery = seconds(10);  // at most

  StockSweep(const TillContext& context, StockView& stock, const RowReader& rows, const HistoryAcks& acks);

  void on_stock_row() { wanted_ = true; }  // the cloud has settled more

  std::optional<Instant> due() const override { return wanted_ ? std::optional(next_) : std::nullopt; }
  void write(const Moment& at, Checkpoint& into) override;
  void on_stored(const Moment&, Actions&) override { stock_.on_committed(); }

 private:
  void sweep(TillView& view);

  const TillContext& context_;
  StockView& stock_;
  const RowReader& rows_;
  const HistoryAcks& acks_;
  bool wanted_ = true;
  Instant next_;
};

}  // namespace tillsync
