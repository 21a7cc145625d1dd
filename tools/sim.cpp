// tillsync sim: the simulator.
#include <atomic>
#include <chrono>
#include <iomanip>
#include <iostream>
#include <mutex>
#include <thread>

#include "sim/chaos.hpp"
#include "tools/cli.hpp"

namespace tillsync::cli {

namespace {

struct Arguments {
  std::string seed, seeds;
  bool json = false;
};

std::uint64_t number(const std::string& text) {
  std::size_t used = 0;
  try {
    const std::uint64_t n = std::stoull(text, &used);
    if (used == text.size()) return n;
  } catch (const std::exception&) {  // said below
  }
  throw Failure{"'" + text + "' is no seed: a seed is a whole number"};
}

struct Timed {
  sim::ChaosResult result;
  double wall_s = 0;
};

Timed run_one(std::uint64_t seed) {
  const auto start = std::chrono::steady_clock::now();
  Timed timed{sim::run_chaos(seed), 0};
  timed.wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return timed;
}

Json json_of(const Timed& t) {
  std::ostringstream hash;
  hash << std::hex << std::setw(16) << std::setfill('0') << t.result.trace_hash;
  return {{"seed", t.result.seed},    {"ok", t.result.violations.empty()},   {"violations", t.result.violations},
          {"trace_hash", hash.str()}, {"simulated_s", t.result.simulated_s}, {"wall_s", t.wall_s}};
}

void explain(const Timed& t) {
  std::cerr << "seed " << t.result.seed << " broke a rule\n";
  const std::size_t from = t.result.log.size() > 20 ? t.result.log.size() - 20 : 0;
  for (std::size_t i = from; i < t.result.log.size(); ++i) std::cerr << "  " << t.result.log[i] << '\n';
  for (const std::string& v : t.result.violations) std::cerr << "  BROKEN " << v << '\n';
  std::cerr << "replay: tillsync sim --seed " << t.result.seed << '\n';
}

std::vector<Timed> run_range(std::uint64_t from, std::uint64_t to) {
  std::vector<Timed> all(to - from + 1);
  std::atomic<std::uint64_t> next = from, done = 0;
  std::mutex mutex;
  Progress progress("seeds");
  auto work = [&] {
    for (std::uint64_t seed; (seed = next++) <= to;) {
      all[seed - from] = run_one(seed);
      const std::lock_guard lock(mutex);
      progress.at(++done, all.size());
    }
  };
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < std::max(1U, std::thread::hardware_concurrency()); ++i) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
  return all;
}

void run(const Arguments& a) {
  std::uint64_t from = 0, to = 0;
  if (!a.seeds.empty()) {
    const std::size_t dots = a.seeds.find("..");
    if (dots == std::string::npos) throw Failure{"--seeds takes a range, such as 1..100"};
    from = number(a.seeds.substr(0, dots)), to = number(a.seeds.substr(dots + 2));
    if (to < from || to - from > 1'000'000) throw Failure{"--seeds takes a rising range of at most a million"};
  } else {
    from = to = number(a.seed);
  }
  const std::vector<Timed> all = run_range(from, to);
  std::uint64_t failed = 0, receipts = 0;
  double simulated = 0;
  Json out = Json::array();
  for (const Timed& t : all) {
    failed += t.result.violations.empty() ? 0 : 1;
    receipts += t.result.receipts, simulated += t.result.simulated_s;
    if (a.json) out.push_back(json_of(t));
    if (!t.result.violations.empty()) explain(t);
  }
  if (a.json) {
    std::cout << (a.seeds.empty() ? out[0] : out).dump(2) << '\n';
  } else {
    std::cout << all.size() << " seeds, " << receipts << " receipts, " << static_cast<std::uint64_t>(simulated)
              << " s simulated: " << (failed == 0 ? "all rules held" : std::to_string(failed) + " FAILED") << '\n';
  }
  if (failed != 0)
    throw Failure{std::to_string(failed) + " of " + std::to_string(all.size()) + " seeds broke a rule: see above"};
}

}  // namespace

void add_sim(CLI::App& app) {
  auto a = std::make_shared<Arguments>();
  CLI::App* c =
      app.add_subcommand("sim",
                         "Simulate a branch under faults drawn from a seed, and check that every rule holds.\n"
                         "Example: tillsync sim --seeds 1..100");
  auto* seed = c->add_option("--seed", a->seed, "One seed");
  auto* seeds = c->add_option("--seeds", a->seeds, "A range: A..B, on all cores");
  seed->excludes(seeds);
  c->add_flag("--json", a->json, "One JSON document instead");
  c->callback([a] {
    if (a->seed.empty() && a->seeds.empty()) throw Failure{"which seed? Give --seed N or --seeds A..B"};
    run(*a);
  });
}

}  // namespace tillsync::cli
