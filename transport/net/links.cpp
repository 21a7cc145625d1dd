#include "transport/net/links.hpp"

#include <sodium.h>

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/steady_timer.hpp>
#include <asio/write.hpp>
#include <deque>

#include "transport/base/clock.hpp"
#include "transport/net/as_tuple.hpp"
#include "transport/net/connect.hpp"
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
  std::optional<noise::RecordReader> reader;
  std::vector<Bytes> early;  // messages that came with the dialler's first record
  std::deque<Bytes> queue;
  std::size_t queued = 0;
  asio::steady_timer wake;
  Instant heard;
  Instant paid_until;  // what it has sent is within its rate up to then
};

Links::Links(asio::io_context& io, noise::KeyPair key, LinkOwner& owner, Log log, std::size_t max_unproven)
    : io_(io), key_(key), owner_(owner), log_(std::move(log)), max_unproven_(max_unproven) {}

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
    if (error || links_.size() >= kMaxConnections) {  // out of descriptors, most likely: let some go first
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
  Link link(std::move(socket), false);
  link.from = remote.address();
  make_room_for(link.from);
  unproven_.push_back(&link);
  co_await run(link);
}

// Of those that have not proved who they are, the oldest goes: of the address that is knocking when it has its share,
// else of the address that has most. So whoever opens many and says nothing keeps nobody else out.
void Links::make_room_for(const asio::ip::address& from) {
  std::map<asio::ip::address, std::size_t> shares;
  for (const Link* each : unproven_) ++shares[each->from];
  const auto most = std::ranges::max_element(shares, {}, [](const auto& share) { return share.second; });
  const bool has_share = shares.contains(from) && shares.at(from) >= max_unproven_;
  if (!has_share && unproven_.size() < kAddresses * max_unproven_) return;
  const asio::ip::address crowded = has_share ? from : most->first;
  const auto oldest = std::ranges::find(unproven_, crowded, &Link::from);
  (*oldest)->socket.close();
  unproven_.erase(oldest);
}

asio::awaitable<std::optional<Duration>> Links::dial(TillId name, noise::Key key, Address address) {
  auto connected = co_await connect_to(address);
  if (!connected || closing_) co_return std::nullopt;
  Link link(std::move(*connected), true);
  link.peer.name = name;
  link.expected = key;
  const Instant begun = read_clock().mono;
  const bool was_up = co_await run(link);
  if (!was_up) co_return std::nullopt;
  co_return read_clock().mono - begun;
}

asio::awaitable<bool> Links::run(Link& link) {
  ++open_;
  const TillId wanted = link.peer.name;
  asio::error_code ignored;
  link.socket.set_option(tcp::no_delay(true), ignored);
  auto proven = co_await (prove(link, link.dialled ? &wanted : nullptr) || after(kHandshake));
  unproven_.remove(&link);
  const bool good = proven.index() == 0 && std::get<0>(proven) && !closing_ && take_over(link);
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

// A first handshake message can be recorded and sent again by anybody. What proves that the dialler is alive is that it
// can encrypt under the keys of this very handshake: its first record. Until then it is nobody, and takes over nothing.
asio::awaitable<bool> Links::prove(Link& link, const TillId* name) {
  const bool shaken = co_await shake_hands(link, name);
  if (!shaken) co_return false;
  link.reader.emplace(link.channel.receive);
  std::vector<char> buffer(64 * 1024);
  while (!link.dialled && link.reader->records() == 0) {
    auto [error, n] = co_await link.socket.async_read_some(asio::buffer(buffer), kTuple);
    if (error) co_return false;
    auto messages = link.reader->take({buffer.data(), n});
    if (!messages) co_return false;
    std::ranges::move(*messages, std::back_inserter(link.early));
  }
  co_return true;
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
  std::vector<char> buffer(64 * 1024);
  std::vector<Bytes> messages = std::exchange(link.early, {});
  for (;;) {
    for (const Bytes& bytes : messages) {
      if (const Duration ahead = charge(link, bytes.size()); ahead > kBurst) co_await after(ahead - kBurst);
      if (!link.socket.is_open() || !hand_on(link, bytes)) co_return;
    }
    auto [error, n] = co_await link.socket.async_read_some(asio::buffer(buffer), kTuple);
    if (error) co_return;
    link.heard = read_clock().mono;
    auto more = link.reader->take({buffer.data(), n});
    if (!more) {
      log_({Notice::Weight::warning, "let " + link.peer.name.text + " go: " + more.error().message});
      co_return;
    }
    messages = std::move(*more);
    if (messages.empty()) (void)charge(link, n);  // what carries no message is not free either
  }
}

// False when the link is to end.
bool Links::hand_on(Link& link, const Bytes& bytes) {
  auto message = decode_message(bytes);
  if (!message) return owner_.on_unreadable(link.id), false;
  if (const auto* unknown = std::get_if<Unknown>(&*message); unknown != nullptr && !unknown->answer)
    return send(link.id, Unknown{unknown->type, true}), true;
  try {
    owner_.on_message(link.id, std::move(*message));
  } catch (const std::exception& error) {  // a detached coroutine would end without a trace
    log_({Notice::Weight::error, "let " + link.peer.name.text + " go: a message of it could not be handled (" +
                                     error.what() + "): please report it"});
    return false;
  }
  return true;
}

// How far it is ahead of its rate with this.
Duration Links::charge(Link& link, std::size_t bytes) {
  const Instant now = read_clock().mono;
  link.paid_until = std::max(link.paid_until, now) + kPerMessage + kPerByte * static_cast<std::int64_t>(bytes);
  return link.paid_until - now;
}

asio::awaitable<void> Links::write_loop(Link& link) {
  noise::RecordWriter writer(link.channel.send, read_clock().mono);
  if (link.dialled) {  // so that the other end can believe in this one before there is anything to say
    const Bytes proof = writer.proof();
    auto [error, n] = co_await asio::async_write(link.socket, asio::buffer(proof), kTuple);
    if (error) co_return;
  }
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
  for (Link* link : unproven_) link->socket.close();
  for (auto& [id, link] : links_) {
    link->socket.close();
    link->wake.cancel();
  }
}

}  // namespace tillsync
