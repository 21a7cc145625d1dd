// What a scenario's author expects, at a time or in the end.
#include <cstdlib>

#include "sim/scenario/player.hpp"

namespace tillsync::sim {

namespace {

const char* name_of(LeaseKind kind) {
  return kind == LeaseKind::exclusive ? "exclusive" : kind == LeaseKind::provisional ? "provisional" : "none";
}

}  // namespace

std::int64_t Player::sum(const Step& step, const std::function<std::int64_t(SimTill&)>& of) {
  std::int64_t total = 0;
  for (const std::string& who : step.who) {
    if (SimTill* till = fleet_.find(who)) total += of(*till);
  }
  return total;
}

void Player::expect(const Step& step, const std::string& line) {
  auto wrong = [&](const std::string& seen) { rules_.breaks("expected: " + line + "; it is " + seen); };
  auto number = [&](std::int64_t seen) {
    if (seen != step.number) wrong(std::to_string(seen));
  };
  switch (step.verb) {
    case Verb::expect_host: {
      const SimTill* host = fleet_.host();
      if (host == nullptr || step.who != std::vector{host->label()}) wrong(host == nullptr ? "nobody" : host->label());
      return;
    }
    case Verb::expect_no_host:
    case Verb::expect_lease:
      for (const std::string& who : step.who) {
        SimTill* till = fleet_.find(who);
        const LeaseView lease = till != nullptr && till->alive() ? till->node().lease(till->now()) : LeaseView{};
        if ((step.verb == Verb::expect_no_host ? "none" : step.word) != name_of(lease.kind))
          wrong(std::string(name_of(lease.kind)) + " of " + lease.host.text + " at " + who);
      }
      return;
    case Verb::expect_sold:
      return number(sum(step, [](SimTill& till) { return static_cast<std::int64_t>(till.receipts().size()); }));
    case Verb::expect_refused:
      return number(sum(step, [](SimTill& till) { return static_cast<std::int64_t>(till.refusals().size()); }));
    case Verb::expect_unsent: {
      const std::int64_t waiting = sum(step, [](SimTill& till) {
        return till.alive() ? static_cast<std::int64_t>(till.node().status(till.now()).unsent) : 0;
      });
      if (waiting < step.number) wrong(std::to_string(waiting));
      return;
    }
    case Verb::expect_stock:
      for (const std::string& who : step.who) {
        SimTill* till = fleet_.find(who);
        auto stock = till != nullptr && till->alive() ? till->node().all_stock() : fleet_.cloud_stock();
        if (stock[step.word] != step.number) wrong(std::to_string(stock[step.word]) + " thousandths at " + who);
      }
      return;
    case Verb::expect_conflicts: {
      std::int64_t seen = 0;
      for (int b = 0; b < fleet_.branches(); ++b) {
        for (const Conflict& c : fleet_.conflicts(b)) seen += c.waits() && c.kind == step.word ? 1 : 0;
      }
      return number(seen);
    }
    default:
      if (!fleet_.settled()) wrong("not: " + fleet_.unsettled());
  }
}

}  // namespace tillsync::sim
