// What was sold while the network was away, on its way to the cloud; and one sale on its way to another till.
#include <filesystem>
#include <thread>

#include "tests/bench/bench.hpp"
#include "tests/bench/bench_shop.hpp"
#include "tests/bench/plain_link.hpp"
#include "tests/bench/references.hpp"

namespace tillsync::bench {

namespace {

using Judge = Figure::Judge;

bool connected_as(const api::StatusAnswer& status, const std::string& role) {
  for (const PeerStatus& peer : status.peers) {
    if (peer.role == role) return true;
  }
  return false;
}

void queue_up(const std::string& folder, std::uint64_t ops) {
  auto till = client::require(Till::open({.folder = folder, .network = false}));
  sell(*till, 1, ops);
}

// Ops a second, from the moment that the till has its way up until the cloud holds all durably.
double drain(BenchShop& shop, const std::string& till, const std::string& role, std::uint64_t ops) {
  auto client = shop.start(till).connect();
  BenchShop::wait_for(client, 20, [&](const api::StatusAnswer& s) { return connected_as(s, role) || s.unsent < ops; });
  const auto start = Clock::now();
  BenchShop::wait_for(client, 120, [](const api::StatusAnswer& s) { return s.unsent == 0; });
  return static_cast<double>(ops) / seconds_since(start);
}

double straight(const Options& o, const std::string& folder, std::uint64_t ops) {
  BenchShop shop(folder, o.program, {{"till-1"}});
  queue_up(shop.folder_of("till-1"), ops);
  return drain(shop, "till-1", "cloud", ops);
}

double by_a_host(const Options& o, const std::string& folder, std::uint64_t ops) {
  BenchShop shop(folder, o.program, {{"till-1", false, false}, {"till-2"}});
  queue_up(shop.folder_of("till-1"), ops);
  auto host = shop.start("till-2").connect();
  BenchShop::wait_for(host, 20, [](const api::StatusAnswer& s) { return s.is_host && s.cloud_connected; });
  return drain(shop, "till-1", "host", ops);
}

std::vector<Figure> queues(const Options& o) {
  const auto ops = o.scaled<std::uint64_t>(100'000, 2'000);
  Samples direct, hosted, plain;
  const std::vector<Bytes> records(ops, Bytes(600, 'r'));
  for (int round = 0; round < o.scaled(3, 1); ++round) {
    const std::string at = o.where + "/" + std::to_string(round);
    std::filesystem::create_directories(at + "/plain");
    plain.add(drain_plainly(at + "/plain", records));
    direct.add(straight(o, at + "/straight", ops));
    hosted.add(by_a_host(o, at + "/hosted", ops));
    std::filesystem::remove_all(at);
  }
  const std::string how = std::to_string(ops) +
                          " sales recorded while the till was offline; real processes on loopback, "
                          "from the connection on until the till knows that the cloud holds all";
  return {{"drain of a queue, till to cloud on LMDB", how, "ops/s", direct, "TCP into plain LMDB", plain,
           Judge::value_at_least, 100'000},
          {"drain of a queue through a host", how, "ops/s", hosted, "TCP into plain LMDB", plain, Judge::value_at_least,
           60'000}};
}

// How often a flush can be had: what a sale on its way to another till can't be quicker than.
double flush_us(const Options& o) {
  Samples flush;
  auto file = bare_file(o.where);
  for (int i = 0; i < 200; ++i) flush.time_us([&] { file->write({Bytes(600, 'f')}); });
  return flush.median();
}

Figure seen_by_another(const Options& o) {
  BenchShop shop(o.where + "/seen", o.program, {{"host"}, {"till-a", false, false}, {"till-b", false, false}});
  auto host = shop.start("host").connect();
  auto a = client::require(Till::open({.folder = shop.folder_of("till-a")}));
  auto b = client::require(Till::open({.folder = shop.folder_of("till-b")}));
  BenchShop::wait_for(host, 20, [](const api::StatusAnswer& s) { return s.cloud_connected && s.peers.size() >= 3; });
  Samples seen;
  std::int64_t sold = 0;
  for (std::uint64_t i = 1; i <= o.scaled<std::uint64_t>(500, 20); ++i) {
    OpDraft sale = four_line_sale(i, "till-a");
    sale.document.lines.resize(1);
    sale.document.lines[0] = {"cola", Quantity::units(1), 200, "Cola"};
    sold += 1;
    const auto start = Clock::now();
    client::require(a->record(sale));
    while (b->stock("cola") != Quantity::units(-sold)) {
      require_that(seconds_since(start) < 10, "a sale is not seen at another till");
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
    seen.add(seconds_since(start) * 1000);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  // The sale's own in the journal, and the two of the host's database: it tells nobody of what it could still lose.
  const double flushes = 3 * flush_us(o) / 1000;
  return {"a sale at till A in the stock of till B, through a host",
          "record() to stock(), asked every 0.1 ms, one sale at a time; of it three flushes of " +
              std::to_string(flushes / 3) + " ms are needed",
          "ms",
          seen,
          "",
          {},
          Judge::value_at_most,
          3 + flushes};
}

}  // namespace

std::vector<Figure> bench_drain(const Options& o) {
  std::vector<Figure> figures = queues(o);
  figures.push_back(seen_by_another(o));
  return figures;
}

}  // namespace tillsync::bench
