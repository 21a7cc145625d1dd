// Length-prefixed records on a TCP socket, as handshakes use them: 2 bytes big-endian, then that many bytes.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/ip/tcp.hpp>
#include <optional>

#include "transport/net/links.hpp"

namespace tillsync {

asio::awaitable<bool> send_record(asio::ip::tcp::socket& socket, Bytes record);  // at most 65,535 bytes
asio::awaitable<std::optional<Bytes>> receive_record(asio::ip::tcp::socket& socket);

// Errors name the port and what to do about it.
Result<asio::ip::tcp::acceptor> open_acceptor(asio::io_context& io, const Address& address);

}  // namespace tillsync
