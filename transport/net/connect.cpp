#include "transport/net/connect.hpp"

#include <asio/experimental/awaitable_operators.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>

#include "transport/net/as_tuple.hpp"

namespace tillsync {

using asio::ip::tcp;
using namespace asio::experimental::awaitable_operators;

namespace {

asio::awaitable<asio::error_code> connect_within(tcp::socket& socket, tcp::endpoint where, Duration limit) {
  asio::steady_timer timer(co_await asio::this_coro::executor, limit);
  auto first = co_await (socket.async_connect(where, kTuple) || timer.async_wait(kTuple));
  if (first.index() == 1) co_return asio::error::timed_out;
  co_return std::get<0>(std::get<0>(first));
}

}  // namespace

std::vector<tcp::endpoint> mixed(const std::vector<tcp::endpoint>& resolved) {
  std::vector<tcp::endpoint> six, four, out;
  for (const tcp::endpoint& each : resolved) (each.address().is_v6() ? six : four).push_back(each);
  for (std::size_t i = 0; i < std::max(six.size(), four.size()); ++i) {
    if (i < six.size()) out.push_back(six[i]);
    if (i < four.size()) out.push_back(four[i]);
  }
  if (out.size() > kMaxResolved) out.resize(kMaxResolved);
  return out;
}

asio::awaitable<Result<tcp::socket>> connect_to(Address address, Duration each) {
  const auto executor = co_await asio::this_coro::executor;
  tcp::resolver resolver(executor);
  auto [unresolved, found] = co_await resolver.async_resolve(address.host, std::to_string(address.port), kTuple);
  if (unresolved || found.empty())
    co_return fail(ErrorKind::not_found,
                   "the name " + address.host + " can't be resolved: check it, and the network's DNS");
  std::vector<tcp::endpoint> endpoints;
  for (const auto& entry : found) endpoints.push_back(entry.endpoint());
  asio::error_code error;
  for (const tcp::endpoint& where : mixed(endpoints)) {
    tcp::socket socket(executor);
    error = co_await connect_within(socket, where, each);
    if (!error) co_return socket;
    if (error == asio::error::operation_aborted) break;
  }
  if (error == asio::error::timed_out) co_return fail(ErrorKind::timed_out, address.text() + " does not answer");
  co_return fail(ErrorKind::refused, address.text() + " can't be reached (" + error.message() + ")");
}

}  // namespace tillsync
