// A rule is one promise of the product and the judge of it: a class in a file of its own, which sees what happens in a
// simulated world and names every breach. Rules know the evidence and nothing of each other.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sim/rules/evidence.hpp"
#include "sim/world/observer.hpp"

namespace tillsync::sim {

// The breaches of a run, in the order in which they were seen. Each begins with a word that says what is wrong.
class Violations {
 public:
  void add(std::string breach) { all_.push_back(std::move(breach)); }
  const std::vector<std::string>& all() const { return all_; }

 private:
  std::vector<std::string> all_;
};

// An op that has come to the cloud, as it lies there.
struct Arrival {
  int branch;
  const ChainId& chain;      // under which the cloud keeps it
  const ChainPoint& before;  // the end of that history until now
  const Bytes& bytes;
  Hash hash;                    // of the bytes
  const std::optional<Op>& op;  // nothing: the bytes are no op
};

class Rule : public Observer {
 public:
  Rule(Evidence& evidence, Violations& violations) : evidence_(evidence), violations_(violations) {}

  // Beside what an Observer sees. The evidence knows of it already, unless it says otherwise.
  virtual void on_stored(const Arrival&) {}
  virtual void on_watermark(int /*branch*/, const ChainId&, const ChainPoint& /*held*/, const ChainPoint& /*read*/) {}
  // `right`: the effect that the op must have had. The model takes the op afterwards.
  virtual void on_effect(int /*branch*/, const Op&, OpEffect /*effect*/, OpEffect /*right*/) {}
  virtual void on_stock(int /*branch*/, CloudTxn&, const std::set<std::string>& /*products*/) {}  // they moved

  virtual void at_any_time() {}                            // after every event
  virtual void after_quiet() {}                            // all is healed and has settled
  virtual void on_not_drained(Duration /*in so long*/) {}  // all is healed, and does not settle

 protected:
  void breaks(std::string breach) { violations_.add(std::move(breach)); }
  Evidence& evidence_;
  Fleet& fleet() { return evidence_.fleet(); }
  const Misfortunes& misfortunes() const { return evidence_.misfortunes(); }

 private:
  Violations& violations_;
};

// What people read of a rule, and how one is made.
struct RuleKind {
  const char* name;
  const char* promise;  // one sentence
  const char* except;   // when it does not ask, and why; empty: it always does
  std::unique_ptr<Rule> (*make)(Evidence&, Violations&);
};

template <class R>
std::unique_ptr<Rule> make_rule(Evidence& evidence, Violations& violations) {
  return std::make_unique<R>(evidence, violations);
}

}  // namespace tillsync::sim
