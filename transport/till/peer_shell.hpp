// A till's dealings with others: who may connect, whom to dial and where they were last seen, and what managers ask.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "transport/base/settings.hpp"
#include "transport/net/dialer.hpp"
#include "transport/net/discovery/discovery.hpp"
#include "transport/till/core_loop.hpp"

namespace tillsync {

class PeerShell final : public ActionHandler, private LinkOwner {
 public:
  // What a person's key is answered, as the text of the answer's message.
  using Answerer = std::function<std::string(Role role, const Question& question)>;
  PeerShell(CoreLoop& loop, TillDisks& disks, const DataFolder& folder, const Settings& settings, const SecretKey& key,
            Answerer answer, Log log);
  // Listens, looks for others and lets them find this till. Before the core's thread runs. A till sells whoever has its
  // port: it takes another, and tries again when there is none, unless `only_there`. Errors: invalid, refused.
  Result<void> join_network(bool only_there);
  std::uint16_t port() const { return port_; }  // 0: it does not listen
  void end_discovery() { discovery_.reset(); }  // after the core's thread has ended

  void act(Actions& actions) override;
  void on_settled(Now now) override;
  void on_woken(Now now) override;
  bool has_farewells() const override { return links_.open_connections() > 0; }
  void on_closing() override;

 private:
  Hello hello_to(const TillId* peer) override;
  Result<PeerInfo> admit(const noise::Key& key, const Hello& hello) override;
  void on_up(PeerId id, const PeerInfo& peer) override;
  void on_message(PeerId id, Message message) override;
  void on_unreadable(PeerId id) override;
  void on_down(PeerId id) override;

  Result<void> listen(const Address& address);
  void listen_elsewhere(const std::string& why);
  void be_discovered();
  void offer_addresses();
  void remember(const PeerInfo& peer);
  void keep_roster();
  std::optional<noise::Key> key_of(const TillId& name);
  bool wanted(const TillId& name);

  CoreLoop& loop_;
  TillDisks& disks_;
  const DataFolder& folder_;
  const Settings& settings_;
  Answerer answer_;
  Log log_;
  std::uint64_t run_;  // of this process: who dials us tells a restart by it
  bool networked_ = false;
  std::atomic<std::uint16_t> port_ = 0;
  asio::steady_timer listen_again_{loop_.io()};
  Links links_;
  Dialer dialer_;
  std::unique_ptr<Discovery> discovery_;
  std::map<PeerId, Role> people_;  // connected ones: they may ask, and the core never hears of them
  std::map<TillId, Address> remembered_;
  LeaseView announced_;
};

}  // namespace tillsync
