// A till after a day: the memory that it has for itself, and its disk, before and after the days to keep are over.
#include <filesystem>

#include "engine/validate.hpp"
#include "storage/model/op_codec.hpp"
#include "tests/bench/bench.hpp"
#include "tests/bench/bench_shop.hpp"
#include "transport/base/settings.hpp"

namespace tillsync::bench {

namespace {

using Judge = Figure::Judge;

constexpr std::uint64_t kAtOnce = 50;  // then the cloud has them: a day is longer than this bench

double disk_bytes(const std::string& folder) {
  double sum = 0;
  for (const auto& each : std::filesystem::recursive_directory_iterator(folder)) {
    if (each.is_regular_file()) sum += static_cast<double>(each.file_size());
  }
  return sum;
}

// As it is hashed, stored and sent.
double op_bytes(const OpDraft& sale) {
  Op op;
  op.branch = BranchId{"main"};
  op.chain = {TillId{"till-1"}, Incarnation{1ULL << 60}};
  op.seq = Seq{1000};
  op.hlc = Hlc{1ULL << 60};
  op.key = sale.key, op.cashier = sale.cashier;
  op.body = encode(sale.document);
  return static_cast<double>(encode(op).size());
}

Samples only(double value) {
  Samples samples;
  samples.add(value);
  return samples;
}

void keep_nothing(const std::string& folder) {
  const auto locked = client::require(DataFolder::lock(folder, false));
  Settings settings = client::require(load_settings(locked));
  settings.keep_sales_days = settings.keep_journal_days = 0;
  client::require(replace_file(locked.file("till.toml"), settings.toml()));
}

}  // namespace

std::vector<Figure> bench_day(const Options& o) {
  const auto sales = o.scaled<std::uint64_t>(5000, 200);
  BenchShop shop(o.where, o.program, {{"till-1"}});
  const std::string folder = shop.folder_of("till-1");
  double payload = 0, disk = 0, shrunk = 0, memory = 0;
  {
    client::Process& process = shop.start("till-1");
    auto till = process.connect();
    for (std::uint64_t i = 1; i <= sales; ++i) {
      const OpDraft sale = four_line_sale(i, "till-1");
      payload += op_bytes(sale);
      client::require(till.ask(api::RecordRequest{{}, sale}));
      if (i % kAtOnce == 0) BenchShop::wait_for(till, 60, [](const auto& s) { return s.unsent == 0; });
    }
    BenchShop::wait_for(till, 60, [](const auto& s) { return s.unsent == 0; });
    memory = static_cast<double>(own_kib(process.pid())) / 1024;
    disk = disk_bytes(folder);
    process.kill();
  }
  keep_nothing(folder);
  for (int start = 0; start < 2; ++start) {  // the vault is let go in one run; what became free goes at the next start
    client::Process& process = shop.start("till-1");
    auto till = process.connect();
    BenchShop::wait_for(till, 60, [](const api::StatusAnswer& s) { return s.kept <= 2; });
    process.kill();
    shrunk = disk_bytes(folder);
  }
  const std::string how = std::to_string(sales) + " sales in a till process whose cloud has them all";
  return {{"memory of a till after a day",
           how + "; anonymous memory",
           "MiB",
           only(memory),
           "",
           {},
           Judge::value_at_most,
           32},
          {"disk of a till after a day",
           how + "; times the bytes of their ops",
           "x",
           only(disk / payload),
           "",
           {},
           Judge::value_at_most,
           2.5},
          {"the same, once the days to keep are over",
           "started twice with nothing to keep",
           "x",
           only(shrunk / payload),
           "",
           {},
           Judge::value_at_most,
           disk / payload}};
}

}  // namespace tillsync::bench
