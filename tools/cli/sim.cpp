// tillsync sim: the simulator.
#include <atomic>
#include <chrono>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <mutex>
#include <set>
#include <thread>

#include "sim/draw/draw.hpp"
#include "sim/draw/shrink.hpp"
#include "sim/rules/rule_table.hpp"
#include "sim/scenario/run.hpp"
#include "sim/scenario/scenario_file.hpp"
#include "sim/scenario/timeline.hpp"
#include "sim/scenario/verbs/verb_table.hpp"
#include "storage/base/mutants.hpp"
#include "tools/cli/command.hpp"
#include "transport/base/json_text.hpp"

namespace tillsync::cli {

namespace {

struct SimArguments {
  std::string seed, seeds, trace, html;
  std::vector<std::string> scenarios;
  int days = 0, tills = 5, sales = 2000;
  bool json = false, shrink = false, verbs = false, rules = false, mutants = false;
};

struct Job {
  sim::Scenario scenario;
  std::string replay;
};

struct Timed {
  Job job;
  sim::Outcome outcome;
  double wall_s = 0;
  bool ok() const { return outcome.violations.empty(); }
};

std::uint64_t number(const std::string& text) {
  std::size_t used = 0;
  try {
    const std::uint64_t n = std::stoull(text, &used);
    if (used == text.size() && text[0] != '-') return n;
  } catch (const std::exception&) {  // said below
  }
  throw Failure{"'" + text + "' is no seed: a seed is a whole number"};
}

std::string read_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw Failure{"can't read " + path + ": is the name right?"};
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_text(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  out << text;
  if (!out.flush()) throw Failure{"can't write " + path + ": is there space, and may you write there?"};
}

std::vector<Job> jobs_of(const SimArguments& a) {
  std::vector<Job> jobs;
  for (const std::string& path : a.scenarios) {
    sim::Scenario scenario = require(sim::parse_scenario(read_text(path), path));
    std::string replay = "--scenario " + path;
    if (!a.seed.empty()) scenario.plan.seed = number(a.seed), replay += " --seed " + a.seed;
    jobs.push_back({std::move(scenario), replay});
  }
  if (a.days > 0) {
    const std::string seed = a.seed.empty() ? "1" : a.seed;
    jobs.push_back({sim::trading_days(number(seed), a.days, a.tills, a.sales),
                    "--days " + std::to_string(a.days) + " --seed " + seed});
  }
  if (!jobs.empty()) return jobs;
  std::uint64_t from = 0, to = 0;
  if (!a.seeds.empty()) {
    const std::size_t dots = a.seeds.find("..");
    if (dots == std::string::npos) throw Failure{"--seeds takes a range, such as 1..100"};
    from = number(a.seeds.substr(0, dots)), to = number(a.seeds.substr(dots + 2));
    if (to < from || to - from > 1'000'000) throw Failure{"--seeds takes a rising range of at most a million"};
  } else if (!a.seed.empty()) {
    from = to = number(a.seed);
  } else {
    throw Failure{"what is to be simulated? Give --seed N, --seeds A..B, --days D or --scenario FILE"};
  }
  for (std::uint64_t seed = from; seed <= to; ++seed)
    jobs.push_back({sim::draw_scenario(seed), "--seed " + std::to_string(seed)});
  return jobs;
}

Timed run_one(Job job, const sim::Listeners& listeners = {}) {
  const auto start = std::chrono::steady_clock::now();
  Timed timed{std::move(job), {}, 0};
  timed.outcome = sim::play(timed.job.scenario, listeners);
  timed.wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return timed;
}

// With a trace or a picture, one after the other; otherwise on all cores.
Timed run_watched(Job job, const SimArguments& a) {
  sim::Listeners listeners;
  std::ofstream trace;
  if (!a.trace.empty()) {
    trace.open(a.trace, std::ios::binary);
    if (!trace) throw Failure{"can't write " + a.trace + ": is there space, and may you write there?"};
    listeners.tracer = [&, scenario = &job.scenario](Instant now, const std::string& line) {
      const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(now.since_boot).count() % 1000;
      trace << scenario->clock_time(now.since_boot) << std::setw(3) << std::setfill('0') << micros << ' ' << line
            << '\n';
    };
  }
  sim::Timeline timeline(job.scenario.length);
  if (!a.html.empty()) listeners.timeline = &timeline;
  const sim::Scenario scenario = job.scenario;
  Timed timed = run_one(std::move(job), listeners);
  if (!a.html.empty()) write_text(a.html, sim::html_page(scenario, timed.outcome, timeline));
  return timed;
}

Json json_of(const Timed& t) {
  std::ostringstream hash;
  hash << std::hex << std::setw(16) << std::setfill('0') << t.outcome.trace_hash;
  return {{"seed", t.outcome.seed},
          {"name", t.job.scenario.name},
          {"ok", t.ok()},
          {"violations", t.outcome.violations},
          {"trace_hash", hash.str()},
          {"receipts", t.outcome.receipts},
          {"ops_in_cloud", t.outcome.ops_in_cloud},
          {"conflicts", t.outcome.conflicts},
          {"messages", t.outcome.messages},
          {"drained_s", t.outcome.drained_s},
          {"simulated_s", t.outcome.simulated_s},
          {"wall_s", t.wall_s}};
}

void explain(const Timed& t) {
  std::cerr << t.job.scenario.name << " broke a rule; the last that happened to it:\n";
  const auto& log = t.outcome.log;
  for (std::size_t i = log.size() > 20 ? log.size() - 20 : 0; i < log.size(); ++i) std::cerr << "  " << log[i] << '\n';
  for (const std::string& v : t.outcome.violations) std::cerr << "  BROKEN " << v << '\n';
  std::cerr << "replay: tillsync sim " << t.job.replay << '\n';
}

std::vector<Timed> run_all(std::vector<Job> jobs) {
  std::vector<Timed> all(jobs.size());
  std::atomic<std::size_t> next = 0, done = 0;
  std::mutex mutex;
  Progress progress("simulating");
  auto work = [&] {
    for (std::size_t i; (i = next++) < all.size();) {
      all[i] = run_one(std::move(jobs[i]));
      const std::lock_guard lock(mutex);
      progress.at(++done, all.size());
    }
  };
  std::vector<std::thread> threads;
  const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
  for (std::size_t i = 0; i < std::min(cores, all.size()); ++i) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
  return all;
}

void shrink_one(const Timed& failed) {
  constexpr int kMaxRuns = 3000;
  std::cerr << "shrinking " << failed.job.scenario.name << ", " << failed.job.scenario.spelled_out().steps.size()
            << " steps\n";
  Progress progress("shrinking");
  const auto shrunk = sim::shrink(failed.job.scenario, failed.outcome, kMaxRuns, [&](std::size_t steps, int runs) {
    progress.say(std::to_string(runs) + " runs, " + std::to_string(steps) + " steps left");
    return true;
  });
  std::cout << "# Shrunk in " << shrunk.runs << " runs. Broken: " << shrunk.outcome.violations.front() << "\n"
            << sim::toml_of(shrunk.scenario);
}

// Every deliberate defect must be seen by a rule, and soon.
void run_mutants(bool json) {
  if (!kMutants) throw Failure{"this build has no defects in it: build the preset 'mutants' (cmake --preset mutants)"};
  constexpr std::uint64_t kSeeds = 200;
  Json out = Json::array();
  std::size_t missed = 0;
  std::set<std::uint64_t> without;  // seeds that fail with no defect prove nothing
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    if (!sim::play(sim::draw_scenario(seed)).violations.empty()) without.insert(seed);
  }
  for (const auto& [mutant, name] : kAllMutants) {
    mutate(mutant);
    std::atomic<std::uint64_t> next = 1, caught = kSeeds + 1;
    std::mutex mutex;
    std::string rule;
    auto work = [&] {
      for (std::uint64_t seed; (seed = next++) < caught;) {
        if (without.contains(seed)) continue;
        const sim::Outcome outcome = sim::play(sim::draw_scenario(seed));
        const std::lock_guard lock(mutex);
        if (outcome.violations.empty() || seed >= caught) continue;
        caught = seed, rule = outcome.violations.front();
      }
    };
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < std::max(1U, std::thread::hardware_concurrency()); ++i) threads.emplace_back(work);
    for (std::thread& thread : threads) thread.join();
    const bool seen = caught <= kSeeds;
    missed += seen ? 0 : 1;
    out.push_back({{"mutant", name}, {"caught", seen}, {"seeds", seen ? caught.load() : kSeeds}, {"rule", rule}});
    if (!json)
      std::cout << std::left << std::setw(24) << name
                << (seen ? "seed " + std::to_string(caught) + "  " + rule.substr(0, 90) : "NOT CAUGHT") << std::endl;
  }
  mutate(Mutant::none);
  if (json) std::cout << json_text(out, 2) << '\n';
  if (missed != 0)
    throw Failure{std::to_string(missed) + " defects were caught by no rule within " + std::to_string(kSeeds) +
                  " seeds"};
}

