// A thief with a till's key: connected in its name, he sends others what he overhears of the branch's signed messages,
// changed and unchanged, and invents sales of other tills. Nothing that he did not sign as himself may be believed.
#pragma once

#include <vector>

#include "sim/world/network.hpp"
#include "sim/world/sim_till.hpp"

namespace tillsync::sim {

class Forger final : public Endpoint {
 public:
  Forger(World& world, Network& network, Identity stolen);
  void go();

  const std::string& label() const override { return label_; }
  TillId identity() const override { return stolen_.till; }
  BranchId branch() const override { return stolen_.branch; }
  bool responds() const override { return here_; }
  bool wants(const Endpoint& other) const override { return other.label() != label_; }
  bool accepts(const Endpoint&) const override { return true; }
  void on_up(PeerId id, Endpoint& other) override;
  void on_down(PeerId id) override { std::erase(peers_, id); }
  void on_bytes(PeerId id, Bytes message) override;

 private:
  void strike();
  void invent(const HistoryOffer& offer);

  World& world_;
  Network& network_;
  Identity stolen_;
  std::string label_;
  std::vector<PeerId> peers_;
  std::vector<Bytes> overheard_;
  bool here_ = true;
};

}  // namespace tillsync::sim
