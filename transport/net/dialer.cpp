#include "transport/net/dialer.hpp"

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>

#include "transport/net/as_tuple.hpp"

namespace tillsync {

Dialer::Dialer(asio::io_context& io, Links& links, TillId self, Rules rules, Random random)
    : io_(io), links_(links), self_(std::move(self)), rules_(std::move(rules)), random_(random) {}

void Dialer::suggest(const TillId& name, const Address& address) {
  if (name == self_ || closing_ || !rules_.key(name)) return;
  auto& entry = entries_[name];
  const bool fresh = !entry;
  if (fresh) entry = std::make_unique<Entry>(io_);
  auto& known = entry->addresses;
  const auto at = std::find(known.begin(), known.end(), address);
  if (at == known.end()) {
    known.insert(known.begin(), address);
    known.resize(std::min(known.size(), kMaxAddresses));
  } else {
    std::rotate(known.begin(), at, at + 1);
  }
  entry->fresh_address = true;
  entry->wake.cancel();
  if (fresh) asio::co_spawn(io_, pursue(name, *entry), asio::detached);
}

void Dialer::poke() {
  for (auto& [name, entry] : entries_) {
    if (rules_.wanted(name) && !links_.connected(name)) entry->wake.cancel();
  }
}

void Dialer::close() {
  closing_ = true;
  for (auto& [name, entry] : entries_) entry->wake.cancel();
}

const std::vector<Address>& Dialer::addresses(const TillId& name) const {
  static const std::vector<Address> kNone;
  const auto it = entries_.find(name);
  return it == entries_.end() ? kNone : it->second->addresses;
}

asio::awaitable<void> Dialer::pause(Entry& entry, Duration time) {
  entry.wake.expires_after(time);
  co_await entry.wake.async_wait(kTuple);
}

asio::awaitable<void> Dialer::pursue(TillId name, Entry& entry) {
  bool waited = self_ < name;
  while (!closing_) {
    const auto key = rules_.key(name);
    if (!key || !rules_.wanted(name) || links_.connected(name)) {
      waited = self_ < name;
      co_await pause(entry, seconds(30));
      continue;
    }
    if (!std::exchange(waited, true)) {
      const auto until = std::chrono::steady_clock::now() + kCourtesy;
      while (!closing_ && std::chrono::steady_clock::now() < until && !links_.connected(name)) {
        co_await pause(entry, until - std::chrono::steady_clock::now());
      }
      continue;
    }
    entry.fresh_address = false;
    const Duration was_up = co_await try_addresses(name, *key, entry);
    if (closing_) co_return;
    entry.delay = was_up >= kGoodLink ? kFirstDelay : std::min(entry.delay * 2, kMaxDelay);
    const Duration jittered =
        entry.delay / 2 + Duration(random_.below(static_cast<std::uint64_t>(entry.delay.count())));
    const auto until = std::chrono::steady_clock::now() + jittered;
    // A poke does not shorten the wait, only a new sighting of the peer does.
    while (!closing_ && !entry.fresh_address && std::chrono::steady_clock::now() < until) {
      co_await pause(entry, until - std::chrono::steady_clock::now());
    }
  }
}

asio::awaitable<Duration> Dialer::try_addresses(TillId name, noise::Key key, Entry& entry) {
  const std::vector<Address> addresses = entry.addresses;
  for (const Address& address : addresses) {
    const auto was_up = co_await links_.dial(name, key, address);
    if (was_up) co_return *was_up;
    if (closing_ || links_.connected(name)) break;
  }
  co_return Duration::zero();
}

}  // namespace tillsync
