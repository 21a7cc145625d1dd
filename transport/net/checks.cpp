#include "transport/net/checks.hpp"

#include <sodium.h>
#include <sys/stat.h>
#include <sys/timex.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/multicast.hpp>
#include <asio/ip/udp.hpp>

#include "storage/disk/data_folder.hpp"
#include "transport/base/clock.hpp"
#include "transport/net/connect.hpp"
#include "transport/net/discovery/interfaces.hpp"

namespace tillsync {

using asio::ip::tcp;
using asio::ip::udp;

namespace {
constexpr std::uint64_t kLowDisk = 200ULL << 20;
constexpr std::uint64_t kSmallDisk = 1ULL << 30;
constexpr Duration kPatience = seconds(10);  // a name may have several addresses, and the first ones be dead

asio::awaitable<void> reach(Address there, Result<tcp::socket>* out) { *out = co_await connect_to(there); }

}  // namespace

Finding check_clock() {
  timex times{};
  const bool kept = ::adjtimex(&times) != TIME_ERROR && (times.status & STA_UNSYNC) == 0;
  const bool sane = read_clock().wall_ms > 1'700'000'000'000;
  if (!sane) return {"clock", false, "the clock is years behind: set it, then restart"};
  return kept ? Finding{"clock", true, "kept right by NTP"}
              : Finding{"clock", true,
                        "nobody keeps it right: tills are corrected by the cloud; for a cloud, set up NTP (apt install "
                        "chrony)"};
}

Finding check_space(const std::string& folder) {
  const std::uint64_t space = free_bytes(folder);
  const std::string room = std::to_string(space >> 20) + " MiB free";
  if (space < kLowDisk) return {"disk", false, room + ": LOW, free some before selling stops"};
  return {"disk", true, room + (space < kSmallDisk ? ": enough for now, free some this week" : "")};
}

Finding check_permissions(const std::string& folder) {
  for (const char* name : {"identity.key", "cloud.toml"}) {
    struct stat info {};
    const std::string path = folder + "/" + name;
    if (::stat(path.c_str(), &info) != 0) continue;
    if ((info.st_mode & 0077) != 0)
      return {"permissions", false, path + " can be read by others on this machine: chmod 600 " + path};
    if (info.st_uid != ::geteuid())
      return {"permissions", false, path + " belongs to another user than the one who asks: run this as that user"};
  }
  if (::access(folder.c_str(), W_OK) != 0) return {"permissions", false, folder + " can't be written: check its owner"};
  return {"permissions", true, "keys are readable by their owner only"};
}

Finding check_port(const Address& listen, bool running) {
  if (running) return {"port", true, listen.text() + " is listened on"};
  asio::io_context io;
  tcp::acceptor acceptor(io);
  asio::error_code error;
  const auto address = asio::ip::make_address(listen.host, error);
  if (!error) acceptor.open(address.is_v6() ? tcp::v6() : tcp::v4(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind({address, listen.port}, error);
  return error ? Finding{"port", false,
                         listen.text() + " can't be used (" + error.message() +
                             "): change 'listen', or stop what is there"}
               : Finding{"port", true, listen.text() + " is free"};
}

Finding check_reach(const std::string& what, const Address& there) {
  asio::io_context io;
  Result<tcp::socket> connected = fail(ErrorKind::timed_out, there.text() + " does not answer");
  asio::co_spawn(io, reach(there, &connected), asio::detached);
  io.run_for(kPatience);
  if (connected) return {what, true, there.text() + " answers"};
  const bool unknown = connected.error().kind == ErrorKind::not_found;
  return {what, false,
          connected.error().message +
              (unknown ? "" : ": check the address, the firewall, and that it runs; sales go on meanwhile")};
}

Finding check_multicast(const std::string& interface) {
  const auto addresses = interface_addresses(interface);
  if (addresses.empty())
    return {"multicast", false,
            interface.empty() ? "no network but loopback is up: plug in the cable, or join the Wi-Fi"
                              : "the interface " + interface + " is not up: check 'interface' in till.toml"};
  for (const InterfaceAddress& each : addresses) {
    asio::io_context io;
    asio::error_code error;
    const auto group = asio::ip::make_address_v4("224.0.0.251");
    const auto mine = asio::ip::make_address_v4(each.address);
    udp::socket socket(io);
    socket.open(udp::v4(), error);
    socket.bind({asio::ip::address_v4::any(), 0}, error);
    if (!error) socket.set_option(asio::ip::multicast::join_group(group, mine), error);
    if (!error) socket.set_option(asio::ip::multicast::outbound_interface(mine), error);
    if (!error) socket.set_option(asio::ip::multicast::enable_loopback(true), error);
    const std::string probe = "tillsync doctor";
    if (!error) socket.send_to(asio::buffer(probe), {group, socket.local_endpoint().port()}, 0, error);
    char buffer[64];
    bool heard = false;
    if (!error)
      socket.async_receive(asio::buffer(buffer),
                           [&](asio::error_code e, std::size_t n) { heard = !e && n == probe.size(); });
    io.run_for(seconds(1));
    if (heard) return {"multicast", true, "works on " + each.name + " (" + each.address + ")"};
  }
  return {"multicast", false,
          "a packet to the mDNS group is lost on " + addresses.front().name +
              ": allow UDP 5353 in the firewall, or list the tills as 'peers' in till.toml"};
}

Finding check_versions() {
  return {"versions", true,
          "tillsync 0.1.0, protocol " + std::to_string(kOldestProtocol) + " to " + std::to_string(kNewestProtocol) +
              ", libsodium " + sodium_version_string()};
}

}  // namespace tillsync
