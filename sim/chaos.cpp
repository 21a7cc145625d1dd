#include "sim/chaos.hpp"

#include <algorithm>

#include "sim/branch.hpp"

namespace tillsync::sim {

namespace {

constexpr Duration kDrainLimit = std::chrono::minutes(3);

class Chaos {
 public:
  explicit Chaos(std::uint64_t seed)
      : seed_(seed),
        dice_(seed ^ 0x6368616f73ULL),
        branch_(seed, 1 + static_cast<int>(dice_.below(5)), 1000 + 1000 * static_cast<std::uint32_t>(dice_.below(3))) {}

  ChaosResult run() {
    choose_faults();
    const int steps = 20 + static_cast<int>(dice_.below(60));
    for (int step = 0; step < steps && result_.violations.empty(); ++step) {
      strike();
      sell();
      run_watched(milliseconds(50 + dice_.below(1500)));
    }
    heal();
    if (result_.violations.empty() && !settle_watched())
      result_.violations.push_back("drain: not settled " + std::to_string(to_ms(kDrainLimit) / 1000) +
                                   " s after healing: " + unsettled());
    if (result_.violations.empty()) result_.violations = branch_.broken_rules(destroyed_);
    result_.seed = seed_;
    result_.trace_hash = branch_.world().trace_hash();
    for (int t = 1; t <= branch_.size(); ++t) result_.receipts += branch_.till(t).receipts().size();
    result_.simulated_s = static_cast<double>(to_ms(branch_.world().now().since_boot)) / 1000.0;
    return std::move(result_);
  }

 private:
  void choose_faults() {
    for (int& strength : strengths_) strength = dice_.below(2) == 0 ? 0 : static_cast<int>(1 + dice_.below(10));
    if (dice_.below(3) == 0) branch_.world().faults().reset_per_million = dice_.below(2000);
    branch_.world().faults().latency = milliseconds(1 + dice_.below(40));
    branch_.world().faults().jitter = milliseconds(1 + dice_.below(20));
    for (int t = 1; t <= branch_.size() && dice_.below(4) == 0; ++t)
      branch_.till(t).clock().drift_ppm = static_cast<std::int64_t>(dice_.below(4000)) - 2000;
  }

  void note(const std::string& what) {
    result_.log.push_back(std::to_string(to_ms(branch_.world().now().since_boot)) + " ms: " + what);
  }

  int any() { return 1 + static_cast<int>(dice_.below(static_cast<std::uint64_t>(branch_.size()))); }
  std::string any_name() { return dice_.below(4) == 0 ? "cloud" : branch_.till(any()).name(); }

  enum Fault { kCrash, kPower, kCut, kOneWay, kMend, kCloud, kFull, kBackup, kClock, kRestart, kFaults };

  void strike() {
    for (int fault = 0; fault < kFaults; ++fault) {
      if (static_cast<int>(dice_.below(100)) < strengths_[fault] * 2) strike(static_cast<Fault>(fault));
    }
    if (dice_.below(3) == 0) start_one();
  }

