// Rows on their way down: what has changed, and all of them for a till that is new.
#include <msgpack/pack.hpp>
#include <thread>

#include "engine/cloud/cloud_core.hpp"
#include "engine/wire/paging.hpp"
#include "storage/base/pack.hpp"
#include "tests/bench/bench.hpp"
#include "tests/bench/bench_shop.hpp"

namespace tillsync::bench {

namespace {

using Judge = Figure::Judge;
const FeedKind kProducts{"tenant", "product"};

CloudRow product(std::uint64_t i, std::uint64_t price) {
  Bytes fields;
  Packer p(fields);
  p.map(3);
  p.text("name"), p.text("Product " + std::to_string(i));
  p.text("price"), p.uint(price);
  p.text("tax"), p.text("19");
  return {kProducts, "p" + std::to_string(i), false, std::move(fields)};
}

void put_rows(CloudStore& store, const BranchKey& shop, std::uint64_t count, std::uint64_t step, std::uint64_t price) {
  constexpr std::uint64_t kBatch = 50'000;
  for (std::uint64_t i = 0; i < count; i += kBatch) {
    client::require(store.write([&](CloudTxn& txn) -> Result<void> {
      for (std::uint64_t k = i; k < std::min(count, i + kBatch); ++k) txn.put_row(shop, product(k * step, price));
      return {};
    }));
  }
}

struct Pulled {
  RowPosition position{kProducts.feed, kProducts.kind, 0, {}, false};
  std::uint64_t rows = 0, bytes = 0, as_maps = 0;
};

std::uint64_t map_bytes(const Page::WireRow& row) {
  Bytes out;
  Packer p(out);
  p.map(3);
  p.text("id"), p.text(row.id), p.text("version"), p.uint(row.version.value), p.text("fields");
  return out.size() + row.fields_bytes.size();
}

// As the cloud answers it and a till reads it: job, encoding, decoding.
void pull(CloudStore& store, Witness& witness, const BranchKey& shop, Pulled& so_far, bool count_maps) {
  for (bool more = true; more;) {
    CloudJob job;
    job.asks.push_back({{}, shop, Pull{{kProducts.feed}, {so_far.position}}});
    const CloudAnswers answers = client::require(run_job(store, witness, job, [] { return Instant{}; }));
    more = !answers.answers.empty();
    for (const auto& answer : answers.answers) {
      const Bytes wire = encode(answer.message);
      so_far.bytes += wire.size();
      const auto read = decode_message(wire);
      for (const Page& page : std::get<Pages>(*read).pages) {
        so_far.rows += page.rows.size();
        so_far.position = {page.feed, page.kind, page.generation, page.to, page.more && page.snapshot};
        more = page.more;
        for (const auto& row : page.rows) so_far.as_maps += count_maps ? map_bytes(row) : 0;
      }
    }
  }
}

struct Changed {
  Samples ms;
  Pulled last;
};

Changed changed_rows(const Options& o, std::uint64_t rows) {
  const std::uint64_t changes = o.scaled<std::uint64_t>(1000, 100);
  auto store = client::require(open_lmdb_cloud(o.where + "/rows-" + std::to_string(rows), 7));
  const BranchKey shop{"bench", BranchId{"main"}};
  put_rows(*store, shop, rows, 1, 100);
  Witness witness;
  Pulled all;
  pull(*store, witness, shop, all, false);
  require_that(all.rows == rows, "rows are missing");
  Changed out;
  for (std::uint64_t round = 1; round <= o.scaled<std::uint64_t>(30, 3); ++round) {
    put_rows(*store, shop, changes, rows / changes, 100 + round);
    Pulled fresh{all.position};
    const auto start = Clock::now();
    pull(*store, witness, shop, fresh, false);
    out.ms.add(seconds_since(start) * 1000);
    require_that(fresh.rows == changes, "not the changed rows");
    Pulled counted{all.position};
    pull(*store, witness, shop, counted, true);
    out.last = counted;
    all.position = fresh.position;
  }
  return out;
}

std::vector<Figure> changed_rows(const Options& o) {
  const Changed few = changed_rows(o, o.scaled<std::uint64_t>(100'000, 2'000)),
                many = changed_rows(o, o.scaled<std::uint64_t>(1'000'000, 10'000));
  Samples bytes, maps;
  bytes.add(static_cast<double>(few.last.bytes)), maps.add(static_cast<double>(few.last.as_maps));
  const std::string how = "the cloud's job on LMDB, encoding and decoding; 30 rounds";
  return {{"pull of 1,000 changed rows of 100,000", how, "ms", few.ms, "", {}, Judge::value_at_most, 5},
          {"the same of 1,000,000", how, "ms", many.ms, "of 100,000", few.ms, Judge::ratio_at_most, 1.3},
          {"bytes of that pull", "the message as it is sent, before encryption", "bytes", bytes,
           "rows as MessagePack maps", maps, Judge::ratio_at_most, 1}};
}

// A till that is new in the branch: how quickly it has all rows, durably, and what memory that takes.
std::vector<Figure> first_sync(const Options& o) {
  const auto rows = o.scaled<std::uint64_t>(1'000'000, 5'000);
  Samples rate, memory;
  for (int round = 0; round < o.scaled(3, 1); ++round) {
    BenchShop shop(o.where + "/first-" + std::to_string(round), o.program, {{"till-1"}});
    shop.cloud().kill();
    {
      auto store = client::require(open_lmdb_cloud(shop.folder_of("cloud/db"), 7));
      put_rows(*store, {shop.tenant(), BranchId{"main"}}, rows, 1, 100);
    }
    shop.restart_cloud();
    client::Process& till = shop.start("till-1");
    auto client = till.connect();
    BenchShop::wait_for(client, 20, [](const api::StatusAnswer& s) { return s.cloud_connected; });
    const auto start = Clock::now();
    std::uint64_t most = 0;
    BenchShop::wait_for(client, 120, [&](const api::StatusAnswer& s) {
      most = std::max(most, own_kib(till.pid()));
      return s.rows == rows;
    });
    rate.add(static_cast<double>(rows) / seconds_since(start));
    memory.add(static_cast<double>(most) / 1024);
  }
  return {{"first sync of a new till",
           std::to_string(rows) + " rows, from the connection on until all are in its database",
           "rows/s",
           rate,
           "",
           {},
           Judge::value_at_least,
           200'000},
          {"its memory meanwhile",
           "anonymous memory of its process, the most that was seen; the pages of its database are the system's to "
           "take back",
           "MiB",
           memory,
           "",
           {},
           Judge::value_at_most,
           64}};
}

}  // namespace

std::vector<Figure> bench_pull(const Options& o) {
  std::vector<Figure> figures = changed_rows(o);
  for (Figure& each : first_sync(o)) figures.push_back(std::move(each));
  return figures;
}

}  // namespace tillsync::bench
