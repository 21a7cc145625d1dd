// The cloud: the real CloudCore and its LMDB store, driven by virtual time and network.
#pragma once

#include "engine/cloud/cloud_core.hpp"
#include "sim/world/network.hpp"
#include "sim/world/observer.hpp"
#include "storage/model/cloud_store.hpp"

namespace tillsync::sim {

class SimCloud final : public Endpoint {
 public:
  SimCloud(World& world, Network& network, Observer& observer, SecretKey key, std::string folder);

  void serve(const Roster& roster);  // one of its branches
  void start();
  void crash();
  void backup();   // a copy of the record, as at night
  void restore();  // it goes back to the copy, and serves on; as `tillsync restore` does it
  bool has_backup() const { return backed_up_; }
  void read(const std::function<void(CloudTxn&)>& body);
  void put_row(const BranchKey& shop, const CloudRow& row);

  const std::string& label() const override { return label_; }
  TillId identity() const override { return TillId{label_}; }
  BranchId branch() const override { return {}; }
  bool responds() const override { return alive(); }
  bool wants(const Endpoint&) const override { return false; }
  bool accepts(const Endpoint& other) const override;
  void on_up(PeerId id, Endpoint& other) override;
  void on_down(PeerId id) override;
  void on_bytes(PeerId id, Bytes message) override;

  bool alive() const { return core_ != nullptr; }
  std::uint64_t refused() const { return core_ ? core_->refusals().total() : 0; }

 private:
  void carry_out(CloudActions actions);
  Now now() const;

  World& world_;
  Network& network_;
  Observer& observer_;
  SecretKey key_;
  std::string folder_, label_ = "cloud";
  std::map<BranchKey, Roster> rosters_;
  std::unique_ptr<CloudStore> store_;
  std::unique_ptr<CloudCore> core_;
  std::unique_ptr<Witness> witness_;
  std::map<std::uint64_t, Ballot> commands_;  // by nonce: under which lease
  std::uint64_t life_ = 0;
  bool backed_up_ = false;
};

}  // namespace tillsync::sim
