// The real objects on virtual disks, clocks and wires: a till (Node, Journal, TillStore) and a cloud (CloudCore,
// CloudStore). LMDB runs for real, on a memory file system: its commits are atomic, so crashes fall between them.
#pragma once

#include <optional>

#include "engine/cloud/cloud_core.hpp"
#include "engine/till/node.hpp"
#include "sim/sim_disk.hpp"
#include "sim/world.hpp"
#include "storage/cloud_store.hpp"
#include "storage/journal.hpp"

namespace tillsync::sim {

struct SimClock {
  std::int64_t offset_ms = 0;  // wrong by so much
  std::int64_t drift_ppm = 0;
  std::int64_t boot_ms = 1000;  // what the machine's own monotonic clock said when the world began
};

// What the customer holds in hand.
struct HandedOut {
  std::string key;
  Receipt receipt;
};

class SimTill final : public Endpoint {
 public:
  SimTill(World& world, TillId name, BranchId branch, SecretKey key, std::optional<Roster> roster, std::string folder);
  ~SimTill() override;

  void start();
  void crash(bool power_cut);  // power_cut: what was not flushed may be lost
  void record(OpDraft draft);
  void wait(const std::string& key, Level level, Duration limit, std::function<void(Result<Level>)> done);

  struct Backup {
    SimDisk::Image disk;
    std::string database;
  };
  Backup backup();                             // as a nightly copy of the stopped till
  void restore(const Backup& backup);          // while it is down
  void lose_everything(const TillState& but);  // while it is down: no journal, a database with that state alone

  const std::string& name() const override { return name_.text; }
  bool alive() const override { return node_ != nullptr; }
  bool wants(const Endpoint& other) const override;
  void on_up(PeerId id, Endpoint& other) override;
  void on_down(PeerId id) override;
  void on_bytes(PeerId id, Bytes message) override;

  Now now() const;
  Node& node() { return *node_; }
  TillStore& store() { return *store_; }
  SimDisk& disk() { return disk_; }
  SimClock& clock() { return clock_; }
  SecretKey key() const { return key_; }
  const std::vector<HandedOut>& receipts() const { return receipts_; }
  const std::vector<Error>& refusals() const { return refusals_; }
  const std::vector<std::string>& notices() const { return notices_; }

 private:
  void carry_out(Actions actions);
  void arm();
  // Runs later, unless this life has ended by then.
  void later(Duration delay, std::function<void()> work);

  World& world_;
  TillId name_;
  BranchId branch_;
  SecretKey key_;
  std::optional<Roster> roster_;
  std::string folder_;
  SimDisk disk_;
  SimClock clock_;
  std::unique_ptr<TillStore> store_;
  std::optional<Journal> journal_;
  std::unique_ptr<Node> node_;
  std::uint64_t life_ = 0, wake_ = 0, backups_ = 0;
  std::uint64_t next_reply_ = 1;
  std::map<std::uint64_t, std::string> asked_;
  std::map<std::uint64_t, std::function<void(Result<Level>)>> waiting_;
  std::vector<HandedOut> receipts_;
  std::vector<Error> refusals_;
  std::vector<std::string> notices_;
};

class SimCloud final : public Endpoint {
 public:
  SimCloud(World& world, std::string folder, const Roster& roster);

  void start();
  void crash();
  void read(const std::function<void(CloudTxn&)>& body);
  void put_row(const CloudRow& row);
  const Shop& shop() const { return shop_; }

  const std::string& name() const override { return name_; }
  bool alive() const override { return core_ != nullptr; }
  bool wants(const Endpoint&) const override { return false; }
  void on_up(PeerId id, Endpoint& other) override;
  void on_down(PeerId id) override;
  void on_bytes(PeerId id, Bytes message) override;

 private:
  void carry_out(CloudActions actions);
  Now now() const;

  World& world_;
  std::string folder_, name_ = "cloud";
  Roster roster_;
  Shop shop_;
  std::unique_ptr<CloudStore> store_;
  std::unique_ptr<CloudCore> core_;
  std::uint64_t life_ = 0;
};

constexpr std::int64_t kEpochMs = 1'717'400'000'000;  // when every world begins: a Monday in June 2024

}  // namespace tillsync::sim