void list_verbs() {
  for (const sim::Verb* verb : sim::all_verbs()) {
    for (const auto& form : verb->forms())
      std::cout << std::left << std::setw(52) << verb->pattern(form) << form.meaning << '\n';
  }
}

void list_rules() {
  for (const sim::RuleKind* rule : sim::all_rules()) {
    std::cout << std::left << std::setw(16) << rule->name << rule->promise << '\n';
    if (*rule->except != '\0')
      std::cout << std::setw(16) << ""
                << "(" << rule->except << ")\n";
  }
}

void run(const SimArguments& a) {
  if (a.verbs) return list_verbs();
  if (a.rules) return list_rules();
  if (a.mutants) return run_mutants(a.json);
  std::vector<Job> jobs = jobs_of(a);
  if ((!a.trace.empty() || !a.html.empty() || a.shrink) && jobs.size() != 1)
    throw Failure{"--trace, --html and --shrink take one run: give one seed or one scenario"};
  const std::vector<Timed> all =
      jobs.size() == 1 ? std::vector{run_watched(std::move(jobs[0]), a)} : run_all(std::move(jobs));
  std::uint64_t failed = 0, receipts = 0;
  double simulated = 0;
  Json out = Json::array();
  for (const Timed& t : all) {
    failed += t.ok() ? 0 : 1;
    receipts += t.outcome.receipts, simulated += t.outcome.simulated_s;
    if (a.json) out.push_back(json_of(t));
    if (!t.ok()) explain(t);
  }
  if (a.shrink && failed != 0) {
    shrink_one(all[0]);
  } else if (a.json) {
    std::cout << json_text(a.seeds.empty() && all.size() == 1 ? out[0] : out, 2) << '\n';
  } else {
    std::cout << all.size() << (all.size() == 1 ? " run, " : " runs, ") << receipts << " receipts, "
              << static_cast<std::uint64_t>(simulated)
              << " s simulated: " << (failed == 0 ? "all rules held" : std::to_string(failed) + " FAILED") << '\n';
  }
  if (failed != 0)
    throw Failure{std::to_string(failed) + " of " + std::to_string(all.size()) + " runs broke a rule: see above"};
}

}  // namespace

