// What a till can be asked: how it is, who hosts, where an op is, what a row says, how much is in stock, what is in
// dispute. It changes nothing; every answer is of now.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <tillsync/availability.hpp>
#include <tillsync/status.hpp>
#include <vector>

#include "conflicts/record.hpp"
#include "engine/till/branch_commands.hpp"
#include "engine/till/checkpointer.hpp"
#include "engine/till/clock_sync.hpp"
#include "engine/till/pending_overlay.hpp"
#include "engine/till/replica_buffer.hpp"
#include "engine/till/row_reader.hpp"
#include "engine/till/stock_view.hpp"

namespace tillsync {

class TillQueries {
 public:
  // The parts it asks.
  struct Of {
    const TillContext& context;
    const LocalLog& log;
    const HistoryAcks& acks;
    const ForkList& forks;
    const SecondCopies& copies;
    const ReplicaBuffer& replicas;
    const RowReader& rows;
    const StockView& stock;
    const PendingOverlay& overlay;
    const PeerTable& peers;
    const PeerHealth& health;
    const Leadership& leadership;
    const ClockSync& clock;
    const Checkpointer& checkpoints;
  };
  explicit TillQueries(Of of) : of_(of) {}

  Status status(Now now) const;
  Result<Level> where(const std::string& key) const { return of_.acks.durability(key); }

  std::optional<Row> row(const FeedKind& feed, const std::string& id) const;
  std::vector<Row> settings() const;  // of the branch
  // A change of a row's fields (MessagePack values; empty: gone), as one who sees the row as it is here makes it.
  OpDraft draft_edit(const std::string& kind, const std::string& id, const std::map<std::string, Bytes>& changes,
                     bool deletes) const;

  std::optional<std::int64_t> stock(const std::string& sku) const;
  std::map<std::string, std::int64_t> all_stock() const;
  Availability available(const std::string& sku, Quantity wanted, Now now) const;

  // As the cloud has it, with what was decided here since: of the branch, then about rows that branches share.
  std::vector<Conflict> conflicts() const;
  std::optional<Conflict> conflict(const std::string& id) const;
  // Whether this resolution may be recorded. If it was already, it gets the first one's receipt.
  Result<void> check_resolution(const Op& op) const;

 private:
  std::optional<Row> stored_row(const FeedKind& feed, const std::string& id) const;
  void add_record(Status& status, Now now) const;
  void add_branch(Status& status, Now now) const;

  Of of_;
};

}  // namespace tillsync
