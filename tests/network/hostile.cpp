#include "tests/network/hostile.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/steady_timer.hpp>

#include "storage/base/random.hpp"
#include "tests/network/liar.hpp"
#include "transport/base/clock.hpp"
#include "transport/base/settings.hpp"
#include "transport/net/links.hpp"
#include "transport/net/noise/secure_stream.hpp"

namespace tillsync::test {

namespace {

constexpr int kCrowd = 1000;
constexpr std::uint16_t kPort = 7700;

SecretKey stolen_key(const std::string& folder) {
  std::string text = client::require(read_file(folder + "/identity.key"));
  text.resize(64);
  return client::require(SecretKey::from_hex(text));
}

bool wait_for(int socket, short what, std::chrono::milliseconds limit) {
  pollfd waiting{socket, what, 0};
  return ::poll(&waiting, 1, static_cast<int>(limit.count())) == 1;
}

bool send_all(int socket, ByteView bytes, const std::atomic<bool>& stopping) {
  while (!bytes.empty()) {
    if (stopping) return false;
    if (!wait_for(socket, POLLOUT, std::chrono::milliseconds(100))) continue;
    const ssize_t n = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno != EAGAIN) return false;
    if (n > 0) bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

std::optional<Bytes> receive(int socket, std::size_t n) {
  Bytes out(n, '\0');
  for (std::size_t at = 0; at < n;) {
    if (!wait_for(socket, POLLIN, std::chrono::seconds(2))) return std::nullopt;
    const ssize_t got = ::recv(socket, out.data() + at, n - at, 0);
    if (got <= 0) return std::nullopt;
    at += static_cast<std::size_t>(got);
  }
  return out;
}

}  // namespace

Hostile::Hostile(LanShop& shop, int as_till, Way way)
    : shop_(shop), self_(as_till), key_(stolen_key(shop.folder(as_till))), thread_([this, way] { run(way); }) {}

Hostile::~Hostile() {
  stopping_ = true;
  thread_.join();
}

void Hostile::run(Way way) {
  const int ns = ::open(("/run/netns/" + shop_.lan().space(self_)).c_str(), O_RDONLY);
  if (ns < 0 || ::setns(ns, CLONE_NEWNET) != 0) return;
  ::close(ns);
  if (way == Way::crowds) return crowd();
  if (way != Way::is_deaf) return talk(way);
  for (int i = 0; !stopping_; i = (i + 1) % shop_.tills()) {
    if (i != self_) ask_deafly(i);
  }
}

void Hostile::talk(Way way) {
  asio::io_context io;
  Liar liar({TillId{shop_.name(self_)}, key_, shop_.roster()}, sent_);
  Links links(io, noise::KeyPair::of(key_.x25519()), liar, [](const Notice&) {});
  liar.use(links);
  const auto dial_all = [&] {
    for (int i = 0; i < shop_.tills(); ++i) {
      const Member* member = i == self_ ? nullptr : shop_.roster().find(TillId{shop_.name(i)});
      if (member == nullptr || links.connected(member->name)) continue;
      const auto key = *PublicKey::from_bytes(member->key)->x25519();
      asio::co_spawn(io, links.dial(member->name, key, {shop_.lan().address(i), kPort}), asio::detached);
    }
  };
  for (auto next_dial = std::chrono::steady_clock::now(); !stopping_;) {
    if (std::chrono::steady_clock::now() >= next_dial) {
      dial_all();
      next_dial += std::chrono::milliseconds(100);
    }
    io.run_for(std::chrono::milliseconds(5));
    io.restart();
    way == Way::campaigns ? liar.campaign() : liar.lie();
  }
  links.close();
  io.run_for(std::chrono::milliseconds(100));
}

int Hostile::dial(int whom) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (socket < 0) return -1;
  const int small = 4096;
  ::setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(kPort);
  ::inet_pton(AF_INET, shop_.lan().address(whom).c_str(), &to.sin_addr);
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0 && errno != EINPROGRESS) {
    ::close(socket);
    return -1;
  }
  ++sent_;
  return socket;
}

bool Hostile::shake_hands(int socket, int whom, noise::Handshake& shake) {
  Hello hello;
  hello.name = TillId{shop_.name(self_)};
  hello.branch = shop_.roster().branch;
  hello.run = static_cast<std::uint64_t>(whom) + 1000;
  const auto first = shake.write(pack(hello));
  if (!first || !wait_for(socket, POLLOUT, std::chrono::seconds(2))) return false;
  Bytes record{static_cast<char>(first->size() >> 8), static_cast<char>(first->size() & 0xff)};
  if (!send_all(socket, record + *first, stopping_)) return false;
  const auto size = receive(socket, 2);
  if (!size) return false;
  const auto reply = receive(socket, static_cast<std::size_t>(static_cast<std::uint8_t>((*size)[0])) * 256 +
                                         static_cast<std::uint8_t>((*size)[1]));
  return reply && shake.read(*reply).has_value();
}

void Hostile::ask_deafly(int whom) {
  const int socket = dial(whom);
  if (socket < 0) return;
  noise::Key secret{};
  secret.fill(static_cast<std::uint8_t>(sent_ % 251 + 1));
  const Member* member = shop_.roster().find(TillId{shop_.name(whom)});
  noise::Handshake shake(noise::Pattern::IK, noise::Handshake::Side::initiator, kPrologue,
                         {noise::KeyPair::of(key_.x25519()),
                          noise::KeyPair::of(secret),
                          *PublicKey::from_bytes(member->key)->x25519(),
                          {}});
  if (shake_hands(socket, whom, shake)) {
    noise::RecordWriter writer(shake.split().send, read_clock().mono);
    const Bytes question = encode(Message(NewRoster{Binary(shop_.roster().encoded())})),
                ping = encode(Message(Ping{7}));
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(3);
    while (!stopping_ && std::chrono::steady_clock::now() < until) {
      if (!send_all(socket, writer.seal(read_clock().mono, sent_ % 2 == 0 ? ping : question), stopping_)) break;
      ++sent_;
    }
  }
  ::close(socket);
}

void Hostile::crowd() {
  std::vector<int> sockets;
  for (int next = 0; !stopping_; ++next) {
    const int whom = next % shop_.tills();
    if (whom == self_) continue;
    if (const int socket = dial(whom); socket >= 0) sockets.push_back(socket);
    if (next % 2 == 0 && !sockets.empty()) (void)::send(sockets.back(), "\0\xff", 2, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sockets.size() < kCrowd) continue;
    for (std::size_t i = 0; i < sockets.size() / 10; ++i) ::close(sockets[i]);
    sockets.erase(sockets.begin(), sockets.begin() + static_cast<std::ptrdiff_t>(sockets.size() / 10));
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  for (const int socket : sockets) ::close(socket);
}

}  // namespace tillsync::test