  void strike(Fault fault) {
    SimTill& till = branch_.till(any());
    World& world = branch_.world();
    switch (fault) {
      case kCrash:
      case kPower:
        if (!till.alive()) return;
        note(till.name() + (fault == kPower ? " loses power" : " crashes"));
        return till.crash(fault == kPower);
      case kCut: {
        const std::string name = any_name();
        note(name + " is cut off");
        return world.cut_off(name);
      }
      case kOneWay: {
        const std::string a = any_name(), b = any_name();
        if (a == b) return;
        note("nothing gets from " + a + " to " + b);
        return world.cut(a, b);
      }
      case kMend:
        note("the network is mended");
        return world.mend_all();
      case kCloud:
        if (!branch_.cloud().alive()) return;
        note("the cloud crashes");
        branch_.cloud().crash();
        return world.after(milliseconds(dice_.below(20'000)), [this] {
          if (!branch_.cloud().alive()) branch_.cloud().start();
        });
      case kFull: {
        const bool full = dice_.below(2) == 0;
        note(till.name() + (full ? "'s disk is full" : "'s disk has space"));
        return till.disk().set_full(full);
      }
      case kBackup:
        return back_up_or_restore(till);
      case kClock:
        till.clock().offset_ms = static_cast<std::int64_t>(dice_.below(4'000'000)) - 2'000'000;
        return note(till.name() + "'s clock is set to be off by " + std::to_string(till.clock().offset_ms) + " ms");
      case kRestart:
        if (till.alive()) till.crash(false);
        note(till.name() + " restarts");
        return till.start();
      case kFaults:
        return;
    }
  }

  void back_up_or_restore(SimTill& till) {
    for (int t = 1; t <= branch_.size(); ++t) {
      if (!branch_.till(t).alive()) return;
    }
    if (!branch_.cloud().alive()) return;
    const auto kept = backups_.find(till.name());
    if (kept != backups_.end()) destroyed_.merge(branch_.only_on(till));
    if (till.alive()) till.crash(false);
    if (kept == backups_.end()) {
      note(till.name() + " is backed up");
      backups_.emplace(till.name(), till.backup());
    } else {
      note(till.name() + " is restored from its backup");
      till.restore(kept->second);
      backups_.erase(kept);
    }
    till.start();
  }

  void start_one() {
    SimTill& till = branch_.till(any());
    if (till.alive()) return;
    note(till.name() + " starts");
    till.start();
  }

  void sell() {
    const std::uint64_t sales = dice_.below(8);
    for (std::uint64_t i = 0; i < sales; ++i) {
      const int t = any();
      branch_.sell(t, "sale/" + std::to_string(++sold_), "sku-" + std::to_string(dice_.below(5)),
                   1 + static_cast<std::int64_t>(dice_.below(3)));
    }
  }

  void run_watched(Duration time) {
    const Instant end = branch_.world().now() + time;
    branch_.world().run_until([&] { return branch_.world().now() >= end || !watch(); }, time);
  }

  bool settle_watched() {
    bool settled = false;
    branch_.world().run_until([&] { return !watch() || (settled = ++asked_ % 50 == 0 && branch_.settled()); },
                              kDrainLimit);
    return settled;
  }

  // Rule 4, at every instant: one exclusive holder at most, and terms that never fall at any node.
  bool watch() {
    std::string holder;
    for (int t = 1; t <= branch_.size(); ++t) {
      SimTill& till = branch_.till(t);
      if (!till.alive()) continue;
      const LeaseView lease = till.node().lease(till.now());
      if (lease.kind != LeaseKind::exclusive || lease.host.text != till.name()) continue;
      if (!holder.empty())
        result_.violations.push_back("lease: " + holder + " and " + till.name() + " hold it at once");
      holder = till.name();
    }
    return result_.violations.empty();
  }

  void heal() {
    note("everything is healed");
    branch_.world().mend_all();
    branch_.world().faults().reset_per_million = 0;
    if (!branch_.cloud().alive()) branch_.cloud().start();
    for (int t = 1; t <= branch_.size(); ++t) {
      branch_.till(t).disk().set_full(false);
      branch_.till(t).clock().offset_ms = 0;
      if (!branch_.till(t).alive()) branch_.till(t).start();
    }
  }

  static std::string open_histories(SimTill& till) {
    std::string out;
    const TillState& state = till.node().state();
    auto add = [&](Incarnation incarnation, Seq cloud, Seq last) {
      if (cloud < last)
        out += " history " + std::to_string(incarnation.value) + ": cloud " + std::to_string(cloud.value) + " of " +
               std::to_string(last.value);
    };
    for (const OldChain& old : state.old_chains) add(old.incarnation, old.cloud.seq, old.last.seq);
    add(state.incarnation, state.cloud.seq, till.node().own().last().seq);
    return out;
  }

  std::string unsettled() {
    std::string out;
    for (int t = 1; t <= branch_.size(); ++t) {
      SimTill& till = branch_.till(t);
      const Status s = till.node().status(till.now());
      out += till.name() + " (host " + s.host + ", " + s.lease + ") unsent " + std::to_string(s.unsent) + " relaying " +
             std::to_string(s.relaying) + open_histories(till) + (s.fork_open ? " fork open" : "") +
             (till.node().all_stock() == branch_.cloud_stock() ? "" : " stock differs") + "; ";
    }
    return out;
  }

  std::uint64_t seed_;
  Random dice_;
  Branch branch_;
  ChaosResult result_;
  int strengths_[kFaults] = {};
  std::map<std::string, SimTill::Backup> backups_;
  std::set<std::string> destroyed_;
  std::uint64_t sold_ = 0, asked_ = 0;
};

}  // namespace

ChaosResult run_chaos(std::uint64_t seed) { return Chaos(seed).run(); }

}  // namespace tillsync::sim
