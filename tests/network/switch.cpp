#include "tests/network/switch.hpp"

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace tillsync::test {

namespace {

bool shell_ok(const std::string& command) { return std::system((command + " >/dev/null 2>&1").c_str()) == 0; }

// Opened by a thread that has entered the namespace: the interface then belongs to it.
int open_tap(const std::string& space) {
  int tap = -1;
  std::thread([&] {
    const int ns = ::open(("/run/netns/" + space).c_str(), O_RDONLY);
    if (ns < 0 || ::setns(ns, CLONE_NEWNET) != 0) return;
    ::close(ns);
    tap = ::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    ifreq request{};
    std::strncpy(request.ifr_name, "lan0", IFNAMSIZ - 1);
    request.ifr_flags = IFF_TAP | IFF_NO_PI;
    if (tap >= 0 && ::ioctl(tap, TUNSETIFF, &request) != 0) ::close(std::exchange(tap, -1));
  }).join();
  return tap;
}

}  // namespace

std::string Switch::unusable() {
  if (::geteuid() != 0) return "network namespaces need root";
  const std::string name = "tlprobe" + std::to_string(::getpid());
  if (!shell_ok("ip netns add " + name)) return "this machine does not let root make network namespaces";
  const int tap = open_tap(name);
  if (tap >= 0) ::close(tap);
  shell_ok("ip netns del " + name);
  return tap >= 0 ? "" : "this machine has no TAP interfaces (/dev/net/tun)";
}

Switch::Switch() : prefix_("tl" + std::to_string(::getpid()) + "x"), thread_([this] { run(); }) {}

Switch::~Switch() {
  stopping_ = true;
  thread_.join();
  for (std::size_t i = 0; i < taps_.size(); ++i) {
    ::close(taps_[i]);
    shell_ok("ip netns del " + space(static_cast<int>(i)));
  }
}

int Switch::add_host() {
  const int host = static_cast<int>(taps_.size());
  const std::string name = space(host), inside = "ip -n " + name + " ";
  if (!shell_ok("ip netns add " + name)) throw std::runtime_error("can't make the namespace " + name);
  const int tap = open_tap(name);
  if (tap < 0) throw std::runtime_error("can't make a TAP interface in " + name);
  const bool up =
      shell_ok(inside + "link set lo up && " + inside + "addr add " + address(host) + "/24 brd + dev lan0 && " +
               inside + "link set lan0 up && " + inside + "route add default dev lan0");
  if (!up) throw std::runtime_error("can't set up the interface in " + name);
  const std::lock_guard lock(mutex_);
  taps_.push_back(tap);
  return host;
}

void Switch::wire(int from, int to, Wire wire) {
  const std::lock_guard lock(mutex_);
  wires_[{from, to}] = wire;
}

void Switch::both_ways(const std::vector<int>& some, const std::vector<int>& others, Wire wire_) {
  for (int a : some) {
    for (int b : others) {
      if (a != b) wire(a, b, wire_), wire(b, a, wire_);
    }
  }
}

void Switch::mend() {
  const std::lock_guard lock(mutex_);
  wires_.clear();
}

void Switch::run() {
  std::vector<std::uint8_t> buffer(65536);
  while (!stopping_) {
    std::vector<pollfd> polled;
    {
      const std::lock_guard lock(mutex_);
      for (int tap : taps_) polled.push_back({tap, POLLIN, 0});
    }
    const int wait = delayed_.empty() ? 20 : 1;
    if (::poll(polled.data(), polled.size(), wait) > 0) {
      for (std::size_t i = 0; i < polled.size(); ++i) {
        if ((polled[i].revents & POLLIN) == 0) continue;
        for (int burst = 0; burst < 32; ++burst) {
          const ssize_t n = ::read(polled[i].fd, buffer.data(), buffer.size());
          if (n < 14) break;
          forward(static_cast<int>(i), Frame(buffer.begin(), buffer.begin() + n));
        }
      }
    }
    deliver_due();
  }
}

void Switch::forward(int from, const Frame& frame) {
  const std::lock_guard lock(mutex_);
  sent_[static_cast<std::size_t>(from)] += frame.size();
  std::array<std::uint8_t, 6> to{}, source{};
  std::copy_n(frame.begin(), 6, to.begin());
  std::copy_n(frame.begin() + 6, 6, source.begin());
  learned_[source] = from;
  const bool multicast = (to[0] & 1) != 0;
  const auto known = learned_.find(to);
  if (!multicast && known != learned_.end()) return pass(from, known->second, frame, false);
  const bool broadcast = std::all_of(to.begin(), to.end(), [](std::uint8_t b) { return b == 0xff; });
  for (int port = 0; port < static_cast<int>(taps_.size()); ++port) {
    if (port != from) pass(from, port, frame, multicast && !broadcast);
  }
}

void Switch::pass(int from, int to, const Frame& frame, bool multicast) {
  const auto it = wires_.find({from, to});
  const Wire wire = it == wires_.end() ? Wire{} : it->second;
  if (wire.cut || (multicast && no_multicast_)) return;
  if (wire.loss > 0 && std::uniform_real_distribution<>(0, 1)(dice_) < wire.loss) return;
  if (wire.delay.count() > 0) return delayed_.push({Clock::now() + wire.delay, ++number_, to, frame});
  [[maybe_unused]] const ssize_t n = ::write(taps_[static_cast<std::size_t>(to)], frame.data(), frame.size());
}

void Switch::deliver_due() {
  while (!delayed_.empty() && delayed_.top().due <= Clock::now()) {
    const Delayed& next = delayed_.top();
    [[maybe_unused]] const ssize_t n =
        ::write(taps_[static_cast<std::size_t>(next.to)], next.frame.data(), next.frame.size());
    delayed_.pop();
  }
}

}  // namespace tillsync::test
