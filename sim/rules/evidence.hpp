// What rules judge by: what tills have put on their disks, the reference model of every branch, what the world did to
// them, and who believes to hold a lease.
#pragma once

#include <map>
#include <vector>

#include "sim/rules/misfortunes.hpp"
#include "sim/rules/shop_model.hpp"
#include "sim/world/fleet.hpp"

namespace tillsync::sim {

class Evidence {
 public:
  // `rows_every`: how often rows are compared while the world runs; they are many.
  explicit Evidence(Fleet& fleet, Duration rows_every = seconds(1));

  Fleet& fleet() const { return fleet_; }
  Duration rows_every() const { return rows_every_; }
  Misfortunes& misfortunes() { return misfortunes_; }
  ShopModel& shop(int branch) { return shops_[static_cast<std::size_t>(branch)]; }
  ShopModel& shop_of(const SimTill& till) { return shop(fleet_.branch_of(till)); }

  // An op that no power cut can take from its till any more.
  struct Flushed {
    ChainId chain;
    Seq seq;
    Hlc hlc;
  };
  const Flushed* flushed(const Hash& hash) const;
  std::size_t ops_flushed() const { return flushed_.size(); }

  // A till that believes to hold its branch's lease exclusively, at this instant.
  struct Holder {
    int branch;
    std::string who;
    Term term;
  };
  const std::vector<Holder>& holders() const { return holders_; }

  void on_flushed(const std::vector<Bytes>& ops);
  void on_word_of_cloud(const SimTill& till);
  void cloud_went_back(const std::set<std::string>& lost);  // what it has is read anew
  void after_event();

 private:
  Fleet& fleet_;
  Duration rows_every_;
  Misfortunes misfortunes_;
  std::vector<ShopModel> shops_;
  std::map<Hash, Flushed> flushed_;
  std::vector<Holder> holders_;
};

}  // namespace tillsync::sim
