#include <utility>

#include "sim/rules/rule_table.hpp"

namespace tillsync::sim {

namespace {

constexpr std::uint64_t kMaxMessages = 3'000;
constexpr std::uint64_t kMaxWakes = 100;        // of a till, without being told anything
constexpr std::size_t kMaxInFlight = 64 << 20;  // bytes

class StormRule final : public Rule {
 public:
  using Rule::Rule;

  // Once a second: a second without any event asks nothing.
  void at_any_time() override {
    if (fleet().world().now() < next_) return;
    next_ = fleet().world().now() + seconds(1);
    const std::uint64_t sent = fleet().network().messages() - messages_before_;
    messages_before_ += sent;
    if (sent > kMaxMessages) breaks("storm: " + std::to_string(sent) + " messages in a second");
    for (const auto& till : fleet().tills()) {
      const std::uint64_t woke = till->woke() - std::exchange(woke_before_[till->label()], till->woke());
      if (woke > kMaxWakes)
        breaks("storm: " + till->label() + " woke up " + std::to_string(woke) + " times in a second");
    }
    if (fleet().network().in_flight() > kMaxInFlight)
      breaks("storm: " + std::to_string(fleet().network().in_flight()) + " bytes are under way");
  }

 private:
  Instant next_;
  std::uint64_t messages_before_ = 0;
  std::map<std::string, std::uint64_t> woke_before_;
};

}  // namespace

const RuleKind rules::storm{
    "storm", "No storm: messages, wake-ups and bytes under way stay within what a shop may cause in a second.", "",
    make_rule<StormRule>};

}  // namespace tillsync::sim
