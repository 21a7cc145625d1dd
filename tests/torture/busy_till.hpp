// A till's engine, alone, that sells without pause on a disk that misbehaves. Its database is real; its journal lies on
// the disk that is tortured. It runs in one thread, so a seed gives the same story every time.
#pragma once

#include <filesystem>
#include <map>
#include <set>

#include "engine/till/till_core.hpp"
#include "tests/torture/sector_disk.hpp"

namespace tillsync::torture {

class BusyTill {
 public:
  BusyTill(SectorDisk& disk, std::string folder, std::uint64_t seed);
  ~BusyTill() { stop(); }

  // Opens what is there and starts. The error, as a person would see it.
  Result<void> start();
  void stop();  // as a process that ends: nothing is flushed
  bool runs() const { return node_ != nullptr; }
  // So many callers come, in groups; time goes on between them. PowerCut comes through.
  void sell(int groups);
  void rest();  // until everything is checkpointed

  // What is wrong with what a cashier was told: empty when every receipt names an op that is there, once.
  std::string broken_promise() const;
  std::size_t receipts() const { return receipts_.size(); }
  const std::map<std::string, Receipt>& told() const { return receipts_; }
  void unsay(std::map<std::string, Receipt> told) { receipts_ = std::move(told); }  // it goes back in time
  const std::vector<Error>& refusals() const { return refusals_; }
  const std::vector<std::string>& alarms() const { return alarms_; }
  const JournalReport& report() const { return report_; }
  Status status() const { return node_->status(now_); }
  TillCore& node() { return *node_; }
  TillStore& store() { return *store_; }

 private:
  void carry_out(Actions actions);
  void tick(Duration time);

  SectorDisk& disk_;
  std::string folder_;
  Random random_;
  Now now_{{std::chrono::hours(1)}, 1'770'000'000'000};
  std::unique_ptr<TillStore> store_;
  std::optional<Journal> journal_;
  std::unique_ptr<TillCore> node_;
  JournalReport report_;
  std::uint64_t sales_ = 0, asked_ = 0;
  std::map<std::uint64_t, std::string> waiting_;  // reply to key
  std::map<std::string, Receipt> receipts_;
  std::vector<Error> refusals_;
  std::vector<std::string> alarms_;  // of all its lives
};

}  // namespace tillsync::torture
