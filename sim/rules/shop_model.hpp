// The reference model of one branch: what its cloud must hold, given the ops that came to it. As plain as can be: sets,
// sums and one sort.
#pragma once

#include <map>
#include <set>
#include <string>
#include <tillsync/op.hpp>
#include <vector>

#include "storage/model/cloud_store.hpp"
#include "storage/model/records.hpp"

namespace tillsync::sim {

class ShopModel {
 public:
  OpEffect right_effect(const Op& op) const;  // of one that comes now
  void take(const Op& op, OpEffect effect);   // `effect`: that the cloud gave it
  std::set<std::string> end_of_job();         // of the cloud; which products moved in it. Until then they are unsorted.

  bool in_effect(const std::string& key) const { return effects_.contains(key); }
  std::set<std::string> keys_in_effect() const;
  const std::set<std::string>& conflicting_keys() const { return conflicting_; }
  // Resolutions that came after another one: their keys, and where those stand that said something else.
  const std::map<std::string, std::string>& late_resolutions() const { return late_; }
  const std::set<ChainId>& forks() const { return forks_; }  // histories that began with one
  const std::map<std::string, std::vector<StockEvent>>& stock() const { return stock_; }  // by product, in order
  // All that resolutions of one conflict moved, by product.
  std::map<std::string, std::int64_t> moved_by_resolutions(const std::string& conflict) const;

 private:
  void redate(const ChainId& chain, const Correction& correction);
  void move_stock(const Op& op);

  std::map<std::string, Hash> effects_;  // key -> the content that took effect
  std::set<std::string> conflicting_;    // keys that came again with other content
  std::map<std::string, std::string> late_;
  std::set<ChainId> forks_;
  std::map<std::string, std::vector<StockEvent>> stock_;
  std::vector<std::pair<TillId, Correction>> corrections_;
  std::map<std::string, std::map<std::string, std::int64_t>> resolved_;
  std::set<std::string> touched_;
};

// What is on the shelf after these, applied one by one.
std::int64_t fold(const std::vector<StockEvent>& events);

}  // namespace tillsync::sim