void add_sim(CLI::App& app) {
  auto a = std::make_shared<SimArguments>();
  CLI::App* c = app.add_subcommand(
      "sim",
      "Simulate shops under faults, drawn from a seed or written in a file, and check that every rule holds.\n"
      "Examples: tillsync sim --seeds 1..100\n"
      "          tillsync sim --scenario sim/scenarios/split-wifi.toml --html split-wifi.html");
  auto* seed = c->add_option("--seed", a->seed, "One seed; with --scenario or --days, the seed to use there");
  auto* seeds = c->add_option("--seeds", a->seeds, "A range of seeds: A..B, on all cores");
  auto* scenario =
      c->add_option("--scenario", a->scenarios, "Scenario files (TOML); docs/simulator.md says how to write one");
  auto* days = c->add_option("--days", a->days, "Quiet trading days from 08:00 to 20:00")->check(CLI::Range(1, 366));
  c->add_option("--tills", a->tills, "With --days: how many tills (5)")->check(CLI::Range(1, 60));
  c->add_option("--sales", a->sales, "With --days: how many sales a day (2000)")->check(CLI::Range(1, 1'000'000));
  c->add_option("--trace", a->trace, "Write every message and event to this file, a line each");
  c->add_option("--html", a->html, "Draw the run: one page, to be opened in a browser");
  c->add_flag("--shrink", a->shrink, "When it fails, cut it down to the shortest scenario that still does");
  c->add_flag("--json", a->json, "One JSON document instead");
  c->add_flag("--mutants", a->mutants, "In a build with deliberate defects: see that each is caught within 200 seeds");
  c->add_flag("--verbs", a->verbs, "List what a script may say");
  c->add_flag("--rules", a->rules, "List what must hold, and what is excepted");
  seed->excludes(seeds);
  scenario->excludes(seeds), scenario->excludes(days);
  days->excludes(seeds);
  c->callback([a] { run(*a); });
}

}  // namespace tillsync::cli
