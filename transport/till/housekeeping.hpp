// What a till does beside its sales, by the clock: lets old journal segments go, reads its whole database once a day,
// looks how fit the machine is to host the branch, and whether the check after a crash has found something.
#pragma once

#include "storage/disk/damage_check.hpp"
#include "storage/disk/data_folder.hpp"
#include "transport/till/core_loop.hpp"
#include "transport/till/crash_mark.hpp"

namespace tillsync {

class Housekeeping final : public ActionHandler {
 public:
  Housekeeping(CoreLoop& loop, TillDisks& disks, const DataFolder& folder, std::unique_ptr<DamageCheck> check, Log log);

  void start();  // on the core's thread
  void act(Actions&) override {}
  void on_closing() override;
  // After the disks' lanes have ended: the next start need not look at the database, if all was well.
  void leave_mark();

 private:
  void maintain();
  void retire_segments();
  void look_after_fitness();
  void look_after_check();
  void again(asio::steady_timer& timer, Duration after, void (Housekeeping::*what)());

  CoreLoop& loop_;
  TillDisks& disks_;
  std::string folder_;
  CrashMark mark_;
  std::unique_ptr<DamageCheck> check_;  // of the database, after a crash, when it takes long
  Log log_;
  asio::steady_timer house_{loop_.io()}, fitness_{loop_.io()}, check_again_{loop_.io()};
};

}  // namespace tillsync
