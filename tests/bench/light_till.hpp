// A till that only sells to the cloud: a real connection and a real signed history, without a disk of its own.
#pragma once

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <map>
#include <string>
#include <vector>

#include "engine/till/chain_sender.hpp"
#include "transport/net/links.hpp"

namespace tillsync::bench {

// Sales of four lines, about 600 bytes each as ops, with signatures for batches of the size that tills push.
struct History {
  History(const BranchId& branch, const TillId& till, const SecretKey& key, std::size_t sales, std::size_t products,
          std::size_t push_ops);
  ChainId chain;
  std::vector<Push> pushes;
  std::vector<std::string> keys;  // of all ops, in order
  ChainPoint end;
  std::size_t bytes = 0;
  std::map<std::string, std::int64_t> sold;  // thousandths by sku
};

class LightTill final : private LinkOwner {
 public:
  LightTill(asio::io_context& io, const Roster& roster, const TillId& till, const SecretKey& key,
            const History& history);
  void start(std::vector<Address> clouds);  // tries one after the other, for ever
  bool done() const { return sender_.known() && sender_.held() >= history_.end.seq; }
  Seq held() const { return sender_.held(); }
  std::size_t connects() const { return connects_; }
  void close();

 private:
  Hello hello_to(const TillId*) override { return hello_; }
  Result<PeerInfo> admit(const noise::Key&, const Hello& hello) override;
  void on_up(PeerId id, const PeerInfo& peer) override;
  void on_message(PeerId id, Message message) override;
  void on_unreadable(PeerId id) override { links_.hang_up(id); }
  void on_down(PeerId) override {}
  asio::awaitable<void> stay_connected(std::vector<Address> clouds);
  asio::awaitable<void> beat();
  void pump();

  asio::io_context& io_;
  const History& history_;
  TillId cloud_;
  noise::Key cloud_key_;
  Hello hello_;
  Links links_;
  ChainSender sender_;
  PeerId peer_;
  std::size_t connects_ = 0;
  bool closing_ = false;
};

}  // namespace tillsync::bench
