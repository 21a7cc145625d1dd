#include "transport/net/links.hpp"

#include <sodium.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/steady_timer.hpp>
#include <asio/write.hpp>
#include <deque>

#include "transport/base/clock.hpp"
#include "transport/net/as_tuple.hpp"
#include "transport/net/records.hpp"

namespace tillsync {

using asio::ip::tcp;
using namespace asio::experimental::awaitable_operators;

namespace {

constexpr std::size_t kWriteBytes = 256 * 1024;  // queued messages that share one write

asio::awaitable<void> after(Duration time) {
  asio::steady_timer timer(co_await asio::this_coro::executor, time);
  co_await timer.async_wait(kTuple);
}

noise::KeyPair fresh_key() {
  noise::Key secret;
  randombytes_buf(secret.data(), secret.size());
  return noise::KeyPair::of(secret);
}

}  // namespace

struct Links::Link {
  Link(tcp::socket s, bool dialled_by_me) : socket(std::move(s)), dialled(dialled_by_me), wake(socket.get_executor()) {}
  PeerId id;
  tcp::socket socket;
  bool dialled;
  asio::ip::address from;  // of one that dialled
  PeerInfo peer;
  std::optional<noise::Key> expected;  // the key that the dialled peer must prove
  noise::Handshake::Channel channel;
  std::deque<Bytes> queue;
  std::size_t queued = 0;
  asio::steady_timer wake;
  Instant heard;
  Instant paid_until;  // what it has sent is within its rate up to then
};

Links::Links(asio::io_context& io, noise::KeyPair key, LinkOwner& owner, Log log, std::size_t max_shaking)
    : io_(io), key_(key), owner_(owner), log_(std::move(log)), max_shaking_(max_shaking) {}

Links::~Links() = default;

Result<std::uint16_t> Links::listen(const Address& address) {
  auto acceptor = open_acceptor(io_, address);
  if (!acceptor) return tl::unexpected(acceptor.error());
  acceptor_ = std::make_unique<tcp::acceptor>(std::move(*acceptor));
  const std::uint16_t port = acceptor_->local_endpoint().port();
  asio::co_spawn(io_, accept_loop(), asio::detached);
  return port;
}

asio::awaitable<void> Links::accept_loop() {
  while (!closing_) {
    auto [error, socket] = co_await acceptor_->async_accept(kTuple);
    if (closing_) co_return;
    if (error || open_ >= kMaxConnections) {  // out of descriptors, most likely: let some go first
      co_await after(milliseconds(100));
      continue;
    }
    asio::co_spawn(io_, answer(std::move(socket)), asio::detached);
  }
}

asio::awaitable<void> Links::answer(tcp::socket socket) {
  asio::error_code gone;
  const auto remote = socket.remote_endpoint(gone);
  if (gone) co_return;
  std::size_t& shaking = shaking_[remote.address()];
  if (shaking >= max_shaking_) co_return;
  ++shaking;
  Link link(std::move(socket), false);
  link.from = remote.address();
  co_await run(link);
}

asio::awaitable<bool> Links::dial(TillId name, noise::Key key, Address address) {
  tcp::resolver resolver(io_);
  auto [unresolved, endpoints] = co_await resolver.async_resolve(address.host, std::to_string(address.port), kTuple);
  if (unresolved || endpoints.empty() || closing_) co_return false;
  Link link(tcp::socket(io_), true);
  link.peer.name = name;
  link.expected = key;
  const tcp::endpoint where = endpoints.begin()->endpoint();
  auto connected = co_await (link.socket.async_connect(where, kTuple) || after(kHandshake));
  if (connected.index() == 1 || std::get<0>(std::get<0>(connected)) || closing_) co_return false;
  co_return co_await run(link);
}

asio::awaitable<bool> Links::run(Link& link) {
  ++open_;
  const TillId wanted = link.peer.name;
  asio::error_code ignored;
  link.socket.set_option(tcp::no_delay(true), ignored);
  auto shaken = co_await (shake_hands(link, link.dialled ? &wanted : nullptr) || after(kHandshake));
  if (!link.dialled && --shaking_[link.from] == 0) shaking_.erase(link.from);
  const bool good = shaken.index() == 0 && std::get<0>(shaken) && !closing_ && take_over(link);
  if (good) {
    links_[link.id] = &link;
    link.heard = read_clock().mono;
    owner_.on_up(link.id, link.peer);
    co_await (read_loop(link) || write_loop(link) || watch(link));
    links_.erase(link.id);
    owner_.on_down(link.id);
  }
  --open_;
  co_return good;
}

asio::awaitable<bool> Links::shake_hands(Link& link, const TillId* name) {
  using noise::Handshake;
  Handshake::Keys keys{key_, fresh_key(), link.expected, {}};
  Handshake shake(noise::Pattern::IK, link.dialled ? Handshake::Side::initiator : Handshake::Side::responder, kPrologue,
                  keys);
  Hello mine = owner_.hello_to(name);
  if (link.dialled) {
    auto message = shake.write(pack(mine));
    if (!message) co_return false;
    const bool sent = co_await send_record(link.socket, std::move(*message));
    if (!sent) co_return false;
  }
  auto received = co_await receive_record(link.socket);
  auto payload = received ? shake.read(*received) : std::nullopt;
  auto theirs = payload ? unpack<Hello>(*payload) : std::nullopt;
  if (!theirs) co_return false;
  if (!theirs->refusal.empty()) {
    log_({Notice::Weight::warning,
          (name != nullptr ? name->text : "a peer") + " refused this till: " + theirs->refusal});
    co_return false;
  }
  auto peer = owner_.admit(*shake.remote(), *theirs);
  if (peer) {
    auto version = agree(mine, *theirs);
    version ? void(peer->protocol = *version) : void(peer = tl::unexpected(version.error()));
  }
  asio::error_code unnamed;
  const auto remote = link.socket.remote_endpoint(unnamed);
  const std::string host = unnamed ? "" : remote.address().to_string();
  if (!link.dialled) {
    if (!peer) mine.refusal = peer.error().message;
    if (peer && !peer->knows_me_as.empty()) mine.name = peer->knows_me_as;
    auto message = shake.write(pack(mine));
    if (!message) co_return false;
    const bool sent = co_await send_record(link.socket, std::move(*message));
    if (!sent) co_return false;
  }
  if (!peer) {
    log_({Notice::Weight::warning,
          "refused a connection of " + theirs->name.text + " at " + host + ": " + peer.error().message});
    co_return false;
  }
  link.peer = std::move(*peer);
  link.peer.host = host;
  link.channel = shake.split();
  co_return true;
}

// Two tills dial each other at the same moment: both keep the connection that the one with the lower name dialled.
bool Links::take_over(Link& link) {
  const TillId me = owner_.hello_to(nullptr).name;
  auto dialler = [&](const Link& l) { return l.dialled ? me : l.peer.name; };
  for (auto& [id, other] : links_) {
    const bool same = other->peer.name == link.peer.name && other->peer.hello.branch == link.peer.hello.branch &&
                      other->peer.shop_key == link.peer.shop_key;
    if (!same) continue;
    const bool restarted = other->peer.hello.run != link.peer.hello.run;
    if (!restarted && dialler(*other) < dialler(link)) return false;
    other->socket.close();
  }
  link.id = PeerId{next_id_++};
  return true;
}

asio::awaitable<void> Links::read_loop(Link& link) {
  noise::RecordReader reader(link.channel.receive);
  std::vector<char> buffer(64 * 1024);
  for (;;) {
    auto [error, n] = co_await link.socket.async_read_some(asio::buffer(buffer), kTuple);
    if (error) co_return;
    link.heard = read_clock().mono;
    auto messages = reader.take({buffer.data(), n});
    if (!messages) {
      log_({Notice::Weight::warning, "let " + link.peer.name.text + " go: " + messages.error().message});
      co_return;
    }
    for (const Bytes& bytes : *messages) {
      if (const Duration ahead = charge(link, bytes.size()); ahead > kBurst) co_await after(ahead - kBurst);
      if (!link.socket.is_open()) co_return;
      auto message = decode_message(bytes);
      if (!message) {
        owner_.on_unreadable(link.id);
        co_return;
      }
      if (const auto* unknown = std::get_if<Unknown>(&*message); unknown != nullptr && !unknown->answer) {
        send(link.id, Unknown{unknown->type, true});
        continue;
      }
      try {
        owner_.on_message(link.id, std::move(*message));
      } catch (const std::exception& error) {  // a detached coroutine would end without a word
        log_({Notice::Weight::error, "let " + link.peer.name.text + " go: a message of it could not be handled (" +
                                         error.what() + "): please report it"});
        co_return;
      }
    }
  }
}

// How far it is ahead of its rate with this.
Duration Links::charge(Link& link, std::size_t bytes) {
  const Instant now = read_clock().mono;
  link.paid_until = std::max(link.paid_until, now) + kPerMessage + kPerByte * static_cast<std::int64_t>(bytes);
  return link.paid_until - now;
}

asio::awaitable<void> Links::write_loop(Link& link) {
  noise::RecordWriter writer(link.channel.send, read_clock().mono);
  for (;;) {
    while (link.queue.empty()) {
      link.wake.expires_at(asio::steady_timer::time_point::max());
      co_await link.wake.async_wait(kTuple);
      if (!link.socket.is_open()) co_return;
    }
    Bytes out;
    while (!link.queue.empty() && out.size() < kWriteBytes) {
      link.queued -= link.queue.front().size();
      out += writer.seal(read_clock().mono, link.queue.front());
      link.queue.pop_front();
    }
    auto [error, n] = co_await asio::async_write(link.socket, asio::buffer(out), kTuple);
    if (error) co_return;
  }
}

asio::awaitable<void> Links::watch(Link& link) {
  for (;;) {
    const Duration silent = read_clock().mono - link.heard;
    if (silent >= kSilence) co_return;
    co_await after(kSilence - silent);
  }
}

bool Links::connected(const TillId& name) const {
  for (const auto& [id, link] : links_) {
    if (link->peer.name == name) return true;
  }
  return false;
}

void Links::send(PeerId to, const Message& message) {
  const auto it = links_.find(to);
  if (it == links_.end()) return;
  Link& link = *it->second;
  Bytes bytes = encode(message);
  link.queued += bytes.size();
  link.queue.push_back(std::move(bytes));
  if (link.queued > kMaxQueued) {
    log_({Notice::Weight::warning, "let " + link.peer.name.text + " go: it reads too slowly"});
    link.socket.close();
  }
  link.wake.cancel();
}

void Links::hang_up(PeerId id) {
  const auto it = links_.find(id);
  if (it == links_.end()) return;
  it->second->socket.close();
  it->second->wake.cancel();
}

void Links::close() {
  closing_ = true;
  if (acceptor_) acceptor_->close();
  for (auto& [id, link] : links_) {
    link->socket.close();
    link->wake.cancel();
  }
}

}  // namespace tillsync
