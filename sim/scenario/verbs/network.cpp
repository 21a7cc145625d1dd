// What happens on the way from one machine to another.
#include "sim/scenario/verbs/verb_table.hpp"

namespace tillsync::sim {

namespace {

void mend_both_ways(Stage& stage, const Step& step) {
  Network& network = stage.fleet().network();
  for (const std::string& a : step.who) {
    for (const std::string& b : step.whom) network.mend(a, b), network.mend(b, a);
  }
}

class Cut final : public Verb {
 public:
  Cut(std::string name, std::string slots, std::string meaning, bool both_ways)
      : Verb(std::move(name), {{std::move(slots), std::move(meaning)}}, Lasts::yes), both_ways_(both_ways) {}

  Played play(Stage& stage, const Step& step) const override {
    Network& network = stage.fleet().network();
    for (const std::string& a : step.who) {
      for (const std::string& b : step.whom) {
        network.cut(a, b);
        if (both_ways_) network.cut(b, a);
      }
    }
    return true;
  }
  void undo(Stage& stage, const Step& step) const override { mend_both_ways(stage, step); }

 private:
  bool both_ways_;
};

class Mend final : public Verb {
 public:
  Mend() : Verb("mend", {{"WHO and WHOM", "they reach each other again, both ways"}}) {}
  Played play(Stage& stage, const Step& step) const override { return mend_both_ways(stage, step), true; }
};

// Makes lines worse than the usual one, in one respect.
class Worsen final : public Verb {
 public:
  using Set = void (*)(Line&, std::int64_t);
  using Reset = void (*)(Line&, const Line& usual);
  Worsen(std::string name, std::string slots, std::string meaning, Set set, Reset reset)
      : Verb(std::move(name), {{std::move(slots) + " between WHO and WHOM", std::move(meaning)}}, Lasts::yes),
        set_(set),
        reset_(reset) {}

  Played play(Stage& stage, const Step& step) const override {
    each(stage, step, [&](Line& line) { set_(line, step.number); });
    return true;
  }
  void undo(Stage& stage, const Step& step) const override {
    each(stage, step, [&](Line& line) { reset_(line, stage.usual_line()); });
  }

 private:
  template <class F>
  static void each(Stage& stage, const Step& step, F change) {
    for (const std::string& a : step.who) {
      for (const std::string& b : step.whom) {
        if (a == b) continue;
        Line line = stage.fleet().network().line_between(a, b);
        change(line);
        stage.fleet().network().set_line(a, b, line);
      }
    }
  }

  Set set_;
  Reset reset_;
};

double share(std::int64_t thousandths_of_a_percent) { return static_cast<double>(thousandths_of_a_percent) / 100'000; }

}  // namespace

VerbList verbs_of_the_network() {
  return verbs(Cut("cut", "WHO from WHOM", "nothing gets through, either way", true),
               Cut("cut-one-way", "WHO to WHOM", "nothing gets through this way; the other way it does", false), Mend(),
               Worsen(
                   "delay", "NUMBER ms", "the line's delay, one way",
                   [](Line& line, std::int64_t n) { line.delay = milliseconds(n); },
                   [](Line& line, const Line& usual) { line.delay = usual.delay; }),
               Worsen(
                   "jitter", "NUMBER ms", "the most that chance adds to it",
                   [](Line& line, std::int64_t n) { line.jitter = milliseconds(n); },
                   [](Line& line, const Line& usual) { line.jitter = usual.jitter; }),
               Worsen(
                   "loss", "NUMBER %", "packets get lost, and are sent again",
                   [](Line& line, std::int64_t n) { line.loss = share(n); },
                   [](Line& line, const Line& usual) { line.loss = usual.loss; }),
               Worsen(
                   "reorder", "NUMBER %", "packets overtake each other",
                   [](Line& line, std::int64_t n) { line.reorder = share(n); },
                   [](Line& line, const Line& usual) { line.reorder = usual.reorder; }),
               Worsen(
                   "bandwidth", "NUMBER kbit/s", "the line is so narrow, each way",
                   [](Line& line, std::int64_t n) { line.bits_per_second = static_cast<std::uint64_t>(n) * 1000; },
                   [](Line& line, const Line& usual) { line.bits_per_second = usual.bits_per_second; }),
               Worsen(
                   "resets", "NUMBER ppm", "so many of a million messages break the connection",
                   [](Line& line, std::int64_t n) { line.resets_per_million = static_cast<std::uint64_t>(n); },
                   [](Line& line, const Line& usual) { line.resets_per_million = usual.resets_per_million; }));
}

}  // namespace tillsync::sim
