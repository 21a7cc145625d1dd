// A fleet of branches that pushes through two cloud processes into one PostgreSQL, one of them killed half-way; beside
// it, in the same run, the same ops inserted by plain libpq.
//
//   tests/with_postgres.sh build/fleet_bench --branches 200 --ops 1000000
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <thread>

#include "storage/base/pack.hpp"
#include "storage/model/cloud_store.hpp"
#include "storage/model/feeds.hpp"
#include "storage/postgres/connection.hpp"
#include "tests/bench/light_till.hpp"
#include "tests/bench/measure.hpp"
#include "tests/scratch.hpp"
#include "tools/demo/fleet.hpp"
#include "transport/base/settings.hpp"

using namespace tillsync;
using namespace tillsync::bench;

namespace {

struct Options {
  std::size_t branches = 200, ops = 1'000'000, products = 100, push_ops = 1000;
  std::string json;
  bool kill = true;
};

// Processor seconds of all processes of that name.
double cpu_of(const std::string& name) {
  double ticks = 0;
  for (const auto& each : std::filesystem::directory_iterator("/proc")) {
    std::ifstream stat(each.path() / "stat");
    std::string line;
    if (!std::getline(stat, line)) continue;
    const auto open = line.find('('), close = line.rfind(')');
    if (line.substr(open + 1, close - open - 1) != name) continue;
    std::istringstream rest(line.substr(close + 2));
    std::string state, skip;
    rest >> state;
    if (state == "Z") continue;  // its seconds are its parent's by now
    for (int i = 0; i < 10; ++i) rest >> skip;
    double user = 0, system = 0, children_user = 0, children_system = 0;
    rest >> user >> system >> children_user >> children_system;
    ticks += user + system + (name == "postgres" ? children_user + children_system : 0);  // backends that have ended
  }
  return ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

struct Branch {
  Roster roster;
  SecretKey key;
  std::unique_ptr<History> history;
};

std::vector<Branch> make_branches(const Options& o, const SecretKey& tenant, const PublicKey& cloud) {
  std::vector<Branch> out;
  const TenantKeys keys = TenantKeys::founded(tenant.public_key(), fresh_secret().public_key());
  for (std::size_t i = 0; i < o.branches; ++i) {
    Branch branch{{}, fresh_secret(), {}};
    branch.roster.tenant = "Bench";
    branch.roster.keys = keys;
    branch.roster.branch = BranchId{"branch-" + std::to_string(i)};
    branch.roster.add({TillId{"cloud"}, Binary(cloud.view()), Role::cloud, 0});
    branch.roster.add({TillId{"till-1"}, Binary(branch.key.public_key().view()), Role::till, 1});
    branch.roster.sign(tenant);
    branch.history = std::make_unique<History>(branch.roster.branch, TillId{"till-1"}, branch.key, o.ops / o.branches,
                                               o.products, o.push_ops);
    out.push_back(std::move(branch));
  }
  return out;
}

client::Process cloud_process(const std::string& name, const std::string& folder) {
  return {name,
          folder,
          {client::this_program().substr(0, client::this_program().rfind('/')) + "/tillsync", "cloud", "--data", folder,
           "--store", "postgresql", "--listen", "127.0.0.1:0"}};
}

struct Run {
  double seconds = 0, cloud_cpu = 0, database_cpu = 0, tills_cpu = 0;
};

Run mean(const Run& a, const Run& b) {
  return {(a.seconds + b.seconds) / 2, 0, (a.database_cpu + b.database_cpu) / 2, (a.tills_cpu + b.tills_cpu) / 2};
}

Run push_all(const Options& o, std::vector<Branch>& branches, client::Process& one, client::Process& two) {
  std::vector<Address> clouds;
  for (client::Process* each : {&one, &two}) {
    const int port = each->ask(api::CloudStatusRequest{}).port;
    clouds.push_back({"127.0.0.1", static_cast<std::uint16_t>(port)});
  }
  asio::io_context io;
  std::vector<std::unique_ptr<LightTill>> tills;
  for (std::size_t i = 0; i < branches.size(); ++i) {
    Branch& b = branches[i];
    tills.push_back(std::make_unique<LightTill>(io, b.roster, TillId{"till-1"}, b.key, *b.history));
    tills.back()->start(i % 2 == 0 ? clouds : std::vector{clouds[1], clouds[0]});
  }
  const double before = cpu_of("postgres"), tills_before = cpu_of("fleet_bench");
  double killed_cpu = 0;
  const auto start = Clock::now();
  bool killed = !o.kill;
  for (;;) {
    io.run_for(std::chrono::milliseconds(50));
    std::size_t held = 0, done = 0;
    for (const auto& till : tills) held += till->held().value, done += till->done() ? 1 : 0;
    if (done == tills.size()) break;
    require_that(seconds_since(start) < 1200, "the fleet did not finish: " + std::to_string(held) + " ops held");
    if (!killed && held * 2 > o.ops) {
      killed = true;
      killed_cpu = cpu_of("tillsync");
      std::cerr << "killed one process at " << held << " ops, after " << seconds_since(start) << " s\n";
      two.kill();
      killed_cpu -= cpu_of("tillsync");
    }
  }
  Run run{seconds_since(start), cpu_of("tillsync") + killed_cpu, cpu_of("postgres") - before,
          cpu_of("fleet_bench") - tills_before};
  std::size_t connects = 0;
  for (auto& till : tills) connects += till->connects(), till->close();
  io.run_for(std::chrono::milliseconds(200));
  std::cerr << connects << " connections were made\n";
  return run;
}

// Nothing lost, nothing doubled, and the stock is what was sold.
void reconcile(const Options& o, const std::vector<Branch>& branches) {
  auto db = client::require(postgres::Connection::open("postgresql://"));
  (void)db->run_text("SET search_path = tillsync");
  const auto count = [&](const std::string& sql) { return std::stoull("0" + db->text_of(sql)); };
  const std::size_t all = o.ops / o.branches * o.branches;
  require_that(count("SELECT count(*)::text FROM op") == all, "ops are lost or doubled");
  require_that(count("SELECT count(*)::text FROM op WHERE effect = 0") == all, "ops have no effect");
  require_that(count("SELECT count(DISTINCT (branch, key))::text FROM op") == all, "keys are doubled");
  auto store = client::require(open_postgres_cloud("postgresql", 1));
  client::require(store->read([&](CloudTxn& txn) -> Result<void> {
    for (const Branch& b : branches) {
      const BranchKey shop{b.roster.keys.id(), b.roster.branch};
      require_that(txn.chain(shop, b.history->chain) == b.history->end, "a history ends elsewhere");
      std::map<std::string, std::int64_t> stock;
      txn.rows_after(shop, stock_feed(shop.branch), {}, [&](const Row& row) {
        stock[row.id] = -unpack<StockRow>(row.fields).value_or(StockRow{}).milli;
        return true;
      });
      require_that(stock == b.history->sold, "the stock of " + shop.branch.text + " differs from its sales");
    }
    return {};
  }));
}

// Each begins on a server that has just been made: one that has written its log before is twice as fast.
void make_fresh_server() {
  const char* control = std::getenv("TILLSYNC_POSTGRES_CONTROL");
  require_that(control != nullptr && std::system((std::string(control) + " fresh").c_str()) == 0,
               "can't make a fresh server: run this with tests/with_postgres.sh");
}

// The same ops, a thousand rows a statement and a commit each, over two connections.
Run insert_plainly(const std::vector<Branch>& branches) {
  constexpr std::size_t kRows = 1000;
  std::string insert = "INSERT INTO plain_op (branch, till, seq, key, body) VALUES ";
  for (std::size_t i = 0; i < kRows; ++i) {
    const auto p = [&](std::size_t n) { return "$" + std::to_string(i * 5 + n); };
    insert += (i == 0 ? "(" : ",(") + p(1) + "," + p(2) + "," + p(3) + "," + p(4) + "," + p(5) + ")";
  }
  auto setup = client::require(postgres::Connection::open("postgresql://"));
  require_that(!setup->run_text("DROP TABLE IF EXISTS plain_op"), "can't drop plain_op");
  require_that(!setup->run_text("CREATE TABLE plain_op (branch bytea, till bytea, seq bigint, key bytea, body bytea, "
                                "PRIMARY KEY (branch, till, seq), UNIQUE (branch, key))"),
               "can't make plain_op");
  const double before = cpu_of("postgres"), own_before = cpu_of("fleet_bench");
  const auto start = Clock::now();
  const auto work = [&](std::size_t which) {
    auto db = client::require(postgres::Connection::open("postgresql://"));
    const postgres::Statement statement{"plain", insert.c_str()};
    postgres::Values values;
    const auto flush = [&] {
      if (values.all().empty()) return;
      std::string last = insert;  // a shorter statement for the rest
      if (values.all().size() < kRows * 5)
        last = last.substr(0, last.find(",($" + std::to_string(values.all().size() + 1) + ","));
      const postgres::Statement rest{"plain_rest", last.c_str()};
      require_that(db->run(values.all().size() < kRows * 5 ? rest : statement, values).has_value(), "insert failed");
      values = {};
    };
    for (std::size_t i = which; i < branches.size(); i += 2) {
      const History& h = *branches[i].history;
      std::size_t n = 0;
      for (const Push& push : h.pushes) {
        for (const Binary& op : push.ops) {
          values.add(ByteView(branches[i].roster.branch.text)).add(ByteView(h.chain.till.text));
          values.add(static_cast<std::int64_t>(n + 1)).add(ByteView(h.keys[n])).add(ByteView(op));
          ++n;
          if (values.all().size() == kRows * 5) flush();
        }
      }
    }
    flush();
  };
  std::thread other([&] { work(1); });
  work(0);
  other.join();
  return {seconds_since(start), 0, cpu_of("postgres") - before, cpu_of("fleet_bench") - own_before};
}

void run(const Options& o) {
  test::Folder folder;
  std::filesystem::create_directories(folder / "one/rosters");
  auto locked = std::make_unique<DataFolder>(client::require(DataFolder::lock(folder / "one", true)));
  const SecretKey cloud = client::require(load_identity(*locked, true));
  locked.reset();
  std::cerr << "making " << o.ops << " sales\n";
  auto branches = make_branches(o, fresh_secret(), cloud.public_key());
  std::size_t bytes = 0;
  for (const Branch& b : branches) {
    bytes += b.history->bytes;
    client::require(replace_file(folder / ("one/rosters/" + b.roster.branch.text + ".roster"), b.roster.encoded()));
  }
  std::filesystem::create_directories(folder / "two");
  std::filesystem::copy(folder / "one", folder / "two",
                        std::filesystem::copy_options::recursive | std::filesystem::copy_options::overwrite_existing);
  client::Process one = cloud_process("one", folder / "one"), two = cloud_process("two", folder / "two");
  // The reference runs before and after: machines drift.
  const Run before = insert_plainly(branches);
  make_fresh_server();
  one.start(), two.start();
  const Run pushed = push_all(o, branches, one, two);
  reconcile(o, branches);
  one.kill();
  make_fresh_server();
  const Run after = insert_plainly(branches);
  const Run plain = mean(before, after);
  const double ours = static_cast<double>(o.ops) / pushed.seconds, theirs = static_cast<double>(o.ops) / plain.seconds;
  const Json row{
      {"name", "fleet of " + std::to_string(o.branches) + " branches into PostgreSQL"},
      {"unit", "ops/s"},
      {"value", ours},
      {"reference", "libpq multi-row insert"},
      {"reference_value", theirs},
      {"reference_before_after",
       {static_cast<double>(o.ops) / before.seconds, static_cast<double>(o.ops) / after.seconds}},
      {"ratio", ours / theirs},
      {"limit", 0.5},
      {"ok", ours / theirs >= 0.5},
      {"bytes_per_op", bytes / o.ops},
      {"cpu_s", {{"clouds", pushed.cloud_cpu}, {"database", pushed.database_cpu}, {"tills", pushed.tills_cpu}}},
      {"reference_cpu_s", {{"database", plain.database_cpu}, {"client", plain.tills_cpu}}}};
  std::cout << row.dump(2) << '\n';
  if (!o.json.empty()) client::require(replace_file(o.json, Json::array({row}).dump(2) + "\n"));
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  CLI::App app("A fleet's ops into PostgreSQL, beside a plain insert. Run it with tests/with_postgres.sh.");
  app.add_option("--branches", o.branches, "Branches, one till each")->capture_default_str();
  app.add_option("--ops", o.ops, "Sales of all of them together")->capture_default_str();
  app.add_option("--products", o.products, "Products of a branch")->capture_default_str();
  app.add_option("--push-ops", o.push_ops, "Sales in a push at most; 1: as they are made")->capture_default_str();
  app.add_flag("!--no-kill", o.kill, "Let both cloud processes live");
  app.add_option("--json", o.json, "Write the report to this file");
  CLI11_PARSE(app, argc, argv);
  return in_a_sentence([&] { run(o); });
}
