// Stock events of products, as one transaction sees them. They lie in packets: what one transaction brings of one
// product is one row, under the stamp of the last event in it. Packets are gathered and sent before events are read,
// and at flush().
#pragma once

#include <map>
#include <string>
#include <vector>

#include "storage/postgres/branch_table.hpp"

namespace tillsync::postgres {

class EventTable {
 public:
  EventTable(Session& session, BranchTable& branches) : session_(session), branches_(branches) {}

  // Reads them at once.
  void expect(const std::vector<CloudReads::EventsOf>& wanted);
  std::vector<StockEvent> read_after(const BranchKey& branch, const std::string& sku, const StockPlace& after);
  void put(const BranchKey& branch, const std::string& sku, const std::vector<StockEvent>& events);
  void drop(const BranchKey& branch, const std::string& sku, const StockPlace& place);

  void flush();

 private:
  using Product = std::pair<BranchKey, std::string>;
  struct Known {  // of one product
    StockPlace after;
    std::vector<StockEvent> all;
  };
  struct Packets {
    Column branches{kBigint}, skus{kBytes}, hlcs{kBigint}, events{kBytes};
  };

  std::vector<StockEvent> open(const BranchKey& branch, ByteView packet);

  Session& session_;
  BranchTable& branches_;
  std::map<Product, Known> known_;
  Packets new_;
};

}  // namespace tillsync::postgres
