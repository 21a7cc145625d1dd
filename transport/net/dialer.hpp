// Keeps connections up: one coroutine a peer, which tries its addresses in turn and backs off exponentially with
// jitter. There is no retry budget: it never gives up.
#pragma once

#include <asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "storage/base/random.hpp"
#include "transport/net/links.hpp"

namespace tillsync {

class Dialer {
 public:
  static constexpr Duration kFirstDelay = milliseconds(200), kMaxDelay = seconds(10);
  // A peer that lets every connection go at once (it refuses a history, or a copy of it takes over) is asked again ever
  // more seldom: only a link that stayed up so long begins from the first delay.
  static constexpr Duration kGoodLink = seconds(20);
  static constexpr Duration kCourtesy = seconds(1);  // the lower name dials first, so that two don't cross
  static constexpr std::size_t kMaxAddresses = 8;    // a peer's, newest first

  struct Rules {
    std::function<bool(const TillId&)> wanted;
    std::function<std::optional<noise::Key>(const TillId&)> key;
  };
  Dialer(asio::io_context& io, Links& links, TillId self, Rules rules, Random random);

  void suggest(const TillId& name, const Address& address);  // from the configuration, mDNS or memory
  void poke();                                               // something changed: look again
  void close();
  const std::vector<Address>& addresses(const TillId& name) const;

 private:
  struct Entry {
    explicit Entry(asio::io_context& io) : wake(io) {}
    std::vector<Address> addresses;
    Duration delay = kFirstDelay;
    asio::steady_timer wake;
    bool fresh_address = false;
  };
  asio::awaitable<void> pursue(TillId name, Entry& entry);
  asio::awaitable<void> pause(Entry& entry, Duration time);
  asio::awaitable<Duration> try_addresses(TillId name, noise::Key key, Entry& entry);

  asio::io_context& io_;
  Links& links_;
  TillId self_;
  Rules rules_;
  Random random_;
  std::map<TillId, std::unique_ptr<Entry>> entries_;
  bool closing_ = false;
};

}  // namespace tillsync
