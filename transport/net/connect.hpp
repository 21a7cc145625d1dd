// How a name becomes a connection: all its addresses are tried in turn, each with a time limit of its own, families
// mixed. One that is dead, or of a family that leads nowhere, costs kConnectEach and no more (RFC 8305 in spirit).
#pragma once

#include <asio/awaitable.hpp>
#include <asio/ip/tcp.hpp>
#include <vector>

#include <tillsync/result.hpp>
#include <tillsync/time.hpp>

#include "transport/base/address.hpp"

namespace tillsync {

constexpr std::size_t kMaxResolved = 8;  // addresses of one name

// IPv6 and IPv4 by turns, in the resolver's order within each family.
std::vector<asio::ip::tcp::endpoint> mixed(const std::vector<asio::ip::tcp::endpoint>& resolved);

// Errors: not_found (the name can't be resolved), timed_out (no address answered), refused (all did, and refused).
asio::awaitable<Result<asio::ip::tcp::socket>> connect_to(Address address, Duration each = milliseconds(2500));

}  // namespace tillsync
