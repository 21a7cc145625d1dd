#include "tests/bench/plain_link.hpp"

#include <array>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read.hpp>
#include <asio/write.hpp>
#include <cstring>
#include <thread>

#include "tests/bench/measure.hpp"
#include "tests/bench/references.hpp"

namespace tillsync::bench {

namespace {

using asio::ip::tcp;
constexpr std::size_t kBatch = 1000, kInFlight = 4;

std::uint32_t read_number(tcp::socket& from) {
  std::uint32_t n = 0;
  asio::read(from, asio::buffer(&n, sizeof n));
  return n;
}

void receive(tcp::acceptor& acceptor, const std::string& folder) {
  tcp::socket from = acceptor.accept();
  auto store = plain_lmdb(folder);
  for (std::uint32_t count = 0; (count = read_number(from)) > 0;) {
    Bytes all(read_number(from), '\0');
    asio::read(from, asio::buffer(all));
    std::vector<Bytes> records;
    for (std::size_t at = 0; records.size() < count;) {
      std::uint32_t length = 0;
      std::memcpy(&length, all.data() + at, sizeof length);
      records.push_back(all.substr(at + sizeof length, length));
      at += sizeof length + length;
    }
    store->write(records);
    asio::write(from, asio::buffer("k", 1));
  }
}

}  // namespace

double drain_plainly(const std::string& folder, const std::vector<Bytes>& records) {
  asio::io_context io;
  tcp::acceptor acceptor(io, {asio::ip::make_address("127.0.0.1"), 0});
  std::thread receiver([&] { receive(acceptor, folder); });
  tcp::socket to(io);
  to.connect(acceptor.local_endpoint());
  to.set_option(tcp::no_delay(true));
  const auto start = Clock::now();
  std::size_t in_flight = 0;
  const auto acknowledged = [&] {
    char ok = 0;
    asio::read(to, asio::buffer(&ok, 1));
    --in_flight;
  };
  for (std::size_t i = 0; i < records.size(); i += kBatch) {
    Bytes body;
    const std::size_t end = std::min(records.size(), i + kBatch);
    for (std::size_t k = i; k < end; ++k) {
      const auto length = static_cast<std::uint32_t>(records[k].size());
      body.append(reinterpret_cast<const char*>(&length), sizeof length).append(records[k]);
    }
    const std::array<std::uint32_t, 2> head{static_cast<std::uint32_t>(end - i),
                                            static_cast<std::uint32_t>(body.size())};
    asio::write(to, std::array<asio::const_buffer, 2>{asio::buffer(head), asio::buffer(body)});
    if (++in_flight == kInFlight) acknowledged();
  }
  while (in_flight > 0) acknowledged();
  const double seconds = seconds_since(start);
  const std::uint32_t done = 0;
  asio::write(to, asio::buffer(&done, sizeof done));
  receiver.join();
  return static_cast<double>(records.size()) / seconds;
}

}  // namespace tillsync::bench
