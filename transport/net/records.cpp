#include "transport/net/records.hpp"

#include <array>
#include <asio/read.hpp>
#include <asio/write.hpp>

#include "transport/net/as_tuple.hpp"

namespace tillsync {

using asio::ip::tcp;

asio::awaitable<bool> send_record(tcp::socket& socket, Bytes record) {
  Bytes out{static_cast<char>(record.size() >> 8), static_cast<char>(record.size())};
  out += record;
  auto [error, n] = co_await asio::async_write(socket, asio::buffer(out), kTuple);
  co_return !error;
}

asio::awaitable<std::optional<Bytes>> receive_record(tcp::socket& socket) {
  std::array<std::uint8_t, 2> head{};
  auto [error, n] = co_await asio::async_read(socket, asio::buffer(head), kTuple);
  if (error) co_return std::nullopt;
  Bytes record(static_cast<std::size_t>(head[0] << 8 | head[1]), '\0');
  auto [error2, n2] = co_await asio::async_read(socket, asio::buffer(record), kTuple);
  if (error2) co_return std::nullopt;
  co_return record;
}

Result<tcp::acceptor> open_acceptor(asio::io_context& io, const Address& address) {
  asio::error_code error;
  const auto ip = asio::ip::make_address(address.host, error);
  if (error)
    return fail(ErrorKind::invalid, "can't listen on " + address.text() + ": give an IP address of this machine");
  tcp::acceptor acceptor(io);
  const tcp::endpoint endpoint(ip, address.port);
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error == asio::error::address_in_use) {
    return fail(ErrorKind::refused,
                "port " + std::to_string(address.port) +
                    " is in use by another program: stop that one, or choose another port with --listen");
  }
  if (error) return fail(ErrorKind::refused, "can't listen on " + address.text() + ": " + error.message());
  return acceptor;
}

}  // namespace tillsync
