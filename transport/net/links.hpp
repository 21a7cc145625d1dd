// Authenticated connections: TCP, a Noise IK handshake, then encrypted messages both ways. One coroutine owns a
// connection from its first byte to its last. All of it runs on the io_context's one thread.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <list>
#include <map>
#include <memory>
#include <string>

#include "engine/actions.hpp"
#include "lease/roster.hpp"
#include "transport/base/address.hpp"
#include "transport/base/log.hpp"
#include "transport/net/hello.hpp"
#include "transport/net/noise/secure_stream.hpp"

namespace tillsync {

struct PeerInfo {
  TillId name;
  Role role = Role::till;
  Hello hello;
  std::string host;                          // its IP address
  std::string shop_key;                      // for the cloud: which tenant
  std::uint32_t protocol = kOldestProtocol;  // that both speak
  TillId knows_me_as{};                      // empty: by the name in hello_to()
};

class LinkOwner {
 public:
  virtual ~LinkOwner() = default;
  virtual Hello hello_to(const TillId* peer) = 0;  // null: not known yet
  // Who holds this key, if it may connect; otherwise the sentence that it is told.
  virtual Result<PeerInfo> admit(const noise::Key& key, const Hello& hello) = 0;
  virtual void on_up(PeerId id, const PeerInfo& peer) = 0;
  virtual void on_message(PeerId id, Message message) = 0;
  virtual void on_unreadable(PeerId id) = 0;  // what came was no message: it is to be let go
  virtual void on_down(PeerId id) = 0;
};

class Links {
 public:
  static constexpr Duration kSilence = seconds(7);  // three lost heartbeats: the link is dead
  static constexpr Duration kHandshake = seconds(5);
  static constexpr std::size_t kMaxQueued = 32 << 20;   // bytes to a reader that is too slow: it is let go
  static constexpr std::size_t kMaxConnections = 1024;  // whose diallers have proved who they are
  // Others have a budget of their own: so many of one address, and so many addresses' worth of them.
  static constexpr std::size_t kMaxUnproven = 32, kAddresses = 8;
  // What a peer may send at length, so that nobody's core is busy with one: 1,000 messages or 100 MB a second. What is
  // beyond waits in its own socket.
  static constexpr Duration kPerMessage = milliseconds(1), kPerByte = std::chrono::nanoseconds(10);
  static constexpr Duration kBurst = milliseconds(250);

  // `max_unproven`: more where many peers share an address.
  Links(asio::io_context& io, noise::KeyPair key, LinkOwner& owner, Log log, std::size_t max_unproven = kMaxUnproven);
  ~Links();

  Result<std::uint16_t> listen(const Address& address);  // port 0 picks one
  // Connects and stays until the connection ends. How long it was up; nothing when it never was.
  asio::awaitable<std::optional<Duration>> dial(TillId name, noise::Key key, Address address);
  bool connected(const TillId& name) const;
  void send(PeerId to, const Message& message);
  void hang_up(PeerId id);
  void close();  // stops listening and ends every connection
  std::size_t open_connections() const { return open_; }

 private:
  struct Link;
  asio::awaitable<void> accept_loop();
  asio::awaitable<void> answer(asio::ip::tcp::socket socket);
  void make_room_for(const asio::ip::address& from);
  asio::awaitable<bool> prove(Link& link, const TillId* name);
  asio::awaitable<bool> shake_hands(Link& link, const TillId* name);
  asio::awaitable<bool> run(Link& link);
  asio::awaitable<void> read_loop(Link& link);
  asio::awaitable<void> write_loop(Link& link);
  asio::awaitable<void> watch(Link& link);
  bool hand_on(Link& link, const Bytes& bytes);
  static Duration charge(Link& link, std::size_t bytes);
  bool take_over(Link& link);  // false: another connection to the same peer is the better one

  asio::io_context& io_;
  noise::KeyPair key_;
  LinkOwner& owner_;
  Log log_;
  std::unique_ptr<asio::ip::tcp::acceptor> acceptor_;
  std::map<PeerId, Link*> links_;
  std::size_t max_unproven_;
  std::list<Link*> unproven_;  // dialled by others, the oldest first
  std::size_t open_ = 0;       // unproven ones included
  std::uint64_t next_id_ = 1;
  bool closing_ = false;
};

}  // namespace tillsync
