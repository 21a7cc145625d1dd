// A till: the real TillCore, Journal and TillStore on a virtual disk, clock and network. LMDB runs for real, on a
// memory file system: its commits are atomic and synced, so crashes fall between them.
#pragma once

#include <optional>

#include "engine/till/till_core.hpp"
#include "sim/world/network.hpp"
#include "sim/world/observer.hpp"
#include "sim/world/sim_disk.hpp"
#include "transport/files/till_files.hpp"

namespace tillsync::sim {

struct SimClock {
  std::int64_t offset_ms = 0;  // wrong by so much
  std::int64_t drift_ppm = 0;
  std::int64_t boot_ms = 1000;  // what the machine's own monotonic clock said when the world began
};

struct Identity {
  TillId till;
  BranchId branch;
  SecretKey key;
};

class SimTill final : public Endpoint {
 public:
  // `label` names the machine: the till's name, unless it is a clone.
  SimTill(World& world, Network& network, Observer& observer, Identity identity, std::string label,
          std::optional<Roster> roster, std::string folder, Duration keep = {});
  ~SimTill() override;

  void start();
  void crash(bool power_cut);  // power_cut: what was not flushed may be lost
  void suspend();              // the process stands still; its machine's clocks go on
  void resume();
  void record(const OpDraft& draft);
  void wait(const std::string& key, Level level, Duration limit, std::function<void(Result<Level>)> done);
  void adopt(const Roster& roster);
  void hand_over(const TillId& successor);
  void command(const std::string& setting, std::int64_t value);
  void set_fitness(std::uint32_t fitness);  // also after a restart

  struct Backup {
    SimDisk::Image disk;
    std::string database;
  };
  Backup backup();                             // as a nightly copy of the stopped till
  void restore(const Backup& backup);          // while it is down
  void lose_everything(const TillState& but);  // while it is down: no journal, a database with that state alone
  void speak_newer() { newer_ = true; }  // as a later release: messages carry fields and types that this one ignores

  const std::string& label() const override { return label_; }
  TillId identity() const override { return identity_.till; }
  BranchId branch() const override { return identity_.branch; }
  bool responds() const override { return alive() && !suspended_; }
  bool wants(const Endpoint& other) const override;
  bool accepts(const Endpoint& other) const override;
  void on_up(PeerId id, Endpoint& other) override;
  void on_down(PeerId id) override;
  void on_bytes(PeerId id, Bytes message) override;

  bool alive() const { return node_ != nullptr; }
  bool suspended() const { return suspended_; }
  Now now() const;
  std::uint64_t woke() const { return woke_; }                           // by itself, since the world began
  std::uint64_t commits_and_starts() const { return commits_ + life_; }  // its rows change with nothing else
  const TillCore& node() const { return *node_; }
  TillStore& store() const { return files_->store(); }
  SimDisk& disk() { return disk_; }
  SimClock& clock() { return clock_; }
  const Identity& who() const { return identity_; }
  const std::optional<Roster>& roster() const { return roster_; }
  const std::vector<HandedOut>& receipts() const { return receipts_; }
  const std::vector<Error>& refusals() const { return refusals_; }
  const std::vector<std::string>& notices() const { return notices_; }

 private:
  void carry_out(Actions actions);
  void append(const std::vector<Bytes>& batch);
  void send(PeerId to, const Message& message);
  void arm();
  void maintain();
  // Runs later, unless this life has ended by then; while suspended it waits.
  void later(Duration delay, std::function<void()> work);
  void when_awake(std::function<void()> work);

  World& world_;
  Network& network_;
  Observer& observer_;
  Identity identity_;
  std::string label_;
  std::optional<Roster> roster_;
  std::string folder_;
  Duration keep_;
  SimDisk disk_;
  SimClock clock_;
  std::unique_ptr<TillFiles> files_;
  std::unique_ptr<TillCore> node_;
  bool suspended_ = false, newer_ = false;
  std::vector<std::function<void()>> backlog_;
  std::optional<PeerId> cloud_;
  std::optional<Instant> armed_;  // when it wakes up next
  std::uint64_t life_ = 0, commits_ = 0, wake_ = 0, woke_ = 0, backups_ = 0;
  std::uint64_t next_reply_ = 1;
  std::uint32_t fitness_ = 0;
  std::map<std::uint64_t, std::string> asked_;
  struct Waiting {
    std::string key;
    std::function<void(Result<Level>)> done;
  };
  std::map<std::uint64_t, Waiting> waiting_;
  std::vector<HandedOut> receipts_;
  std::vector<Error> refusals_;
  std::vector<std::string> notices_;
};

constexpr std::int64_t kEpochMs = 1'717'372'800'000;  // the midnight before every world's day: a Monday in June 2024

}  // namespace tillsync::sim
