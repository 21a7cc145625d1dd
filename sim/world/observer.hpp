// Who watches a simulated world from outside, as no program in it could. Called at the moment things happen.
#pragma once

#include <string>
#include <tillsync/op.hpp>
#include <vector>

#include "lease/messages.hpp"
#include "storage/model/cloud_store.hpp"

namespace tillsync::sim {

class SimTill;

// What the customer holds in hand.
struct HandedOut {
  std::string key;
  Receipt receipt;
};

class Observer {
 public:
  virtual ~Observer() = default;
  virtual void on_flushed(const SimTill&, const std::vector<Bytes>& /*ops*/) {}  // they are on the till's disk for good
  virtual void on_receipt(const SimTill&, const HandedOut&) {}
  virtual void on_level(const SimTill&, const std::string& /*key*/, Level) {}  // the till was told how safe a sale is
  virtual void on_unreadable(const SimTill&, ByteView /*message*/) {}          // it said what nobody can read
  virtual void on_word_of_cloud(const SimTill&) {}                             // a message of the cloud reached it
  virtual void on_cloud_job() {}                                               // a transaction committed
  virtual void on_cloud_row(const CloudRow&) {}                                // somebody changed a row there
  virtual void on_commanded(const Ballot&) {}  // the cloud did what only this lease's holder may have done
};

}  // namespace tillsync::sim
