// All rules over one fleet: they see what happens while a world runs, and are asked once more when all is healed and
// settled. docs/simulator.md numbers what they promise; `tillsync sim --rules` lists them.
//
//   Rules rules;
//   Fleet fleet(plan, &rules);
//   rules.watch_over(fleet);
#pragma once

#include "sim/rules/cloud_reader.hpp"

namespace tillsync::sim {

class Rules final : public Observer {
 public:
  // Nothing is judged before.
  void watch_over(Fleet& fleet, Duration rows_every = seconds(1));
  const std::vector<std::string>& broken() const { return violations_.all(); }
  void breaks(std::string breach) { violations_.add(std::move(breach)); }  // somebody else's judgement
  std::uint64_t ops_in_cloud() const { return reader_->ops(); }

  Misfortunes& misfortunes() { return evidence_->misfortunes(); }
  void cloud_went_back(const std::set<std::string>& lost);

  bool after_event();  // false once anything is broken
  void when_settled();
  void not_drained(Duration in_so_long);

  void on_flushed(const SimTill& till, const std::vector<Bytes>& ops) override;
  void on_receipt(const SimTill& till, const HandedOut& receipt) override;
  void on_level(const SimTill& till, const std::string& key, Level level) override;
  void on_unreadable(const SimTill& till, ByteView message) override;
  void on_word_of_cloud(const SimTill& till) override;
  void on_cloud_job() override;
  void on_cloud_row(const CloudRow& row) override;
  void on_commanded(const Ballot& lease) override;

 private:
  Violations violations_;
  std::optional<Evidence> evidence_;
  std::optional<CloudReader> reader_;
  RuleList rules_;
};

}  // namespace tillsync::sim
