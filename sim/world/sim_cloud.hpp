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
  // Headquarters imports a row, and sends it again to a cloud that crashed before it answered.
  void put_row(const BranchKey& branch, const CloudRow& row);
  // A person at the cloud settles a conflict of a branch. A crash leaves it without an answer.
  void settle(const BranchKey& branch, const OpDraft& draft, std::function<void(Result<void>)> done);

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
  struct Import {
    BranchKey branch;
    CloudRow row;
  };
  void send(ReplyTo to, const Import& import);
  void answer(const CloudReply& reply);
  void carry_out(CloudActions actions);
  Now now() const;

  World& world_;
  Network& network_;
  Observer& observer_;
  SecretKey key_;
  std::string folder_, label_ = "cloud";
  std::vector<Roster> rosters_;  // brought by its operator
  std::unique_ptr<CloudStore> store_;
  std::unique_ptr<CloudCore> core_;
  std::unique_ptr<Witness> witness_;
  std::map<std::uint64_t, Ballot> commands_;  // by nonce: under which lease
  std::map<ReplyTo, Import> imports_;         // not answered yet
  std::map<ReplyTo, std::function<void(Result<void>)>> settlements_;
  std::uint64_t last_reply_ = 0;
  std::uint64_t life_ = 0;
  bool backed_up_ = false;
};

}  // namespace tillsync::sim
