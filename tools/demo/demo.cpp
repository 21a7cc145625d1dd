#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "storage/disk/data_folder.hpp"
#include "tools/client/progress.hpp"
#include "tools/client/sales_input.hpp"
#include "tools/demo/demo.hpp"
#include "tools/demo/feed.hpp"
#include "tools/demo/reconcile.hpp"

namespace tillsync::demo {

namespace {

using Clock = std::chrono::steady_clock;

std::int64_t ms_since(Clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start).count();
}

// Waits for `done`, drawing progress; a Failure after `limit`.
void until(const std::function<bool()>& done, std::chrono::seconds limit, const std::string& otherwise, Feed& feed,
           client::Progress& progress, std::size_t total) {
  const auto end = Clock::now() + limit;
  while (!done()) {
    if (auto failure = feed.failure()) throw client::Failure{*failure};
    if (Clock::now() > end) throw client::Failure{otherwise};
    progress.at(feed.recorded(), total);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  progress.at(feed.recorded(), total);
}

bool queues_empty(Fleet& fleet) {
  for (std::size_t i = 0; i < fleet.tills(); ++i) {
    const api::StatusAnswer s = fleet.till(i).ask(api::StatusRequest{});
    if (s.unsent != 0 || s.relaying != 0 || s.fork_open) return false;
  }
  return true;
}

bool quiet(Fleet& fleet, const sales::SalesFile& file) {
  if (!queues_empty(fleet)) return false;
  for (std::size_t i = 0; i < fleet.tills(); ++i) {
    if (!stock_settled(fleet.till(i), file)) return false;
  }
  return true;
}

sales::SalesFile read_input(const DemoArguments& a) {
  std::string path = a.sales;
  const std::filesystem::path here = std::filesystem::path(client::this_program()).parent_path();
  if (path.empty()) path = here / "week.csv";
  if (a.sales.empty() && !std::filesystem::exists(path)) path = here / "../share/tillsync/week.csv";
  sales::SalesFile file = client::read_sales_file(path, a.columns);
  if (file.ops.empty()) throw client::Failure{path + " holds no sale that can be read"};
  return file;
}

// Cut the cloud off after a quarter, kill the host half-way, bring both back.
void run_story(Fleet& fleet, Feed& feed, const sales::SalesFile& file, Report& report) {
  const std::size_t total = file.ops.size();
  client::Progress progress("selling");
  auto wait = [&](const std::function<bool()>& done, int limit, const std::string& otherwise) {
    until(done, std::chrono::seconds(limit), otherwise, feed, progress, total);
  };
  auto fed = [&] { return feed.waiting(); };
  const std::string stuck = "selling got stuck: the logs are in " + fleet.folder();

  feed.release(0.25);
  wait(fed, 600, stuck);
  progress.say("the cloud is cut off; selling goes on");
  fleet.cloud().pause();
  feed.release(0.5);
  wait(fed, 600, stuck);

  const auto host = fleet.host();
  if (!host) throw client::Failure{"the branch lost its host for no reason: the logs are in " + fleet.folder()};
  progress.say("the host " + fleet.till(*host).name() + " was killed; the others go on");
  feed.pause(*host);
  feed.release(0.75);
  fleet.till(*host).kill();
  const auto killed = Clock::now();
  if (fleet.tills() > 2) {  // two tills have no majority without each other: the one left hosts provisionally
    wait([&] { return fleet.host(*host).has_value(); }, 20,
         "no new host within 20 s: the logs are in " + fleet.folder());
    report.failover_ms = ms_since(killed);
    report.host_failovers = 1;
  }
  progress.say("the killed till is back");
  fleet.till(*host).start();
  feed.resume(*host);
  wait(fed, 600, stuck);

  progress.say("the cloud is back");
  fleet.cloud().resume();
  const auto back = Clock::now();
  feed.release(1.0);
  wait(fed, 600, stuck);
  progress.say("waiting until all is quiet");
  wait([&] { return quiet(fleet, file); }, 120,
       "the queues did not drain within 120 s: the folders and logs are in " + fleet.folder());
  report.drain_ms = ms_since(back);
}

}  // namespace

void run_demo(const DemoArguments& a) {
  if (a.tills < 1 || a.tills > 32) throw client::Failure{"a demo takes 1 to 32 tills"};
  const sales::SalesFile file = read_input(a);
  std::string where = (std::filesystem::temp_directory_path() / "tillsync-demo-XXXXXX").string();
  if (::mkdtemp(where.data()) == nullptr)
    throw client::Failure{"can't make a folder in " + std::filesystem::temp_directory_path().string() + ": set TMPDIR"};

  Report report;
  report.sales_in = file.invoices, report.lines_in = file.lines, report.rows_left_out = file.bad_rows;
  report.units_in_milli = file.milli, report.skus = file.sold.size();
  std::cout << "A cloud and " << a.tills << " tills on this machine, found by mDNS; " << file.invoices << " invoices, "
            << file.lines << " lines.\n"
            << std::flush;
  {
    Fleet fleet(a.tills, where, client::this_program(), a.store);
    Feed feed(fleet, file.ops, std::max(1000.0, static_cast<double>(file.ops.size()) / 15.0));
    run_story(fleet, feed, file, report);
    feed.stop();
    report.ops_recorded = feed.recorded();
    reconcile(fleet, file, feed.dealt(), report);
  }
  std::cout << '\n' << report.table() << '\n';
  if (!a.report.empty()) client::require(replace_file(a.report, json_text(report.json(), 2) + "\n"));
  if (!report.clean())
    throw client::Failure{"what went in did not come out: the folders and logs are kept in " + where};
  std::cout << "Nothing was lost, doubled, out of order or mismatched.\n";
  std::filesystem::remove_all(where);
}

}  // namespace tillsync::demo
