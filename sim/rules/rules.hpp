// The rules that must hold whatever happens (docs/simulator.md numbers them), checked while a world runs and once more
// when all is healed and settled. The reference models are as plain as can be: sets, sums and one sort.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "sim/world/fleet.hpp"

namespace tillsync::sim {

class Rules final : public Observer {
 public:
  void watch_over(Fleet& fleet) { fleet_ = &fleet; }
  void look_at_rows_every(Duration time) { rows_every_ = time; }
  const std::vector<std::string>& broken() const { return broken_; }
  void breaks(const std::string& rule) { broken_.push_back(rule); }

  // What the world did that no engine can make good; the rules allow for it.
  void destroyed(const std::set<std::string>& keys) { destroyed_.insert(keys.begin(), keys.end()), went_back_ = true; }
  // And the cloud to a backup: what it has is read anew, and no till need know at once.
  void cloud_went_back(const std::set<std::string>& keys);
  void clock_set() { clocks_right_ = false; }
  void cloned() { cloned_ = went_back_ = true; }

  void on_flushed(const SimTill& till, const std::vector<Bytes>& ops) override;
  void on_receipt(const SimTill& till, const HandedOut& receipt) override;
  void on_level(const SimTill& till, const std::string& key, Level level) override;
  void on_unreadable(const SimTill& till, ByteView message) override;
  void on_word_of_cloud(const SimTill& till) override;
  void on_cloud_job() override;
  void on_commanded(const Ballot& lease) override;

  bool after_event();   // leases and limits, at every instant; false once anything is broken
  void when_settled();  // what must hold in the end
  std::uint64_t ops_in_cloud() const { return in_cloud_; }

 private:
  struct Seen {  // of one chain, at the cloud
    Seq seq;
    Hash last;
  };
  struct Holder {
    Term term;
    std::string who;
  };
  struct ShopBook {
    std::map<ChainId, Seen> chains;
    std::map<std::string, Hash> effects;                   // key -> content that took effect
    std::set<std::string> conflicting;                     // keys that came again with other content
    std::map<std::string, std::string> overruled;          // words that came too late -> where they stand
    std::set<ChainId> incarnations;                        // histories that began with a fork
    std::map<std::string, std::vector<StockEvent>> stock;  // by product
    std::vector<std::pair<TillId, Correction>> corrections;
    std::map<std::string, std::map<std::string, std::int64_t>> words;  // on a conflict: what they changed, all in all
    Holder holder;
    Term commanded;  // the highest term under which the cloud was commanded
  };
  void read_new_ops(CloudTxn& txn, int branch);
  std::optional<Op> follow_chain(int branch, const ChainId& chain, const CloudOp& stored);
  static std::string place_of(const Op& op);
  void take_effect(int branch, const Op& op, OpEffect effect, std::set<std::string>& touched);
  void check_stock(CloudTxn& txn, int branch, const std::set<std::string>& products);
  void check_leases();
  void check_limits();
  bool rows_moved(const SimTill& till);
  void check_rows(const SimTill& till, bool finally);
  void redate(ShopBook& book, const Op& op, std::set<std::string>& touched);
  void check_conflicts(int branch);
  void check_dips(int branch, const std::vector<Conflict>& list);
  void check_words(int branch, const std::vector<Conflict>& list);
  bool on_another_disk(const SimTill& till, const std::string& key);

  Fleet* fleet_ = nullptr;
  std::vector<std::string> broken_;
  std::set<std::string> destroyed_;
  std::set<std::string> were_in_cloud_;              // before it went back
  std::map<int, std::set<std::string>> unheard_of_;  // by branch: the same, while no till can know that it did
  bool went_back_ = false, cloud_went_back_ = false, cloned_ = false, clocks_right_ = true;
  struct Place {
    ChainId chain;
    Seq seq;
    Hlc hlc;
  };
  bool in_order(const Place& before, const Place& after) const;
  std::map<Hash, Place> flushed_;
  std::map<int, ShopBook> books_;
  std::uint64_t in_cloud_ = 0, receipts_ = 0, cloud_jobs_ = 0;
  std::map<std::string, std::uint64_t>
      rows_seen_;  // of each till: what its rows and the cloud's were when last checked
  Duration rows_every_ = seconds(1);
  Instant next_rows_, next_second_;
  std::uint64_t messages_before_ = 0;
  std::map<std::string, std::uint64_t> woke_before_;
};

}  // namespace tillsync::sim
